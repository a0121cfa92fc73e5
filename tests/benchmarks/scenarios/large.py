"""P3: one large wheel from an index to an index."""

import hashlib
from functools import partial
from pathlib import Path
from statistics import median

from tests.benchmarks import commands
from tests.benchmarks.environment import Environment
from tests.benchmarks.large_wheel import make_large_wheel
from tests.benchmarks.measure import Measured
from tests.benchmarks.table import OURS, Result, Row, compared, seconds
from tests.benchmarks.transfer import Transfer, open_transfer

SIZE = 2_000_000_000
MEMBERS = 400
TOOLS = ("curl", "sha256sum", "unzip")
BASELINE = "curl, sha256sum, unzip -tq, curl -F"
MB = 1_000_000


def large(environment: Environment) -> Result:
    """P3: 2 GB, half deflated, half stored; and the memory that takes."""
    folder = environment.folder("P3")
    files = folder / "files"
    wheel = make_large_wheel(files, size=SIZE, members=MEMBERS)
    digest = _write_page(files / "simple" / "bench", wheel)
    missing = commands.missing(TOOLS)
    with open_transfer(environment, folder, files, [wheel.name]) as transfer:
        contenders = {OURS: partial(transfer.relay, f"{transfer.source}simple/", kind="index")}
        if not missing:
            contenders = {BASELINE: partial(_baseline, transfer, digest), **contenders}
        measured = environment.compete(contenders)
    runs = seconds(measured)
    work = "one wheel of 2 GB, index to index"
    peak = median(one.peak for one in measured[OURS]) / MB
    rows = [Row("P3", f"{work}: peak memory", peak, 120, unit="MB")]
    if not missing:
        rows.insert(0, compared("P3", work, 1.2, runs, [BASELINE]))
    wheel.unlink()
    return Result(rows, runs, missing)


def _write_page(folder: Path, wheel: Path) -> str:
    """Write the project's page of the Simple API; gives the wheel's sha256."""
    folder.mkdir(parents=True)
    with wheel.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    link = f'<a href="../../{wheel.name}#sha256={digest}">{wheel.name}</a>'
    (folder / "index.html").write_text(f"<!DOCTYPE html><html><body>{link}</body></html>")
    return digest


def _baseline(transfer: Transfer, digest: str) -> Measured:
    run, index = transfer.fresh()
    name = transfer.names[0]
    quiet = ["curl", "--silent", "--show-error", "--fail"]
    form = [":action=file_upload", "protocol_version=1", f"sha256_digest={digest}", f"content=@{name}"]
    steps = [
        [*quiet, "--remote-name", f"{transfer.source}{name}"],
        ["sha256sum", name],
        ["unzip", "-tq", name],
        [*quiet, *(word for field in form for word in ("--form", field)), f"{index}legacy/"],
    ]
    return transfer.measure(steps, run, index)
