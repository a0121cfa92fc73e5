"""An index of small projects, as PyPI serves it to mirrors: ``python -m ... FOLDER PORT PUBLIC_PORT``.

``FOLDER/PROJECT/FILE`` are the files. The server has the Simple API in JSON (PEP 691) with the serials that
bandersnatch reads, the legacy ``/pypi/PROJECT/json``, and the files below ``/packages/``. Documents are made
once, at the start. Their addresses have the port that clients use.
"""

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.benchmarks.servers.web import HOST, Exchange, serve

SIMPLE_JSON = "application/vnd.pypi.simple.v1+json"
SERIAL = 1
UPLOADED = "2026-01-02T03:04:05.000000Z"
PYTHON = ">=3.8"


class Index:
    """Answers with the documents and files of all projects."""

    def __init__(self, folder: Path, public_port: int) -> None:
        self._folder = folder
        self._packages = f"http://{HOST}:{public_port}/packages/"
        self._simple: dict[str, bytes] = {}
        self._legacy: dict[str, bytes] = {}
        for project in sorted(path.name for path in folder.iterdir()):
            files = [_described(path) for path in sorted((folder / project).iterdir())]
            self._simple[project] = _simple(project, files)
            self._legacy[project] = self._legacy_document(project, files)
        meta = {"api-version": "1.1", "_last-serial": SERIAL}
        projects = [{"name": project, "_last-serial": SERIAL} for project in self._simple]
        self._root = json.dumps({"meta": meta, "projects": projects}).encode()

    def handle(self, exchange: Exchange) -> None:
        """Answer one request."""
        match exchange.path.partition("?")[0].strip("/").split("/"):
            case ["simple"]:
                exchange.answer(self._root, content_type=SIMPLE_JSON)
            case ["simple", project] if project in self._simple:
                exchange.answer(self._simple[project], content_type=SIMPLE_JSON)
            case ["pypi", project, "json"] if project in self._legacy:
                serial = {"X-PyPI-Last-Serial": str(SERIAL)}
                exchange.answer(self._legacy[project], content_type="application/json", headers=serial)
            case ["packages", project, filename]:
                exchange.answer_file(self._folder / project / filename)
            case _:
                exchange.answer(status=404)

    def _legacy_document(self, project: str, files: Sequence[Mapping[str, Any]]) -> bytes:
        releases: dict[str, list[dict[str, Any]]] = {}
        for file in files:
            releases.setdefault(file["version"], []).append(self._legacy_file(project, file))
        newest = max(releases)
        info = {"name": project, "version": newest, "yanked": False}
        document = {"info": info, "last_serial": SERIAL, "releases": releases, "urls": releases[newest]}
        return json.dumps(document).encode()

    def _legacy_file(self, project: str, file: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "filename": file["filename"],
            "url": f"{self._packages}{project}/{file['filename']}",
            "digests": {"sha256": file["sha256"], "md5": file["md5"]},
            "md5_digest": file["md5"],
            "size": file["size"],
            "packagetype": "bdist_wheel",
            "python_version": "py3",
            "requires_python": PYTHON,
            "yanked": False,
            "yanked_reason": None,
            "upload_time": UPLOADED[:19],
            "upload_time_iso_8601": UPLOADED,
            "has_sig": False,
            "comment_text": "",
            "downloads": -1,
        }


def _described(path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    return {
        "filename": path.name,
        "version": path.name.split("-")[1],
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "md5": hashlib.md5(content, usedforsecurity=False).hexdigest(),
    }


def _simple(project: str, files: Sequence[Mapping[str, Any]]) -> bytes:
    entries = [
        {
            "filename": file["filename"],
            "url": f"../../packages/{project}/{file['filename']}",
            "hashes": {"sha256": file["sha256"]},
            "size": file["size"],
            "requires-python": PYTHON,
            "yanked": False,
            "upload-time": UPLOADED,
            "core-metadata": False,
        }
        for file in files
    ]
    meta = {"api-version": "1.1", "_last-serial": SERIAL}
    versions = sorted({file["version"] for file in files})
    return json.dumps({"meta": meta, "name": project, "versions": versions, "files": entries}).encode()


if __name__ == "__main__":
    folder, port, public_port = sys.argv[1:]
    serve(int(port), Index(Path(folder), int(public_port)).handle)
