"""Build the sdist of the checked-out commit in dist.

python tools/build_sdist.py
"""

import gzip
import sys
import tarfile
import tempfile
from pathlib import Path

from run import run
from settings import DIST, EPOCH, SOURCE


def main() -> None:
    """Build the sdist, and set its timestamps to the time of the commit."""
    epoch = int(EPOCH.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        run(sys.executable, "-m", "build", "--sdist", "--outdir", folder, str(SOURCE))
        (built,) = Path(folder).glob("*.tar.gz")
        DIST.mkdir(exist_ok=True)
        normalize(built, DIST / built.name, epoch)


def normalize(built: Path, target_path: Path, epoch: int) -> None:
    """Rewrite an sdist without builder and time, so that the same commit always builds identical files."""
    with (
        tarfile.open(built) as source,
        target_path.open("wb") as stream,
        gzip.GzipFile("", "wb", fileobj=stream, mtime=epoch) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as target,
    ):
        for member in sorted(source.getmembers(), key=lambda member: member.name):
            member.mtime, member.pax_headers = epoch, {}
            member.uid = member.gid = 0
            member.uname = member.gname = ""
            target.addfile(member, source.extractfile(member) if member.isfile() else None)


if __name__ == "__main__":
    main()
