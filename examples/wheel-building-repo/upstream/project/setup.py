"""The part of the build that pyproject.toml cannot say: where the library skytime is."""

import os
import sys
from pathlib import Path

from setuptools import Extension, setup


def skytime(prefix: str) -> dict[str, list[str]]:
    """How to compile and link against the library.

    Args:
        prefix: where the library is installed; if empty, where the compiler looks by itself.
    """
    if not prefix:
        return {"libraries": ["skytime"]}
    folder = str(Path(prefix, "lib"))
    return {
        "libraries": ["skytime"],
        "include_dirs": [str(Path(prefix, "include"))],
        "library_dirs": [folder],
        "runtime_library_dirs": [] if sys.platform == "win32" else [folder],
    }


INSTALLED = skytime(os.environ.get("SKYTIME_PREFIX", ""))

setup(ext_modules=[Extension("skyclock._skytime", ["src/skyclock/_skytime.c"], **INSTALLED)])
