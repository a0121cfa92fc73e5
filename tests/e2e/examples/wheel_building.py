"""The repository that builds wheels, for the tests of it: where it is, and which commits it can build."""

import shutil
from pathlib import Path

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "examples" / "wheel-building-repo"

COMMITS = {
    "v1.0.0": "a3bbd8d08e87ae61f2232d7de71a71e52d161665",
    "v1.1.0": "a422363148682be2d140fcb92b531514940b6629",
    "main": "1c5926f52af6ea22485a49db0b4a05543ccf51f3",
    "1.0.x": "8eed135a4064e734b8a31eb6993283e7de9c04ad",
}
LATEST = COMMITS["v1.1.0"]


def copied(folder: Path) -> Path:
    """The example as somebody copies it, without what was made in it."""
    copy = folder / "wheels"
    shutil.copytree(EXAMPLE, copy, ignore=shutil.ignore_patterns(".venv", "build", "dist", "__pycache__"))
    return copy
