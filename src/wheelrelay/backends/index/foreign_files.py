"""Detect pages and files that an index shows but does not own.

GitLab and pypiserver redirect unknown projects to PyPI. Pulp serves the pages of a project from its content
host. devpi lists the files of its base indexes.
"""

import logging
import re
from functools import cache
from urllib.parse import unquote, urlsplit

from wheelrelay.http import display_url

logger = logging.getLogger(__name__)

PUBLIC_HOSTS = ("pypi.org", "test.pypi.org", "pypi.python.org")
"""Hosts that indexes redirect unknown projects to."""

_GENERIC_FOLDERS = (
    "simple",
    "+simple",
    "pypi",
    "api",
    "packages",
    "index",
    "root",
    "repository",
    "content",
)
"""Folders in URLs that do not identify one index."""

_DEVPI_FILE = re.compile(r"/(?P<index>[^/]+/[^/]+)/\+[ef]/")


def redirects_to_public_index(url: str, target: str) -> bool:
    """Return whether a redirect means that the index does not have the project, although PyPI may.

    Args:
        url: a page of the index.
        target: the URL that it redirects to.
    """
    return _host(target) in PUBLIC_HOSTS and _host(url) not in PUBLIC_HOSTS


def is_own_page(url: str, target: str) -> bool:
    """Return whether a redirect to another origin leads to the same page of the same index.

    It does if both paths end alike, with a folder that identifies the index. With Pulp,
    ``/pypi/company/simple/sample/`` redirects to ``/pulp/content/company/simple/sample/`` on another host.
    An index that redirects unknown projects to another index has no such folder in common with it.
    """
    path, target_path = (unquote(urlsplit(page).path).strip("/").split("/") for page in (url, target))
    shared = 0
    while shared < min(len(path), len(target_path)) and path[-1 - shared] == target_path[-1 - shared]:
        shared += 1
    folders = path[-shared:-1] if shared else []  # the last one is the project
    return any(folder.lower() not in _GENERIC_FOLDERS for folder in folders)


def is_inherited(index_url: str, file_url: str) -> bool:
    """Return whether devpi lists a file that belongs to a base index.

    Args:
        index_url: the URL of the index's Simple API.
        file_url: the URL of the file.

    >>> index = "https://devpi.example.org/team/prod/+simple/"
    >>> is_inherited(index, "https://devpi.example.org/team/dev/+f/0a1/b2c/sample-1.0.tar.gz")
    True
    >>> is_inherited(index, "https://devpi.example.org/team/prod/+f/0a1/b2c/sample-1.0.tar.gz")
    False
    """
    index_path, marker, _ = urlsplit(index_url).path.partition("/+simple")
    match = _DEVPI_FILE.search(urlsplit(file_url).path)
    return bool(marker and match) and not index_path.endswith("/" + match["index"])  # type: ignore[index]


@cache
def warn_of_redirect(url: str, host: str) -> None:
    """Log a warning, once per page, that an index redirects a project that it does not have."""
    logger.warning(
        "%s redirects to %s: the index does not have the project, so the files there are ignored. To "
        "disable the redirect: GitLab, Settings > Packages and registries; pypiserver, --disable-fallback.",
        display_url(url),
        host,
    )


@cache
def log_inherited_files(index_url: str, count: int) -> None:
    """Log, once, that the files of base indexes are ignored."""
    logger.info(
        "%s lists %d files of its base indexes; they do not count as published there.",
        display_url(index_url),
        count,
    )


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").lower()
