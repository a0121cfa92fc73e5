"""Real distribution files of PyPI for long tests, cached outside the checkout."""

import hashlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from pypi_simple import ACCEPT_JSON_ONLY, DistributionPackage, NoSuchProjectError, PyPISimple

CACHE = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "wheelrelay-tests"
"""Computed on import, since each test has another home folder."""

FRESH = 7 * 24 * 3600
"""Seconds for which a project's page is cached; files are cached forever."""

UNREACHABLE = (requests.ConnectionError, requests.Timeout)


@dataclass(frozen=True, slots=True)
class RealFile:
    """A file on the page of its project."""

    project: str
    filename: str
    sha256: str
    size: int
    url: str
    uploaded: datetime
    yanked: bool


class RealFiles:
    """The files of PyPI.

    Args:
        client: reads the pages.
    """

    def __init__(self, client: PyPISimple) -> None:
        self._client = client

    def of(self, project: str) -> list[RealFile]:
        """Return the files of a project; none if it does not exist."""
        page = CACHE / "pages" / f"{project}.json"
        if not page.exists() or time.time() - page.stat().st_mtime > FRESH:
            _write(page, json.dumps(self._read(project)).encode())
        return [
            RealFile(**{**known, "uploaded": datetime.fromisoformat(known["uploaded"])})
            for known in json.loads(page.read_bytes())
        ]

    def fetch(self, file: RealFile) -> Path:
        """Download a file, unless it is cached, and return its path."""
        path = CACHE / "files" / file.sha256 / file.filename
        if not path.exists():
            answer = self._client.s.get(file.url, timeout=60)
            answer.raise_for_status()
            assert hashlib.sha256(answer.content).hexdigest() == file.sha256
            _write(path, answer.content)
        return path

    def _read(self, project: str) -> list[dict[str, Any]]:
        try:
            page = self._client.get_project_page(project, timeout=20, accept=ACCEPT_JSON_ONLY)
        except NoSuchProjectError:
            return []
        return [_described(project, package) for package in page.packages if package.upload_time]


@contextmanager
def real_files() -> Iterator[RealFiles]:
    """Yield the files of PyPI; skip the test if PyPI cannot be reached."""
    with PyPISimple() as client:
        try:
            client.s.head(client.endpoint, timeout=20)
        except UNREACHABLE as error:
            pytest.skip(f"PyPI cannot be reached: {type(error).__name__}")
        yield RealFiles(client)


def _described(project: str, package: DistributionPackage) -> dict[str, Any]:
    assert package.upload_time
    return {
        "project": project,
        "filename": package.filename,
        "sha256": package.digests["sha256"],
        "size": package.size,
        "url": package.url,
        "uploaded": package.upload_time.isoformat(),
        "yanked": package.is_yanked,
    }


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_bytes(content)
    temporary.replace(path)
