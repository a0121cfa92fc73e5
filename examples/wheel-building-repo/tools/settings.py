"""Settings of the build, and the paths of its files.

python tools/settings.py NAME

Prints a setting for a shell or for cibuildwheel: project, prefix, commit or epoch. The tools need only the
standard library and support old Pythons, because a manylinux container initially has no other.
"""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"
BUILD = ROOT / "build"
SOURCE = BUILD / "source"
PREFIX = BUILD / "prefix"
TESTS = BUILD / "tests"
COMMIT = BUILD / "commit"
EPOCH = BUILD / "epoch"


def setting(name: str) -> str:
    """Return the value of a variable from the environment, or else from build.env."""
    lines = (ROOT / "build.env").read_text(encoding="utf-8").splitlines()
    known = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    return (os.environ.get(name, "").strip() or known[name]).strip()


def main(name: str) -> None:
    """Print one setting."""
    if name in ("commit", "epoch") and not COMMIT.is_file():
        sys.exit("No commit is checked out. Run `python tools/checkout.py` first.")
    if name == "project":
        print(setting("PROJECT"))
    elif name == "prefix":
        print(PREFIX)
    elif name == "commit":
        print(COMMIT.read_text(encoding="utf-8").strip())
    elif name == "epoch":
        print(EPOCH.read_text(encoding="utf-8").strip())
    else:
        sys.exit(f"Unknown setting {name!r}; use project, prefix, commit or epoch.")


if __name__ == "__main__":
    main(*sys.argv[1:])
