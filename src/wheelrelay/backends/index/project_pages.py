"""Parse the pages of the Simple API, in JSON or HTML, into projects and their files."""

import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from urllib.parse import unquote, urljoin, urlsplit

from packaging.utils import InvalidName, NormalizedName, canonicalize_name

from wheelrelay.backends.index.simple_json import FileEntry, ProjectDocument, read_names
from wheelrelay.backends.web.html import HtmlPage
from wheelrelay.backends.web.pages import (
    HTML_TYPES,
    Link,
    WebPage,
    canonical_url,
    companions_of,
    digests_in,
    is_web_url,
    iter_links,
    link_to_file,
    map_parse_errors,
    parse_html,
    without_duplicates,
)
from wheelrelay.errors import BackendError, InvalidFilename
from wheelrelay.filenames import dist_file
from wheelrelay.http import display_url
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.model import ACTIVE, DistFile, ProjectStatus

logger = logging.getLogger(__name__)

JSON_TYPE = "application/vnd.pypi.simple.v1+json"

_SIMPLE_TYPE = re.compile(r"application/vnd\.pypi\.simple\.v(\d+)\+(json|html)")


@dataclass(frozen=True, slots=True)
class IndexedProject:
    """One project on an index.

    Attributes:
        name: the normalized name.
        files: its wheels and sdists.
        status: its status (PEP 792).
        serial: the number of its last change, if the index counts them.
    """

    name: NormalizedName
    files: tuple[DistFile, ...]
    status: ProjectStatus = ACTIVE
    serial: int | None = None


def is_json(page: WebPage) -> bool:
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


def project_from_json(page: WebPage, name: NormalizedName) -> IndexedProject:
    """Return the project that a JSON page describes.

    Raises:
        BackendError: it is not the page of a project.
    """
    document = ProjectDocument(page.body, page.url)
    with map_parse_errors(page.url):
        entries = (partial(_file_from_entry, entry, name) for entry in document.files())
        files = _files_of_project(entries, name, page.url)
    return IndexedProject(name, files, _status(document.status, document.reason), document.serial)


def project_from_html(page: WebPage, name: NormalizedName) -> IndexedProject:
    """Return the project that an HTML page describes.

    Raises:
        BackendError: it is not the page of a project.
    """
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


def names_in_json(page: WebPage) -> dict[NormalizedName, int | None]:
    """Return the projects on a root page, with their serials if the index counts changes."""
    with map_parse_errors(page.url):
        return {canonicalize_name(name): serial for name, serial in read_names(page.body)}


def names_in_html(page: WebPage) -> list[NormalizedName]:
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
