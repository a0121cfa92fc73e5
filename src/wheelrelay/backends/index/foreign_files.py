"""What an index shows that is not its own: pages by a redirect to another origin, files of a base index.

Three servers do this. GitLab and pypiserver forward projects that they do not have to PyPI. Pulp keeps the
pages of a project on the host that serves the files. devpi lists the files of the indexes that one builds
upon.
"""

import logging
import re
from functools import cache
from urllib.parse import unquote, urlsplit

from wheelrelay.http import display_url

logger = logging.getLogger(__name__)

PUBLIC_HOSTS = ("pypi.org", "test.pypi.org", "pypi.python.org")
"""Where indexes forward projects to that they do not have."""

_GENERIC = ("simple", "+simple", "pypi", "api", "packages", "index", "root", "repository", "content")
"""Folders of addresses that do not name one index."""

_DEVPI_FILE = re.compile(r"/(?P<index>[^/]+/[^/]+)/\+[ef]/")


def forwards_to_public_index(url: str, target: str) -> bool:
    """Whether a redirect means that the index does not have the project, and that PyPI may have it.

    Args:
        url: a page of the index.
        target: where it redirects to.
    """
    return _host(target) in PUBLIC_HOSTS and _host(url) not in PUBLIC_HOSTS


def is_own_page(url: str, target: str) -> bool:
    """Whether a redirect to another origin leads to the same page of the same index.

    It does if the paths end alike with a folder that names the index, as with Pulp, where
    ``/pypi/company/simple/sample/`` leads to ``/pulp/content/company/simple/sample/`` of another host.
    An index that forwards unknown projects to another index has no such folder in common with it.
    """
    here, there = (unquote(urlsplit(each).path).strip("/").split("/") for each in (url, target))
    shared = 0
    while shared < min(len(here), len(there)) and here[-1 - shared] == there[-1 - shared]:
        shared += 1
    folders = here[-shared:-1] if shared else []  # without the project's own
    return any(folder.lower() not in _GENERIC for folder in folders)


def is_inherited(index_url: str, file_url: str) -> bool:
    """Whether devpi lists a file that another index keeps, which the index builds upon.

    Args:
        index_url: the Simple API of the index.
        file_url: where the file is.

    >>> index = "https://devpi.example.org/team/prod/+simple/"
    >>> is_inherited(index, "https://devpi.example.org/team/dev/+f/0a1/b2c/sample-1.0.tar.gz")
    True
    >>> is_inherited(index, "https://devpi.example.org/team/prod/+f/0a1/b2c/sample-1.0.tar.gz")
    False
    """
    own = urlsplit(index_url).path.partition("/+simple")
    found = _DEVPI_FILE.search(urlsplit(file_url).path)
    return bool(own[1] and found) and not own[0].endswith("/" + found["index"])  # type: ignore[index]


@cache
def say_that_it_forwards(url: str, host: str) -> None:
    """Log, once for each page, that an index forwards a project that it does not have."""
    logger.warning(
        "%s redirects to %s: the index does not have the project and forwards it, so nothing there counts as "
        "its own. To switch forwarding off, GitLab: Settings > Packages and registries; pypiserver: "
        "--disable-fallback.",
        display_url(url),
        host,
    )


@cache
def say_that_it_inherits(index_url: str, count: int) -> None:
    """Log, once, that files which an index only inherits do not count as published there."""
    logger.info(
        "%s lists %d files of the indexes that it builds upon; they do not count as published there.",
        display_url(index_url),
        count,
    )


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").lower()
