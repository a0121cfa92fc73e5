"""P4: relay again, with nothing left to do."""

from tests.benchmarks.material import make_small_wheels
from tests.benchmarks.measure import Measured
from tests.benchmarks.setting import Setting
from tests.benchmarks.table import OURS, Result, Row, compared, seconds
from tests.benchmarks.way import laid_way

SIZE = 100_000
UV = "uv publish --check-url"


def again(setting: Setting) -> Result:
    """P4: 1,000 files of one project that are all at the sink already."""
    folder = setting.folder("P4")
    dist = folder / "dist"
    files = 500 if setting.small else 1000
    names = [path.name for path in make_small_wheels(dist, count=files, size=SIZE)]
    with laid_way(setting, folder, dist, names) as way:
        index = f"{way.sink}full/"
        asked: list[int] = []

        def ours() -> Measured:
            before = sum(way.told(index)["requests"].values())
            measured = way.relay(str(dist), kind="directory", index=index)
            asked.append(sum(way.told(index)["requests"].values()) - before)
            return measured

        ours()  # uploads them
        asked.clear()
        runs = seconds(setting.compete({UV: lambda: way.publish_again(dist, index), OURS: ours}, warm=[UV]))
    work = f"relay again {files:,} files of one project, nothing to do"
    requests = Row("P4", f"{work}: requests", max(asked), 3, unit="requests")
    return Result([compared("P4", work, 1 / 5, runs, [UV]), requests], runs)
