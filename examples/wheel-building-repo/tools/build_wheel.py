"""Build the wheel of the checked-out commit for the Python that runs this script, without containers.

python tools/build_wheel.py

Builds the library, links the wheel against it and repairs the wheel. Then removes the sources and the
library, and runs the project's tests with the wheel in a clean environment. The wheel is in dist.
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
    """Build, repair and test."""
    # With the time of the commit in all archives, the same commit builds identical files.
    os.environ["SOURCE_DATE_EPOCH"] = EPOCH.read_text(encoding="utf-8").strip()
    build_library.main()
    repaired = repair(build(), DIST)
    if sys.platform == "linux":
        run("auditwheel", "show", str(repaired))
    remove_sources()
    test(str(repaired))


def build() -> Path:
    """Build the wheel, which still depends on the external library, and return its path."""
    output = BUILD / "unrepaired"
    shutil.rmtree(output, ignore_errors=True)
    build_wheel = ["-m", "build", "--wheel", "--outdir", str(output), str(SOURCE)]
    run(sys.executable, *build_wheel, SKYTIME_PREFIX=str(PREFIX))
    (wheel,) = output.glob("*.whl")
    return wheel


def remove_sources() -> None:
    """Remove the sources and the library, except for the tests: a wheel that needs them fails its tests."""
    shutil.rmtree(TESTS, ignore_errors=True)
    shutil.copytree(SOURCE / "tests", TESTS)
    for folder in (SOURCE, PREFIX, BUILD / "library", BUILD / "unrepaired"):
        shutil.rmtree(folder)


def test(requirement: str, *options: str) -> None:
    """Install a wheel into a clean environment, and run the project's tests there.

    Args:
        requirement: the wheel for pip to install, without dependencies.
        options: further options of pip.
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
