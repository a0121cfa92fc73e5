"""Copy the C library into a wheel, so that it depends only on libraries that its platform guarantees.

python tools/repair.py WHEEL FOLDER
"""

import os
import re
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path

from run import run
from settings import PREFIX

TOOLS = {
    # A manylinux image names its platform; otherwise, the local glibc determines it.
    "linux": ["auditwheel", "repair", "--plat", os.environ.get("AUDITWHEEL_PLAT", "auto")],
    "darwin": ["delocate-wheel", "--verbose"],
    "win32": ["delvewheel", "repair", "--add-path", str(PREFIX / "bin")],
}

LIBRARY = re.compile(r"(^|/)[^/]*\.(libs|dylibs)/[^/]*skytime[^/]*$")
"""The path of the copied library in a wheel."""


def repair(wheel: Path, folder: Path) -> Path:
    """Write the repaired wheel into a folder, and return its path."""
    tool, *options = TOOLS[sys.platform]
    with tempfile.TemporaryDirectory() as made:
        run(tool, *options, "--wheel-dir", made, str(wheel))
        (repaired,) = Path(made).glob("*.whl")
        with zipfile.ZipFile(repaired) as archive:
            inside = [name for name in archive.namelist() if LIBRARY.search(name)]
        if not inside:
            sys.exit(f"{repaired.name} does not contain the library skytime; is it linked statically?")
        folder.mkdir(parents=True, exist_ok=True)
        kept = Path(shutil.copy2(repaired, folder))
    print(f"{kept.name} contains {', '.join(inside)}")
    return kept


if __name__ == "__main__":
    repair(Path(sys.argv[1]), Path(sys.argv[2]))
