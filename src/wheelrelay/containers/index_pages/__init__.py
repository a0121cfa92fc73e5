"""The static Simple API: pages that make a folder of files an index, on any web server.

Pure functions: descriptions of files in, bytes of pages out, and back. All addresses are relative, so the
pages work below any prefix and host name.
"""

from wheelrelay.containers.index_pages.about import NOT_DESCRIBED, About, described_file
from wheelrelay.containers.index_pages.entry import IndexedFile, is_sha256
from wheelrelay.containers.index_pages.html import flat_html, flat_projects_html, project_html, root_html
from wheelrelay.containers.index_pages.json_form import (
    Root,
    is_own_root_json,
    parse_about,
    parse_project_json,
    parse_root,
    project_json,
    root_json,
)

__all__ = [
    "NOT_DESCRIBED",
    "About",
    "IndexedFile",
    "Root",
    "described_file",
    "flat_html",
    "flat_projects_html",
    "is_own_root_json",
    "is_sha256",
    "parse_about",
    "parse_project_json",
    "parse_root",
    "project_html",
    "project_json",
    "root_html",
    "root_json",
]
