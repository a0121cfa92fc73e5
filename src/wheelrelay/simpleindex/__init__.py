"""The static Simple API: pages that make an index of a folder of files, on any web server.

Pure functions: descriptions of files in, bytes of pages out, and back. All addresses are relative, so
that the pages work below any prefix and behind any host name.
"""

from wheelrelay.simpleindex.documents import (
    parse_project_document,
    parse_root_document,
    project_document,
    root_document,
)
from wheelrelay.simpleindex.entry import IndexedFile
from wheelrelay.simpleindex.html import flat_page, project_page, root_page

__all__ = [
    "IndexedFile",
    "flat_page",
    "parse_project_document",
    "parse_root_document",
    "project_document",
    "project_page",
    "root_document",
    "root_page",
]
