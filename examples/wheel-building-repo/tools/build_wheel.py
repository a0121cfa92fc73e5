"""Build the wheel of what is checked out, for the Python that runs this and without containers.

python tools/build_wheel.py

The library is built afresh, and the wheel is linked against it and repaired. Then all that it was built from
is removed, and the project's tests are run with the wheel in an environment of its own. The wheel is in dist.
"""

import os
import shutil
import sys
import tempfile
import venv
from pathlib import Path

import build_library
from repair import repair
from run import run
from settings import BUILD, DIST, EPOCH, PREFIX, SOURCE, TESTS, setting


def main() -> None:
    """Build, repair, clear away and test."""
    # With the time of the commit in all archives, the same commit gives the same bytes.
    os.environ["SOURCE_DATE_EPOCH"] = EPOCH.read_text(encoding="utf-8").strip()
    build_library.main()
    repaired = repair(build(), DIST)
    if sys.platform == "linux":
        run("auditwheel", "show", str(repaired))
    clear_away()
    test(str(repaired))


def build() -> Path:
    """Build the wheel that still needs the library from outside; gives its path."""
    made = BUILD / "unrepaired"
    shutil.rmtree(made, ignore_errors=True)
    build_wheel = ["-m", "build", "--wheel", "--outdir", str(made), str(SOURCE)]
    run(sys.executable, *build_wheel, SKYTIME_PREFIX=str(PREFIX))
    (wheel,) = made.glob("*.whl")
    return wheel


def clear_away() -> None:
    """Keep the tests, and remove what the wheel was built from: if it needs any of it, the tests tell."""
    shutil.rmtree(TESTS, ignore_errors=True)
    shutil.copytree(SOURCE / "tests", TESTS)
    for folder in (SOURCE, PREFIX, BUILD / "library", BUILD / "unrepaired"):
        shutil.rmtree(folder)


def test(requirement: str, *options: str) -> None:
    """Install a wheel into an environment of its own, and run the project's tests there.

    Args:
        requirement: what pip is to install, without anything that it depends on.
        options: what else pip is told about that.
    """
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = str(Path(folder, "Scripts/python.exe" if sys.platform == "win32" else "bin/python"))
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        run(*pip, "--no-cache-dir", "--no-deps", *options, requirement)
        run(*pip, f"{setting('PROJECT')}[test]")
        alone = ["-c", os.devnull, "--rootdir", str(TESTS), "-p", "no:cacheprovider"]
        run(python, "-P", "-m", "pytest", "--quiet", *alone, str(TESTS))


if __name__ == "__main__":
    main()
