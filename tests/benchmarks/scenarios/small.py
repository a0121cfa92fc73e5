"""P12 and P13: the most common release of all, one wheel and one sdist."""

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from statistics import median

from tests.benchmarks.commands import BASELINE, CREDENTIALS, twine
from tests.benchmarks.environment import Environment
from tests.benchmarks.measure import Measured
from tests.benchmarks.peers import peer
from tests.benchmarks.table import FLOOR, OURS, Result, Row, compared, seconds
from tests.servers.indexes import IndexServer, run_pypiserver
from wheelrelay.testing.samples import make_sdist, make_wheel

CONFIG = """\
[remotes.dist]
type = "directory"
path = "dist"

[remotes.sink]
type = "index"
url = "{simple_url}"
upload_url = "{upload_url}"
username = "bench"
password = {{ env = "TWINE_PASSWORD" }}
"""

TWINE_UPLOAD, TWINE_CHECK = "twine upload", "twine check"
TURNS = 3
"""Three times as many runs as in other lines, because these are short."""
MB = 1_000_000


def release(environment: Environment) -> Result:
    """P12 and P13: ``relay``, ``plan`` and ``check`` of one wheel and one sdist, compared with twine."""
    folder = environment.folder("P12")
    dist = folder / "dist"
    paths = [make_wheel(dist, "bench"), make_sdist(dist, "bench")]
    (folder / "server").mkdir()
    with run_pypiserver(folder / "server", username="bench", password="bench") as index:
        (folder / "wheelrelay.toml").write_text(
            CONFIG.format(simple_url=index.simple_url, upload_url=index.upload_url)
        )
        selected = ["--from", "dist", "--to", "sink", "bench==1.0"]
        commands = {
            OURS: environment.wheelrelay("relay", "--yes", *selected),
            "wheelrelay plan": environment.wheelrelay("plan", *selected),
            "wheelrelay check": environment.wheelrelay("check", str(dist)),
            TWINE_UPLOAD: twine(index.upload_url, list(map(str, paths))),
            TWINE_CHECK: [peer("twine"), "check", *map(str, paths)],
            FLOOR: [
                _python(environment),
                str(BASELINE / "floor_release.py"),
                "wheelrelay.toml",
                "bench==1.0",
            ],
        }
        contenders = {
            name: partial(_run, environment, index, command, len(paths) if name in UPLOADS else 0)
            for name, command in commands.items()
        }
        measured = environment.compete(contenders, warm=contenders, turns=TURNS * environment.runs)
        second = _second_plan(environment, folder)
    runs = seconds(measured)
    what = "one wheel and one sdist"
    rows = [
        compared("P12", f"relay {what}, directory to pypiserver", 0.8, runs, [TWINE_UPLOAD]),
        compared("P12", f"relay {what}, directory to pypiserver", 0, runs, [FLOOR]),
        compared("P12", f"plan for {what}", 0.5, runs, [TWINE_UPLOAD], ours="wheelrelay plan"),
        compared("P12", f"check of {what}", 0.5, runs, [TWINE_CHECK], ours="wheelrelay check"),
        Row("P13", "a second plan in the same process", second * 1000, 20, unit="ms"),
        Row(
            "P13",
            f"relay {what}: peak memory",
            median(run.peak for run in measured[OURS]) / MB,
            50,
            unit="MB",
        ),
    ]
    return Result(rows, runs)


UPLOADS = (OURS, TWINE_UPLOAD, FLOOR)


def _run(environment: Environment, index: IndexServer, command: Sequence[str], uploaded: int) -> Measured:
    """Run a command with an empty index, and make sure that it holds ``uploaded`` files then."""
    index.emptied()
    measured = environment.measure(environment.folder("P12"), command, **CREDENTIALS)
    assert index.folder is not None
    count = sum(path.is_file() for path in index.folder.rglob("*"))
    if count != uploaded:
        raise RuntimeError(f"{count} instead of {uploaded} files are on the index after {command}.")
    return measured


def _second_plan(environment: Environment, folder: Path) -> float:
    """Return the seconds of the second plan in a process, the median of some processes."""
    result = folder / "seconds.json"
    script = [str(BASELINE / "second_plan.py"), str(folder / "wheelrelay.toml"), str(result)]
    measured = []
    for _ in range(environment.runs):
        environment.measure(folder, [_python(environment), *script], **CREDENTIALS)
        measured.append(float(json.loads(result.read_text())))
    return median(measured)


def _python(environment: Environment) -> str:
    """Return the Python that wheelrelay is installed for."""
    return str(Path(environment.wheelrelay()[0]).with_name("python"))
