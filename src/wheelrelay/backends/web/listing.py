"""A plain HTML page of links, such as the folder listing of a web server, as a source.

It is read as ``pip --find-links`` reads it: only the URLs of links matter, not the layout of the page. So the
listings of nginx, Apache and OpenStack Swift are all supported, and hand-written pages too.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import closing, contextmanager
from typing import Literal
from urllib.parse import parse_qs, unquote, urlsplit

from packaging.utils import NormalizedName, canonicalize_name
from pydantic import Field

from wheelrelay.backends.credentials import CredentialRequest, certificates, listing_auth
from wheelrelay.backends.credentials.config import LoginConfig
from wheelrelay.backends.web.files import LinkedFiles
from wheelrelay.backends.web.pages import (
    Link,
    canonical_url,
    companions_of,
    fetch_page,
    iter_links,
    link_to_file,
    parse_html,
    without_duplicates,
)
from wheelrelay.config import WebAddress
from wheelrelay.errors import BackendError, InvalidFilename
from wheelrelay.filenames import looks_like_distribution, possible_projects
from wheelrelay.http import HttpClient, display_url, origin_of
from wheelrelay.model import DistFile
from wheelrelay.protocols import Backend

logger = logging.getLogger(__name__)

ACCEPT = "text/html, application/xhtml+xml;q=0.9, */*;q=0.1"

PAGING_KEYS = frozenset({"page", "p", "marker", "offset", "start", "after", "cursor", "continuation-token"})
"""Query keys of links to the next part of a page; other keys (a sort order, for example) are ignored."""

MAX_DEPTH = 10
"""Levels of nested folders that are read; circular links look like endless nesting."""

MAX_PAGES = 10_000
"""Pages of one listing."""


class ListingConfig(LoginConfig):
    """A page of links to distribution files, which is only read."""

    type: Literal["listing"] = "listing"
    url: WebAddress = Field(description="URL of the page.")
    recursive: bool = Field(
        default=False,
        description="Also read the folders below the page that it links to.",
    )

    def address(self) -> str:
        """Return the URL."""
        return self.url

    @contextmanager
    def open(self) -> Iterator[Backend]:
        """Connect; no request is sent yet.

        Credentials are looked up as `wheelrelay.backends.credentials` describes.

        Raises:
            ConfigError: a certificate does not exist.
        """
        ca_cert, client_cert = certificates(None, self.ca_cert, self.client_cert)
        client = HttpClient(
            ca_cert=ca_cert,
            client_cert=client_cert,
            allow_insecure=self.allow_insecure,
            own_urls=(self.url,),
            timeout=self.timeout,
        )
        auth = listing_auth(CredentialRequest(self._account(), self.url)).for_project()
        with closing(client) as http:
            yield ListingSource(http.with_auth(auth, self.url), self.url, recursive=self.recursive)


class ListingSource(LinkedFiles):
    """The distribution files that a page links to.

    Args:
        http: the client.
        url: the URL of the page.
        recursive: also read the folders below it.
    """

    def __init__(self, http: HttpClient, url: str, *, recursive: bool = False) -> None:
        super().__init__(http)
        self._url = url
        self._recursive = recursive
        self._warned: set[str] = set()
        self._lock = threading.Lock()

    def iter_files(self, project: str | None) -> Iterator[DistFile]:
        """Yield the linked files; see `wheelrelay.protocols.Source`.

        All pages are read before the first file is yielded. Invalid filenames that look like distributions
        are logged as warnings, once.

        Raises:
            NotFound: the page does not exist.
            BackendError: a page cannot be read or is not HTML; the result is never empty instead.
            IntegrityError: one filename has two URLs, and no sha256 proves that they are the same.
        """
        name = canonicalize_name(project) if project is not None else None
        selected = (file for file in self._files(lambda _: [name]) if name is None or file.project == name)
        yield from without_duplicates(selected, self._url)

    def iter_files_of(self, projects: Collection[str]) -> Iterator[DistFile]:
        """Yield the linked files of some projects, from one read of the pages; see `iter_files`."""
        wanted = {canonicalize_name(project) for project in projects}

        def candidates(filename: str) -> list[NormalizedName | None]:
            return [project for project in possible_projects(filename) if project in wanted] or [None]

        selected = (file for file in self._files(candidates) if file.project in wanted)
        yield from without_duplicates(selected, self._url)

    def _files(self, projects_of: Callable[[str], Iterable[NormalizedName | None]]) -> Iterator[DistFile]:
        """Yield the files that all pages link to.

        Args:
            projects_of: Returns the projects that a file of this name may belong to; ``None`` for any.
        """
        walk = _Walk(self.http, self._url, recursive=self._recursive)
        links = list(walk.links())
        companions = companions_of(links)
        distributions = [link for link in links if looks_like_distribution(link.name)]
        if walk.unread and not distributions:
            self._warn(
                f"{display_url(self._url)} links to no distribution files, but to {walk.unread} folders. "
                "Set recursive = true to read them, or use index+https://... if it is a package index."
            )
        for link in distributions:
            for project in projects_of(link.name):
                try:
                    yield link_to_file(link, project, companions.get(link.url, ()))
                except InvalidFilename as error:
                    self._warn(f"{display_url(self._url)}: ignored: {error}")

    def _warn(self, message: str) -> None:
        with self._lock:
            is_new = message not in self._warned
            self._warned.add(message)
        if is_new:
            logger.warning("%s", message)


class _Walk:
    """One traversal of a listing: its page, its further pages, and the folders below it.

    Attributes:
        unread: the number of folders that were seen and not read.
    """

    def __init__(self, http: HttpClient, url: str, *, recursive: bool) -> None:
        self._http = http
        self._recursive = recursive
        self._root = ""
        self._queue = deque([canonical_url(url)])
        self._seen = set(self._queue)
        self._folders: set[str] = set()

    @property
    def unread(self) -> int:
        return 0 if self._recursive else len(self._folders)

    def links(self) -> Iterator[Link]:
        """Yield all links that lead neither to a folder nor to another page of the listing."""
        while self._queue:
            requested = self._queue.popleft()
            page = fetch_page(self._http, requested, {"Accept": ACCEPT}, same_host=bool(self._root))
            url = canonical_url(page.url)
            self._root = self._root or _folder_of(url)
            if not self._is_below(_folder_of(url)):
                raise BackendError(
                    f"{display_url(requested)} redirects to {display_url(url)}, "
                    "which is outside of the listing."
                )
            for link in iter_links(parse_html(page)):
                if self._is_next_page(url, link):
                    self._follow(link.url)
                elif urlsplit(link.url).path.endswith("/"):
                    self._note_folder(link.url)
                else:
                    yield link

    def _is_next_page(self, page_url: str, link: Link) -> bool:
        """Return whether a link on a page leads to the next part of it."""
        page, target = urlsplit(page_url), urlsplit(link.url)
        if "next" in link.attributes.get("rel", "").lower().split():
            return self._is_below(_folder_of(link.url))
        same_path = page.path == target.path and origin_of(page_url) == origin_of(link.url)
        return same_path and not PAGING_KEYS.isdisjoint(parse_qs(target.query[:1024]))

    def _note_folder(self, url: str) -> None:
        if urlsplit(url).query or url == self._root or not self._is_below(url):
            return
        self._folders.add(url)
        if self._recursive:
            self._follow(url)

    def _follow(self, url: str) -> None:
        if url in self._seen:
            return
        depth = urlsplit(url).path[len(urlsplit(self._root).path) :].count("/")
        if depth > MAX_DEPTH or len(self._seen) >= MAX_PAGES:
            raise BackendError(
                f"{display_url(self._root)} has more than {MAX_PAGES} pages, or more than {MAX_DEPTH} "
                "levels of folders.",
                hint="It may have circular links. Use the URL of a folder further down.",
            )
        self._seen.add(url)
        self._queue.append(url)

    def _is_below(self, url: str) -> bool:
        """Return whether ``url`` is in the root folder, even if the server decodes ``%2e%2e`` to ``..``."""
        root, path = urlsplit(self._root).path, urlsplit(url).path
        if origin_of(url) != origin_of(self._root) or not path.startswith(root):
            return False
        *folders, _ = path[len(root) :].split("/")
        return all(_is_clean(unquote(folder)) for folder in folders)


def _folder_of(url: str) -> str:
    """Return the folder that a page lists: the one that contains ``index.html``, else the page's own path."""
    parts = urlsplit(url)
    head, slash, last = parts.path.rpartition("/")
    path = head + slash if last.endswith((".html", ".htm")) else parts.path.rstrip("/") + "/"
    return parts._replace(path=path, query="").geturl()


def _is_clean(folder: str) -> bool:
    return (
        folder not in ("", ".", "..") and folder.isprintable() and not any(sign in folder for sign in "/\\")
    )
