"""Releases of real projects, as PyPI lists them: which wheels they have, and their Requires-Python."""

import json
from functools import cache
from pathlib import Path

from wheelrelay.filenames import dist_file
from wheelrelay.model import DistFile, Release
from wheelrelay.select import releases_of


@cache
def published_releases(project: str) -> list[Release]:
    """Return the last releases of a project, older ones first."""
    text = Path(__file__).with_name("published_releases.json").read_text(encoding="utf-8")
    return releases_of(
        file
        for group in json.loads(text)[project]
        for version in group["versions"]
        for file in _files(project, version, group)
    )


def _files(project: str, version: str, group: dict) -> list[DistFile]:
    name = f"{project.replace('-', '_')}-{version}"
    names = [
        f"{name}-{python}-{platform}.whl"
        for platform, pythons in group["wheels"].items()
        for python in pythons.split()
    ]
    names += [f"{name}.tar.gz"] if group["sdist"] else []
    yanked = "" if group.get("yanked") else None
    return [
        dist_file(filename, requires_python=group["requires_python"], yanked=yanked) for filename in names
    ]
