"""Read a package index by the Simple API: PEP 503, 592, 691, 700, 714, 740 and 792.

JSON is preferred to HTML. A project is absent only if its page is not found (404); any other response that is
not a project page is an error.
"""

import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from urllib.parse import unquote, urljoin, urlsplit

from packaging.utils import InvalidName, NormalizedName, canonicalize_name

from wheelrelay.backends.index.foreign_files import (
    is_inherited,
    is_own_page,
    log_inherited_files,
    redirects_to_public_index,
    warn_of_redirect,
)
from wheelrelay.backends.index.simple_json import FileEntry, ProjectDocument, read_names
from wheelrelay.backends.web.files import IndexedFiles
from wheelrelay.backends.web.html import HtmlPage
from wheelrelay.backends.web.pages import (
    HTML_TYPES,
    MAX_ROOT_PAGE,
    Link,
    WebPage,
    canonical_url,
    companions_of,
    digests_in,
    fetch_page,
    is_web_url,
    iter_links,
    link_to_file,
    map_parse_errors,
    parse_html,
    without_duplicates,
)
from wheelrelay.errors import BackendError, InvalidFilename, NotFound
from wheelrelay.filenames import dist_file, looks_like_distribution
from wheelrelay.http import Auth, CrossOriginRedirect, HttpClient, display_origin, display_url
from wheelrelay.model import ACTIVE, DistFile, ProjectStatus

logger = logging.getLogger(__name__)

JSON_TYPE = "application/vnd.pypi.simple.v1+json"

ACCEPT = f"{JSON_TYPE}, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"

VERSION_ELEMENT = b"pypi:repository-version"
"""The name of the element of an HTML page with the version of the Simple API (PEP 629)."""

_PROJECTS = re.compile(rb'"projects"\s*:')  # the root page of a public index is too large to parse for this

_SIMPLE_TYPE = re.compile(r"application/vnd\.pypi\.simple\.v(\d+)\+(json|html)")


@dataclass(frozen=True, slots=True)
class IndexedProject:
    """One project on an index.

    Attributes:
        name: the normalized name.
        files: its wheels and sdists.
        status: its status (PEP 792).
    """

    name: NormalizedName
    files: tuple[DistFile, ...]
    status: ProjectStatus = ACTIVE


class SimpleApi(IndexedFiles):
    """An index that is read by the Simple API.

    Args:
        http: the client.
        url: the root URL, such as ``https://host/simple/``, with or without the last slash.

    Attributes:
        cached: whether the page of any project came through a cache.
    """

    def __init__(self, http: HttpClient, url: str) -> None:
        super().__init__(http)
        self._url = url.rstrip("/") + "/"
        self.cached = False
        self._statuses: dict[NormalizedName, ProjectStatus] = {}

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
        headers = {"Accept": ACCEPT, **({"Cache-Control": "no-cache", "Pragma": "no-cache"} if fresh else {})}
        url = f"{self._url}{name}/"
        try:
            page = self._page(url, headers)
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
        found = _from_json(page, name) if _is_json(page) else _from_html(page, name)
        self._statuses[name] = found.status
        return found

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
        own = [file for file in files if not is_inherited(self._url, file.url or "")]
        if len(own) < len(files):
            log_inherited_files(self._url, len(files) - len(own))
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
        page = fetch_page(self.http, self._url, {"Accept": ACCEPT}, same_host=True, limit=MAX_ROOT_PAGE)
        names = _names_in_json(page) if _is_json(page) else _names_in_html(page)
        yield from dict.fromkeys(names)

    def is_index(self) -> bool:
        """Return whether the page at the root URL declares itself the root of an index.

        The page of one project, or a listing, may look the same, so a page that links to distribution files
        is not a root.

        Raises:
            BackendError: it cannot be read.
        """
        try:
            page = fetch_page(self.http, self._url, {"Accept": ACCEPT}, limit=MAX_ROOT_PAGE)
        except NotFound:
            return False
        if page.media_type == JSON_TYPE:
            return bool(_PROJECTS.search(page.body))
        if VERSION_ELEMENT not in page.body:
            return False
        return not any(looks_like_distribution(link.name) for link in iter_links(parse_html(page)))


def _is_json(page: WebPage) -> bool:
    """Return whether a page of the Simple API is JSON; HTML otherwise.

    Raises:
        BackendError: it is neither.
    """
    if page.media_type == JSON_TYPE:
        return True
    if page.media_type in HTML_TYPES:
        return False
    later = _SIMPLE_TYPE.fullmatch(page.media_type)
    if later:
        raise BackendError(
            f"{display_url(page.url)} uses version {later[1]} of the Simple API, which is not supported.",
            hint="Upgrade wheelrelay.",
        )
    raise BackendError(
        f"{display_url(page.url)} returned {page.media_type or 'no media type'}, "
        "not a page of a package index.",
        hint="Check the URL of this remote: it must be that of the Simple API.",
    )


def _from_json(page: WebPage, name: NormalizedName) -> IndexedProject:
    document = ProjectDocument(page.body, page.url)
    with map_parse_errors(page.url):
        entries = (partial(_file_from_entry, entry, name) for entry in document.files())
        files = _files_of_project(entries, name, page.url)
    return IndexedProject(name, files, _status(document.status, document.reason))


def _from_html(page: WebPage, name: NormalizedName) -> IndexedProject:
    html = parse_html(page)
    links = list(iter_links(html))
    companions = companions_of(links)
    entries = (partial(_file_from_link, link, name, companions.get(link.url, ())) for link in links)
    files = _files_of_project(entries, name, page.url)
    if not files:
        _require_index_page(page, html)
    status, reason = html.meta.get("project-status"), html.meta.get("project-status-reason")
    return IndexedProject(name, files, _status(status or "active", reason))


def _status(status: str, reason: str | None) -> ProjectStatus:
    found = ProjectStatus(status, reason)
    return ACTIVE if found == ACTIVE else found


def _file_from_entry(entry: FileEntry, name: NormalizedName) -> DistFile:
    return dist_file(
        entry.filename,
        project=name,
        size=entry.size,
        digests=digests_in(entry.hashes),
        url=canonical_url(entry.url) if is_web_url(entry.url) else None,
        requires_python=entry.requires_python or None,
        yanked=entry.yanked,
        upload_time=entry.upload_time,
        companions=(".asc",) if entry.has_signature else (),
        provenance=entry.provenance,
    )


def _file_from_link(link: Link, name: NormalizedName, companions: tuple[str, ...]) -> DistFile:
    signature = (".asc",) if link.attributes.get("data-gpg-sig") == "true" else ()
    file = link_to_file(link, name, sorted({*companions, *signature}))
    provenance = link.attributes.get("data-provenance")
    return replace(file, provenance=urljoin(link.url, provenance)) if provenance else file


def _files_of_project(
    entries: Iterable[Callable[[], DistFile]], name: NormalizedName, url: str
) -> tuple[DistFile, ...]:
    """Return the distribution files of a project, without duplicates and without other entries of its page.

    Entries are functions, because creating a file raises for an invalid filename.
    """
    files = []
    for entry in entries:
        try:
            file = entry()
        except InvalidFilename as error:
            logger.info("%s: ignored: %s", display_url(url), error)
            continue
        if file.project == name:
            files.append(file)
        else:
            logger.info("%s: ignored: %s belongs to %s.", display_url(url), file.filename, file.project)
    return tuple(without_duplicates(files, url))


def _names_in_json(page: WebPage) -> list[NormalizedName]:
    with map_parse_errors(page.url):
        return [canonicalize_name(name) for name in read_names(page.body)]


def _names_in_html(page: WebPage) -> list[NormalizedName]:
    """Return the names in the URLs of links directly below the root; the text of links may be shortened."""
    html = parse_html(page)
    root = urlsplit(page.url).path.rpartition("/")[0]
    names = []
    for link in iter_links(html):
        parent, _, name = urlsplit(link.url).path.rstrip("/").rpartition("/")
        if parent == root:
            try:
                names.append(canonicalize_name(unquote(name), validate=True))
            except InvalidName:
                logger.info("%s: ignored: %r is not a valid project name.", display_url(page.url), name)
    if not names:
        _require_index_page(page, html)
    return names


def _require_index_page(page: WebPage, html: HtmlPage) -> None:
    """Make sure that a page without files is from an index, and not a login form with status 200.

    Raises:
        BackendError: nothing on the page shows that it is from an index.
    """
    body = page.body.lower()
    if "repository-version" not in html.meta and b"links for" not in body and b"simple index" not in body:
        raise BackendError(
            f"{display_url(page.url)} is an HTML page, but not from a package index.",
            hint="Open it in a browser. If it is a plain page of links, use listing+https://... for it.",
        )
