"""Read the stored index pages of a container."""

from collections.abc import Collection
from functools import partial

from packaging.utils import canonicalize_name

from wheelrelay.containers.index_pages import IndexedFile, is_own_root_json, parse_project_json, parse_root
from wheelrelay.containers.objects import ReadableObjects, read_whole
from wheelrelay.containers.parallel import map_parallel
from wheelrelay.errors import NotFound

SIMPLE_ROOT = "simple/"
FLAT_PAGE = "index.html"
HTML_PAGE = "index.html"
JSON_PAGE = "index.json"

MAX_PAGE = 1 << 28
"""Largest page in bytes that is read or written."""


def has_own_pages(objects: ReadableObjects) -> bool:
    """Whether a container has pages that wheelrelay wrote, and not another program.

    Raises:
        BackendError: The root page cannot be read.
    """
    content = _read(objects, SIMPLE_ROOT + JSON_PAGE)
    return content is not None and is_own_root_json(content)


def read_pages(objects: ReadableObjects, projects: Collection[str] | None) -> list[IndexedFile]:
    """Return the files of ``projects``, or of all, as the pages list them; empty without pages.

    The root document of a small container lists all files; otherwise the documents of the projects are read.

    Raises:
        BackendError: A page cannot be read.
    """
    wanted = None if projects is None else {canonicalize_name(project) for project in projects}
    if wanted is not None and len(wanted) == 1:
        return _read_project(objects, *wanted)
    content = _read(objects, SIMPLE_ROOT + JSON_PAGE)
    if content is None:
        return []
    root = parse_root(content)
    if root.files:
        return root.files
    names = [name for name in sorted(root.fingerprints) if wanted is None or name in wanted]
    pages = map_parallel(partial(_read_project, objects), names)
    return [entry for entries in pages for entry in entries]


def _read_project(objects: ReadableObjects, project: str) -> list[IndexedFile]:
    content = _read(objects, f"{SIMPLE_ROOT}{project}/{JSON_PAGE}")
    return [] if content is None else parse_project_json(content)


def _read(objects: ReadableObjects, name: str) -> bytes | None:
    try:
        return read_whole(objects, name, limit=MAX_PAGE)
    except NotFound:
        return None
