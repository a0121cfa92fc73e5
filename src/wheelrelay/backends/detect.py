"""A plain URL that is detected to be a package index or a listing."""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field

from wheelrelay.backends.index.backend import IndexReader
from wheelrelay.backends.index.simple_api import SimpleApi
from wheelrelay.backends.web.files import IndexedFiles
from wheelrelay.backends.web.listing import ListingSource
from wheelrelay.config import NetworkConfig, WebAddress
from wheelrelay.http import HttpClient
from wheelrelay.model import DistFile
from wheelrelay.protocols import Backend


class WebConfig(NetworkConfig):
    """A URL that is detected to be an index or a listing, which is only read."""

    type: Literal["web"] = "web"
    url: WebAddress = Field(description="URL of an index, or of a page of links.")

    def address(self) -> str:
        """Return the URL."""
        return self.url

    @contextmanager
    def open(self) -> Iterator[Backend]:
        """Connect; no request is sent yet."""
        with closing(HttpClient(own_urls=(self.url,), timeout=self.timeout)) as http:
            yield WebSource(http, self.url)


class WebSource(IndexedFiles):
    """The index or listing at a URL.

    A URL with a query is a listing, because an index has its pages below its URL. For all others, the page of
    the project is requested first. Only if that does not exist, or if all projects are requested, the URL
    itself is requested, once, to detect which of the two it is.

    Args:
        http: the client.
        url: the URL.
    """

    def __init__(self, http: HttpClient, url: str) -> None:
        super().__init__(http)
        self._api = SimpleApi(http, url)
        self._listing = ListingSource(http, url)
        self._is_index = False if urlsplit(url).query else None
        self._lock = threading.Lock()

    def iter_files(self, project: str | None) -> Iterator[DistFile]:
        """Yield the files of a project, or all files; see `wheelrelay.protocols.Source`.

        Raises:
            NotFound: the URL does not exist.
            BackendError: a page cannot be read; the result is never empty instead.
        """
        may_have_page = project is not None and self._is_index is not False
        page = self._api.project(project) if project is not None and may_have_page else None
        if page:
            yield from page.files
        elif not self._detect_index():
            yield from self._listing.iter_files(project)
        elif project is None:
            yield from IndexReader(self._api).iter_files(None)

    def _detect_index(self) -> bool:
        with self._lock:
            if self._is_index is None:
                self._is_index = self._api.is_index()
            return self._is_index
