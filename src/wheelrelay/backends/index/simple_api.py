"""Read a package index by the Simple API: PEP 503, 592, 691, 700, 714, 740 and 792.

JSON is preferred to HTML. A project is absent only if its page is not found (404); any other response that is
not a project page is an error.
"""

import logging
import re
from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from urllib.parse import unquote, urlsplit

from packaging.utils import NormalizedName, canonicalize_name

from wheelrelay.backends.index.foreign_files import (
    is_inherited,
    is_own_page,
    log_inherited_files,
    redirects_to_public_index,
    warn_of_redirect,
)
from wheelrelay.backends.index.page_cache import KeptPage, PageCache
from wheelrelay.backends.index.project_pages import (
    JSON_TYPE,
    IndexedProject,
    is_json,
    names_in_html,
    names_in_json,
    project_from_html,
    project_from_json,
)
from wheelrelay.backends.web.files import IndexedFiles
from wheelrelay.backends.web.pages import (
    MAX_ROOT_PAGE,
    WebPage,
    fetch_page,
    iter_links,
    parse_html,
)
from wheelrelay.errors import BackendError, NotFound
from wheelrelay.filenames import looks_like_distribution
from wheelrelay.http import Auth, CrossOriginRedirect, HttpClient, display_origin, display_url
from wheelrelay.model import DistFile, ProjectStatus

logger = logging.getLogger(__name__)

ACCEPT = f"{JSON_TYPE}, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"

VERSION_ELEMENT = b"pypi:repository-version"
"""The name of the element of an HTML page with the version of the Simple API (PEP 629)."""

_PROJECTS = re.compile(rb'"projects"\s*:')  # the root page of a public index is too large to parse for this

SAMPLE = 20
"""How many pages of projects are examined for serials."""


class SimpleApi(IndexedFiles):
    """An index that is read by the Simple API.

    Args:
        http: the client.
        url: the root URL, such as ``https://host/simple/``, with or without the last slash.

    Attributes:
        cached: whether the page of any project came through a cache.
        read_serials: the serials on the pages of projects that were read.
    """

    def __init__(self, http: HttpClient, url: str) -> None:
        super().__init__(http)
        self.url = url.rstrip("/") + "/"
        self.cached = False
        self._statuses: dict[NormalizedName, ProjectStatus] = {}
        self._serials: dict[NormalizedName, int] = {}
        self.read_serials: dict[NormalizedName, int] = {}
        self._kept: PageCache | None = None

    def reuse_pages(self, projects: Collection[str]) -> None:
        """Read unchanged pages of projects from `PageCache` from now on, and keep those that are read.

        If pages with serials are kept, the root page is read for the current ones: one request then replaces
        one for each project.
        """
        self._kept = self._kept or PageCache.open()
        if self._kept is None or self._serials:
            return
        sample = islice(projects, SAMPLE)
        kept = (self._kept.get(self._project_url(canonicalize_name(project))) for project in sample)
        if any(page and page.serial is not None for page in kept):
            self.current_serials()

    def current_serials(self) -> Mapping[NormalizedName, int]:
        """Return the serial of each project on the root page, which is read once.

        The result is empty if the index has no serials, or no readable root page.
        """
        if not self._serials:
            try:
                for _ in self.projects():
                    pass
            except BackendError as error:  # it is not needed
                logger.info("%s has no readable root page: %s", display_url(self.url), error)
        return self._serials

    def _project_url(self, name: NormalizedName) -> str:
        return f"{self.url}{name}/"

    def files(self, project: str, *, fresh: bool) -> Iterator[DistFile]:
        """Yield the distribution files of a project; none if the index does not have it.

        Args:
            project: its name, in any spelling.
            fresh: bypass caches.

        Raises:
            BackendError: they cannot be read; the result is never empty instead.
        """
        found = self.project(project, fresh=fresh)
        yield from found.files if found else ()

    def project(self, project: str, *, fresh: bool = False) -> IndexedProject | None:
        """Return a project, or ``None`` if the index does not have it. See `files`."""
        name = canonicalize_name(project)
        url = self._project_url(name)
        kept = self._kept.get(url) if self._kept and not fresh else None
        is_current = kept is not None and kept.serial is not None and kept.serial == self._serials.get(name)
        try:
            page = kept.page if kept and is_current else self._read(url, kept, fresh=fresh)
        except NotFound:
            return None
        if page is None:
            return None
        self.cached = self.cached or page.cached
        if name not in map(canonicalize_name, unquote(urlsplit(page.url).path).split("/")):
            raise BackendError(
                f"{display_url(url)} redirects to {display_url(page.url)}, which is not the page of {name}.",
                hint="The index may require credentials.",
            )
        found = project_from_json(page, name) if is_json(page) else project_from_html(page, name)
        self._statuses[name] = found.status
        if found.serial is not None:
            self.read_serials[name] = found.serial
        if self._kept and not (fresh or (kept and page is kept.page)):
            self._kept.put(url, page, found.serial)
        return found

    def _read(self, url: str, kept: KeptPage | None, *, fresh: bool) -> WebPage | None:
        """Return the page of a project; ``kept`` if the index declares that it has not changed."""
        headers = {"Accept": ACCEPT, **({"Cache-Control": "no-cache", "Pragma": "no-cache"} if fresh else {})}
        if kept and kept.page.etag:
            headers["If-None-Match"] = kept.page.etag
        page = self._page(url, headers)
        return kept.page if kept and page and page.is_unchanged else page

    def status(self, project: str) -> ProjectStatus | None:
        """Return the status of a project on its page as it was last read; ``None`` without such a page."""
        name = canonicalize_name(project)
        if name not in self._statuses:
            self.project(name)
        return self._statuses.get(name)

    def own_files(self, project: str) -> Iterator[DistFile]:
        """Yield the files of a project that were published to this very index, bypassing caches.

        The files that devpi lists from its base indexes are left out: they disappear when they are removed
        there, or when the bases change.

        Raises:
            BackendError: as `files`.
        """
        files = list(self.files(project, fresh=True))
        own = [file for file in files if not is_inherited(self.url, file.url or "")]
        if len(own) < len(files):
            log_inherited_files(self.url, len(files) - len(own))
        yield from own

    def _page(self, url: str, headers: Mapping[str, str]) -> WebPage | None:
        """Return the page of a project; ``None`` if the index redirects to PyPI instead of having one.

        Raises:
            CrossOriginRedirect: the page is at another origin that is not known to be the index's.
            BackendError: it cannot be read.
        """
        try:
            return fetch_page(self.http, url, headers, same_host=True)
        except CrossOriginRedirect as redirect:
            if redirects_to_public_index(url, redirect.target):
                warn_of_redirect(url, display_origin(redirect.target))
                return None
            if not is_own_page(url, redirect.target):
                raise
            logger.info(
                "%s: read without credentials from %s.", display_url(url), display_url(redirect.target)
            )
            return fetch_page(self.http.with_auth(Auth()), redirect.target, headers, same_host=True)

    def projects(self) -> Iterator[NormalizedName]:
        """Yield the normalized names of all projects.

        Raises:
            NotFound: the root page does not exist.
            BackendError: the root page cannot be read.
        """
        page = fetch_page(self.http, self.url, {"Accept": ACCEPT}, same_host=True, limit=MAX_ROOT_PAGE)
        if not is_json(page):
            yield from dict.fromkeys(names_in_html(page))
            return
        names = names_in_json(page)
        self._serials |= {name: serial for name, serial in names.items() if serial is not None}
        yield from names

    def is_index(self) -> bool:
        """Return whether the page at the root URL declares itself the root of an index.

        The page of one project, or a listing, may look the same, so a page that links to distribution files
        is not a root.

        Raises:
            BackendError: it cannot be read.
        """
        try:
            page = fetch_page(self.http, self.url, {"Accept": ACCEPT}, limit=MAX_ROOT_PAGE)
        except NotFound:
            return False
        if page.media_type == JSON_TYPE:
            return bool(_PROJECTS.search(page.body))
        if VERSION_ELEMENT not in page.body:
            return False
        return not any(looks_like_distribution(link.name) for link in iter_links(parse_html(page)))
