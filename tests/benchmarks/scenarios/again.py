"""P4: relay again, with nothing left to do."""

from tests.benchmarks.environment import Environment
from tests.benchmarks.material import make_small_wheels
from tests.benchmarks.measure import Measured
from tests.benchmarks.table import OURS, Result, Row, compared, seconds
from tests.benchmarks.transfer import open_transfer

SIZE = 100_000
UV = "uv publish --check-url"


def again(environment: Environment) -> Result:
    """P4: 1,000 files of one project that are all at the sink already."""
    folder = environment.folder("P4")
    dist = folder / "dist"
    files = 500 if environment.small else 1000
    names = [path.name for path in make_small_wheels(dist, count=files, size=SIZE)]
    with open_transfer(environment, folder, dist, names) as transfer:
        index = f"{transfer.sink}full/"
        asked: list[int] = []

        def ours() -> Measured:
            before = sum(transfer.told(index)["requests"].values())
            measured = transfer.relay(str(dist), kind="directory", index=index)
            asked.append(sum(transfer.told(index)["requests"].values()) - before)
            return measured

        ours()  # uploads them
        asked.clear()
        runs = seconds(
            environment.compete({UV: lambda: transfer.publish_again(dist, index), OURS: ours}, warm=[UV])
        )
    work = f"relay again {files:,} files of one project, nothing to do"
    requests = Row("P4", f"{work}: requests", max(asked), 3, unit="requests")
    return Result([compared("P4", work, 1 / 5, runs, [UV]), requests], runs)
