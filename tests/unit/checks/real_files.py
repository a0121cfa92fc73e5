"""Real distribution files of PyPI, for long tests; kept in a cache folder outside of the checkout."""

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
"""Found when this is imported: tests have a home folder of their own."""

FRESH = 7 * 24 * 3600
"""Seconds for which a project's page is kept; files are kept for good."""

OUT_OF_REACH = (requests.ConnectionError, requests.Timeout)


@dataclass(frozen=True, slots=True)
class RealFile:
    """A file as its project's page lists it."""

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
        """The files of a project; none if there is no such project."""
        page = CACHE / "pages" / f"{project}.json"
        if not page.exists() or time.time() - page.stat().st_mtime > FRESH:
            _write(page, json.dumps(self._read(project)).encode())
        return [
            RealFile(**{**known, "uploaded": datetime.fromisoformat(known["uploaded"])})
            for known in json.loads(page.read_bytes())
        ]

    def fetch(self, file: RealFile) -> Path:
        """The file on this machine, under its own name in a folder of its own."""
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
    """The files of PyPI; a test that needs them is skipped where PyPI is out of reach."""
    with PyPISimple() as client:
        try:
            client.s.head(client.endpoint, timeout=20)
        except OUT_OF_REACH as error:
            pytest.skip(f"PyPI is out of reach: {type(error).__name__}")
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
