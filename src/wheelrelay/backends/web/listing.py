"""A plain HTML page of links, as web servers make of folders, as a source of distribution files.

Read as ``pip --find-links`` reads: whatever the page's layout, a link counts by where it leads. So pages
of nginx, Apache, OpenStack Swift and anybody's own are alike.
"""

import logging
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Literal
from urllib.parse import parse_qs, unquote, urlsplit

from packaging.utils import canonicalize_name
from pydantic import Field

from wheelrelay.backends.web.files import LinkedFiles
from wheelrelay.backends.web.pages import (
    Link,
    companions_of,
    each_once,
    fetch_page,
    linked_file,
    links_of,
    one_spelling,
    parse_html,
)
from wheelrelay.config import NetworkConfig, WebAddress
from wheelrelay.errors import BackendError, InvalidFilename
from wheelrelay.filenames import looks_like_distribution
from wheelrelay.http import HttpClient, display_url, origin_of
from wheelrelay.model import DistFile
from wheelrelay.protocols import Backend

logger = logging.getLogger(__name__)

ACCEPT = "text/html, application/xhtml+xml;q=0.9, */*;q=0.1"

PAGING = frozenset({"page", "p", "marker", "offset", "start", "after", "cursor", "continuation-token"})
"""Query keys by which a link to the page's own path leads to more of it, and not to another sorting."""

MAX_DEPTH = 10
"""Folders within folders that are read; a link that leads in circles looks like endless ones."""

MAX_PAGES = 10_000
"""Pages that one listing may have."""


class ListingConfig(NetworkConfig):
    """A page of links to distribution files; it is only read."""

    type: Literal["listing"] = "listing"
    url: WebAddress = Field(description="Address of the page.")
    recursive: bool = Field(
        default=False,
        description="Read the folders that the page links to as well, as far as they lie below it.",
    )

    def address(self) -> str:
        """The web address."""
        return self.url

    @contextmanager
    def open(self) -> Iterator[Backend]:
        """Connect; nothing is asked for yet."""
        with closing(HttpClient(own_urls=(self.url,), timeout=self.timeout)) as http:
            yield ListingSource(http, self.url, recursive=self.recursive)


class ListingSource(LinkedFiles):
    """The distribution files that a page links to.

    Args:
        http: how to reach it.
        url: the page's address.
        recursive: read the folders below it as well.
    """

    def __init__(self, http: HttpClient, url: str, *, recursive: bool = False) -> None:
        super().__init__(http)
        self._url = url
        self._recursive = recursive
        self._warned: set[str] = set()
        self._lock = threading.Lock()

    def iter_files(self, project: str | None) -> Iterator[DistFile]:
        """The files that are linked; see `wheelrelay.protocols.Source`.

        Everything is read before the first file is given. A name that looks like a distribution's and
        is not one is warned of, once.

        Raises:
            NotFound: there is no such page.
            BackendError: a page cannot be read or is not one of HTML; never an empty answer instead.
            IntegrityError: one name is linked at two places and no sha256 proves that they are the same.
        """
        walk = _Walk(self.http, self._url, recursive=self._recursive)
        links = list(walk.links())
        files = self._files(links, project)
        if walk.unread and not files:
            self._warn(
                f"{display_url(self._url)} has no distribution file of its own, and {walk.unread} folders "
                "that 'recursive = true' would read; if it is a package index, write it as index+https://..."
            )
        wanted = canonicalize_name(project) if project is not None else None
        meant = [file for file in files if wanted is None or file.project == wanted]
        yield from each_once(meant, self._url)

    def _files(self, links: list[Link], project: str | None) -> list[DistFile]:
        companions = companions_of(links)
        files = []
        for link in links:
            if looks_like_distribution(link.name):
                try:
                    files.append(linked_file(link, project, companions.get(link.url, ())))
                except InvalidFilename as error:
                    self._warn(f"{display_url(self._url)}: left out: {error}")
        return files

    def _warn(self, message: str) -> None:
        with self._lock:
            new = message not in self._warned
            self._warned.add(message)
        if new:
            logger.warning("%s", message)


class _Walk:
    """One reading of a listing: its page, the pages that continue it, and the folders below it.

    Attributes:
        unread: how many folders were seen and not read.
    """

    def __init__(self, http: HttpClient, url: str, *, recursive: bool) -> None:
        self._http = http
        self._recursive = recursive
        self._root = ""
        self._ahead = deque([one_spelling(url)])
        self._known = set(self._ahead)
        self._folders: set[str] = set()

    @property
    def unread(self) -> int:
        return 0 if self._recursive else len(self._folders)

    def links(self) -> Iterator[Link]:
        """All links that lead neither to a folder nor to another page of the listing."""
        while self._ahead:
            asked = self._ahead.popleft()
            page = fetch_page(self._http, asked, {"Accept": ACCEPT}, same_host=bool(self._root))
            url = one_spelling(page.url)
            self._root = self._root or _folder_of(url)
            if not self._is_below(_folder_of(url)):
                raise BackendError(
                    f"{display_url(asked)} redirects out of the listing, to {display_url(url)}."
                )
            for link in links_of(parse_html(page)):
                if self._continues(url, link):
                    self._follow(link.url)
                elif urlsplit(link.url).path.endswith("/"):
                    self._note_folder(link.url)
                else:
                    yield link

    def _continues(self, page_url: str, link: Link) -> bool:
        """Whether a link leads to more of the page that it stands on."""
        here, there = urlsplit(page_url), urlsplit(link.url)
        if "next" in link.attributes.get("rel", "").lower().split():
            return self._is_below(_folder_of(link.url))
        same_path = here.path == there.path and origin_of(page_url) == origin_of(link.url)
        return same_path and not PAGING.isdisjoint(parse_qs(there.query[:1024]))

    def _note_folder(self, url: str) -> None:
        if urlsplit(url).query or url == self._root or not self._is_below(url):
            return
        self._folders.add(url)
        if self._recursive:
            self._follow(url)

    def _follow(self, url: str) -> None:
        if url in self._known:
            return
        depth = urlsplit(url).path[len(urlsplit(self._root).path) :].count("/")
        if depth > MAX_DEPTH or len(self._known) >= MAX_PAGES:
            raise BackendError(
                f"{display_url(self._root)} does not end: it has over {MAX_PAGES} pages, or {MAX_DEPTH} "
                "folders within each other.",
                hint="A link there may lead in circles; name the folder that is meant.",
            )
        self._known.add(url)
        self._ahead.append(url)

    def _is_below(self, url: str) -> bool:
        """Whether ``url`` lies in the root's folder, also for servers that decode before they resolve."""
        root, path = urlsplit(self._root).path, urlsplit(url).path
        if origin_of(url) != origin_of(self._root) or not path.startswith(root):
            return False
        *folders, _ = path[len(root) :].split("/")
        return all(_is_clean(unquote(folder)) for folder in folders)


def _folder_of(url: str) -> str:
    """The folder whose content a page shows: that in which ``index.html`` lies, else the page's own path."""
    parts = urlsplit(url)
    head, slash, last = parts.path.rpartition("/")
    path = head + slash if last.endswith((".html", ".htm")) else parts.path.rstrip("/") + "/"
    return parts._replace(path=path, query="").geturl()


def _is_clean(folder: str) -> bool:
    return (
        folder not in ("", ".", "..") and folder.isprintable() and not any(sign in folder for sign in "/\\")
    )
