"""What the index pages of a container say of its files: a memory, and no authority."""

from packaging.utils import canonicalize_name

from wheelrelay.containers.index_pages import (
    IndexedFile,
    is_own_root,
    parse_project_document,
    parse_root_document,
)
from wheelrelay.containers.io import read_whole
from wheelrelay.containers.objects import ReadableObjects
from wheelrelay.containers.pages import DOCUMENT, LARGEST, ROOT
from wheelrelay.errors import NotFound


def has_own_pages(objects: ReadableObjects) -> bool:
    """Whether there are pages that this program keeps, and not pages of another one.

    Raises:
        BackendError: that cannot be found out.
    """
    try:
        return is_own_root(read_whole(objects, ROOT + DOCUMENT, limit=LARGEST))
    except NotFound:
        return False


def read_document(objects: ReadableObjects, project: str | None) -> list[IndexedFile]:
    """The files of ``project``, or all, as the pages tell of them; none where there is no page.

    Raises:
        BackendError: the page cannot be read.
    """
    folder = "" if project is None else f"{canonicalize_name(project)}/"
    try:
        content = read_whole(objects, f"{ROOT}{folder}{DOCUMENT}", limit=LARGEST)
    except NotFound:
        return []
    return parse_root_document(content) if project is None else parse_project_document(content)
