"""Read a package index by the Simple API: PEP 503, 592, 691, 700, 714, 740 and 792.

JSON is asked for first, and HTML read where the index has nothing else. A project that the index does not
have is one whose page is truly not found; everything else that is not a project page is an error.
"""

import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from urllib.parse import unquote, urljoin, urlsplit

from packaging.utils import InvalidName, NormalizedName, canonicalize_name

from wheelrelay.backends.index.foreign_files import (
    forwards_to_public_index,
    is_inherited,
    is_own_page,
    say_that_it_forwards,
    say_that_it_inherits,
)
from wheelrelay.backends.index.simple_json import FileEntry, ProjectDocument, read_names
from wheelrelay.backends.web.files import IndexedFiles
from wheelrelay.backends.web.html import HtmlPage
from wheelrelay.backends.web.pages import (
    HTML_TYPES,
    MAX_ROOT,
    Link,
    WebPage,
    companions_of,
    digests_in,
    each_once,
    fetch_page,
    leads_into_the_web,
    linked_file,
    links_of,
    one_spelling,
    parse_html,
    unreadable,
)
from wheelrelay.errors import BackendError, InvalidFilename, NotFound
from wheelrelay.filenames import dist_file, looks_like_distribution
from wheelrelay.http import Auth, CrossOriginRedirect, HttpClient, display_origin, display_url
from wheelrelay.model import DistFile

logger = logging.getLogger(__name__)

JSON_TYPE = "application/vnd.pypi.simple.v1+json"

ACCEPT = f"{JSON_TYPE}, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"

VERSION_MARK = b"pypi:repository-version"
"""The name of the element of an HTML page that tells the version of the Simple API (PEP 629)."""

_PROJECTS = re.compile(rb'"projects"\s*:')  # found without parsing the many megabytes of a public index

_SIMPLE_TYPE = re.compile(r"application/vnd\.pypi\.simple\.v(\d+)\+(json|html)")


@dataclass(frozen=True, slots=True)
class IndexedProject:
    """What an index says of one project.

    Attributes:
        name: the normalised name.
        files: its wheels and sdists.
        status: ``active``, ``archived``, ``quarantined``, ``deprecated`` (PEP 792), or a later word.
        status_reason: what the index says about the status, if anything.
    """

    name: NormalizedName
    files: tuple[DistFile, ...]
    status: str = "active"
    status_reason: str | None = None


class SimpleApi(IndexedFiles):
    """An index, read by the Simple API.

    Args:
        http: how to reach it.
        url: the index's root, as ``https://host/simple/``, with or without the last slash.

    Attributes:
        cached: whether a project's page came through a cache.
    """

    def __init__(self, http: HttpClient, url: str) -> None:
        super().__init__(http)
        self._url = url.rstrip("/") + "/"
        self.cached = False

    def files(self, project: str, *, fresh: bool) -> Iterator[DistFile]:
        """The distribution files of a project in any spelling; none if the index does not have it.

        Args:
            project: its name.
            fresh: ask past all caches.

        Raises:
            BackendError: they cannot be read; never an empty answer instead.
        """
        found = self.project(project, fresh=fresh)
        yield from found.files if found else ()

    def project(self, project: str, *, fresh: bool = False) -> IndexedProject | None:
        """What the index says of a project; ``None`` if it does not have it. See `files`."""
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
                hint="Perhaps the index wants credentials.",
            )
        return _from_json(page, name) if _is_json(page) else _from_html(page, name)

    def own_files(self, project: str) -> Iterator[DistFile]:
        """The files of a project that were published to this very index, past all caches.

        A file counts as published here if the index keeps it. What devpi shows of the indexes that it builds
        upon does not count: it is gone when their files go, or when the bases change.

        Raises:
            BackendError: as `files`.
        """
        files = list(self.files(project, fresh=True))
        own = [file for file in files if not is_inherited(self._url, file.url or "")]
        if len(own) < len(files):
            say_that_it_inherits(self._url, len(files) - len(own))
        yield from own

    def _page(self, url: str, headers: Mapping[str, str]) -> WebPage | None:
        """The page of a project; none if the index only says where else the project may be.

        Raises:
            RedirectsAway: the page is at another origin that may be anybody's.
            BackendError: it cannot be read.
        """
        try:
            return fetch_page(self.http, url, headers, same_host=True)
        except CrossOriginRedirect as away:
            if forwards_to_public_index(url, away.target):
                say_that_it_forwards(url, display_origin(away.target))
                return None
            if not is_own_page(url, away.target):
                raise
            logger.info("%s: read without credentials from %s.", display_url(url), display_url(away.target))
            return fetch_page(self.http.with_auth(Auth()), away.target, headers, same_host=True)

    def projects(self) -> Iterator[NormalizedName]:
        """The normalised names of all projects.

        Raises:
            NotFound: there is no index.
            BackendError: its root page cannot be read.
        """
        page = fetch_page(self.http, self._url, {"Accept": ACCEPT}, same_host=True, limit=MAX_ROOT)
        names = _names_in_json(page) if _is_json(page) else _names_in_html(page)
        yield from dict.fromkeys(names)

    def is_there(self) -> bool:
        """Whether the page at the root says of itself that it is the root of an index.

        The page of one project says nearly the same, and so may a listing: what links to distribution
        files is no root.

        Raises:
            BackendError: it cannot be read.
        """
        try:
            page = fetch_page(self.http, self._url, {"Accept": ACCEPT}, limit=MAX_ROOT)
        except NotFound:
            return False
        if page.media_type == JSON_TYPE:
            return bool(_PROJECTS.search(page.body))
        if VERSION_MARK not in page.body:
            return False
        return not any(looks_like_distribution(link.name) for link in links_of(parse_html(page)))


def _is_json(page: WebPage) -> bool:
    """Whether a page of the Simple API is JSON, and not HTML.

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
            f"{display_url(page.url)} speaks version {later[1]} of the Simple API.",
            hint="A later release of wheelrelay may know it.",
        )
    raise BackendError(
        f"{display_url(page.url)} answered with {page.media_type or 'no media type'}: "
        "that is no page of a package index.",
        hint="Check the address of this remote: it should be that of the Simple API.",
    )


def _from_json(page: WebPage, name: NormalizedName) -> IndexedProject:
    document = ProjectDocument(page.body, page.url)
    with unreadable(page.url):
        entries = (partial(_described_file, entry, name) for entry in document.files())
        files = _belonging(entries, name, page.url)
    return IndexedProject(name, files, document.status, document.reason)


def _from_html(page: WebPage, name: NormalizedName) -> IndexedProject:
    html = parse_html(page)
    links = list(links_of(html))
    companions = companions_of(links)
    entries = (partial(_linked_file, link, name, companions.get(link.url, ())) for link in links)
    files = _belonging(entries, name, page.url)
    if not files:
        _refuse_foreign_page(page, html)
    status, reason = html.meta.get("project-status"), html.meta.get("project-status-reason")
    return IndexedProject(name, files, status or "active", reason)


def _described_file(entry: FileEntry, name: NormalizedName) -> DistFile:
    return dist_file(
        entry.filename,
        project=name,
        size=entry.size,
        digests=digests_in(entry.hashes),
        url=one_spelling(entry.url) if leads_into_the_web(entry.url) else None,
        requires_python=entry.requires_python or None,
        yanked=entry.yanked,
        upload_time=entry.upload_time,
        companions=(".asc",) if entry.signed else (),
        provenance=entry.provenance,
    )


def _linked_file(link: Link, name: NormalizedName, companions: tuple[str, ...]) -> DistFile:
    signed = (".asc",) if link.attributes.get("data-gpg-sig") == "true" else ()
    file = linked_file(link, name, sorted({*companions, *signed}))
    provenance = link.attributes.get("data-provenance")
    return replace(file, provenance=urljoin(link.url, provenance)) if provenance else file


def _belonging(
    entries: Iterable[Callable[[], DistFile]], name: NormalizedName, where: str
) -> tuple[DistFile, ...]:
    """The entries of a project's page that are distribution files of the project, each once."""
    files = []
    for entry in entries:
        try:
            file = entry()
        except InvalidFilename as error:
            logger.info("%s: passed over: %s", display_url(where), error)
            continue
        if file.project == name:
            files.append(file)
        else:
            logger.info("%s: passed over: %s belongs to %s.", display_url(where), file.filename, file.project)
    return tuple(each_once(files, where))


def _names_in_json(page: WebPage) -> list[NormalizedName]:
    with unreadable(page.url):
        return [canonicalize_name(name) for name in read_names(page.body)]


def _names_in_html(page: WebPage) -> list[NormalizedName]:
    """The names by where the links directly below the root lead; their text may be cut short."""
    html = parse_html(page)
    root = urlsplit(page.url).path.rpartition("/")[0]
    names = []
    for link in links_of(html):
        parent, _, name = urlsplit(link.url).path.rstrip("/").rpartition("/")
        if parent == root:
            try:
                names.append(canonicalize_name(unquote(name), validate=True))
            except InvalidName:
                logger.info("%s: passed over: %r is not a project's name.", display_url(page.url), name)
    if not names:
        _refuse_foreign_page(page, html)
    return names


def _refuse_foreign_page(page: WebPage, html: HtmlPage) -> None:
    """Tell an empty page of an index from a login form and the like, which answer with success as well.

    Raises:
        BackendError: nothing on the page says that it belongs to an index.
    """
    body = page.body.lower()
    if "repository-version" not in html.meta and b"links for" not in body and b"simple index" not in body:
        raise BackendError(
            f"{display_url(page.url)} is a page of HTML, but not one of a package index.",
            hint="Look at it in a browser; if it is a plain page of links, write its address as listing+https://...",
        )
