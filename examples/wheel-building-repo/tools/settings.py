"""What is built, and where its parts lie.

python tools/settings.py NAME

prints one of them, for a shell or for cibuildwheel: project, prefix, commit or epoch. The tools need nothing
but the standard library of a Python that may be old: a manylinux container has no other at first.
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
    """The value of a variable: the environment's, or the one that build.env gives."""
    lines = (ROOT / "build.env").read_text(encoding="utf-8").splitlines()
    known = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    return (os.environ.get(name, "").strip() or known[name]).strip()


def main(name: str) -> None:
    """Print one setting."""
    if name in ("commit", "epoch") and not COMMIT.is_file():
        sys.exit("Nothing is checked out yet: run python tools/checkout.py first.")
    if name == "project":
        print(setting("PROJECT"))
    elif name == "prefix":
        print(PREFIX)
    elif name == "commit":
        print(COMMIT.read_text(encoding="utf-8").strip())
    elif name == "epoch":
        print(EPOCH.read_text(encoding="utf-8").strip())
    else:
        sys.exit(f"There is no {name!r} here, only: project, prefix, commit, epoch.")


if __name__ == "__main__":
    main(*sys.argv[1:])
