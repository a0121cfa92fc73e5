"""A bare web address: an index if it has the project's page, else a listing itself."""

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
    """A web address of which it is found out whether it is an index or a listing; it is only read."""

    type: Literal["web"] = "web"
    url: WebAddress = Field(description="Address of an index's root, or of a page of links.")

    def address(self) -> str:
        """The web address."""
        return self.url

    @contextmanager
    def open(self) -> Iterator[Backend]:
        """Connect; nothing is asked for yet."""
        with closing(HttpClient(own_urls=(self.url,), timeout=self.timeout)) as http:
            yield WebSource(http, self.url)


class WebSource(IndexedFiles):
    """What stands at a web address, whichever of the two it is.

    An address with a query is a listing: the pages of an index are below its address. Elsewhere a
    project's own page is always asked for first. Only if it is not found, or all projects are wanted,
    does it matter what the address itself is; that is found out once.

    Args:
        http: how to reach it.
        url: the address.
    """

    def __init__(self, http: HttpClient, url: str) -> None:
        super().__init__(http)
        self._api = SimpleApi(http, url)
        self._listing = ListingSource(http, url)
        self._is_index = False if urlsplit(url).query else None
        self._lock = threading.Lock()

    def iter_files(self, project: str | None) -> Iterator[DistFile]:
        """The files of a project, or all; see `wheelrelay.protocols.Source`.

        Raises:
            NotFound: there is nothing at the address.
            BackendError: a page cannot be read; never an empty answer instead.
        """
        may_have_page = project is not None and self._is_index is not False
        found = self._api.project(project) if project is not None and may_have_page else None
        if found:
            yield from found.files
        elif not self._has_index():
            yield from self._listing.iter_files(project)
        elif project is None:
            yield from IndexReader(self._api).iter_files(None)

    def _has_index(self) -> bool:
        with self._lock:
            if self._is_index is None:
                self._is_index = self._api.is_there()
            return self._is_index
