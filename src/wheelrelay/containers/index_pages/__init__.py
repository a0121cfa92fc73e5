"""The static Simple API: pages that make an index of a folder of files, on any web server.

Pure functions: descriptions of files in, bytes of pages out, and back. All addresses are relative, so
that the pages work below any prefix and behind any host name.
"""

from wheelrelay.containers.index_pages.entry import IndexedFile, is_sha256
from wheelrelay.containers.index_pages.html import flat_page, project_page, root_page
from wheelrelay.containers.index_pages.json_form import (
    is_own_root,
    parse_project_document,
    parse_root_document,
    project_document,
    root_document,
)

__all__ = [
    "IndexedFile",
    "flat_page",
    "is_own_root",
    "is_sha256",
    "parse_project_document",
    "parse_root_document",
    "project_document",
    "project_page",
    "root_document",
    "root_page",
]
