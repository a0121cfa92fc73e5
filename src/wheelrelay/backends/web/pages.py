"""Download and parse web pages that link to distribution files."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import parse_qsl, unquote, urldefrag, urlsplit

from wheelrelay.backends.web.html import HtmlPage, LaterVersion, read_html
from wheelrelay.errors import BackendError, IntegrityError
from wheelrelay.filenames import dist_file, split_companion
from wheelrelay.http import NOT_MODIFIED, HttpClient, Response, display_url, normalize_url, sanitized
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.model import DIGEST_LENGTHS, Digests, DistFile

MAX_MEDIA_TYPE = 255
"""Characters of a media type: two names of 127 and the slash (RFC 6838, section 4.2)."""

HTML_TYPES = ("text/html", "application/xhtml+xml", "application/vnd.pypi.simple.v1+html")
"""The media types of HTML pages."""

CACHE_HEADERS = (
    "Age",
    "Cache-Status",
    "CF-Cache-Status",
    "X-Cache",
    "X-Cache-Hits",
    "X-Cache-Status",
    "X-Varnish",
)
"""Headers that caches add to responses."""

MAX_PAGE = 32 << 20
"""Bytes of a page of files: several times the size of the largest known one."""

MAX_ROOT_PAGE = 64 << 20
"""Bytes of a page of all projects; PyPI's has about 45 million."""

MAX_FRAGMENT = 1024
"""Characters of a URL's fragment that are searched for digests."""


@dataclass(frozen=True, slots=True)
class WebPage:
    """A downloaded page.

    Attributes:
        url: its URL, after redirects.
        media_type: its declared media type, in lower case and without parameters; empty if there is none.
        body: its content.
        cached: whether it came through a cache, as far as its headers show.
        etag: its entity tag, if any.
        is_unchanged: whether the server declares that it is the page of the entity tag in the request; it has
            no body then.
    """

    url: str
    media_type: str
    body: bytes
    cached: bool = False
    etag: str = ""
    is_unchanged: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """A link on a page.

    Attributes:
        url: the absolute, normalized URL, with its query and without its fragment.
        digests: the digests in the fragment.
        attributes: the attributes of the HTML element, with lower-case names.
    """

    url: str
    digests: Digests
    attributes: Mapping[str, str]

    @property
    def name(self) -> str:
        """The filename: the last segment of the URL's path, whatever the text of the link."""
        return name_in(self.url)


def fetch_page(
    http: HttpClient,
    url: str,
    headers: Mapping[str, str],
    *,
    same_host: bool = False,
    limit: int = MAX_PAGE,
) -> WebPage:
    """Download a page of at most ``limit`` bytes; for the other arguments, see `HttpClient.get`.

    Raises:
        BackendError: it cannot be read, or is too large.
    """
    with http.get(url, headers=headers, same_host=same_host) as response:
        return WebPage(
            response.url,
            media_type_of(response),
            response.read_whole(limit, seconds=http.limits.page),
            came_through_cache(response),
            response.headers.get("ETag", ""),
            response.status_code == NOT_MODIFIED,
        )


def came_through_cache(response: Response) -> bool:
    """Return whether a response has headers of a cache: RFC 9111, RFC 9211, and those that CDNs use."""
    return any(name in response.headers for name in CACHE_HEADERS)


def parse_html(page: WebPage) -> HtmlPage:
    """Parse an HTML page.

    Raises:
        BackendError: it is not HTML, or uses a version of the Simple API that is not supported.
    """
    if page.media_type not in HTML_TYPES:
        raise BackendError(
            f"{display_url(page.url)} returned {page.media_type or 'no media type'}, not an HTML page.",
            hint="Check the URL of this remote.",
        )
    if b"<" not in page.body:
        raise BackendError(f"{display_url(page.url)} returned an empty page.")
    with map_parse_errors(page.url):
        return read_html(page.body, page.url)


def iter_links(html: HtmlPage) -> Iterator[Link]:
    """Yield the links of a page to http and https URLs."""
    for url, attributes in html.links:
        if is_web_url(url):
            fragment = urldefrag(url).fragment
            yield Link(canonical_url(url), digests_in(dict(parse_qsl(fragment[:MAX_FRAGMENT]))), attributes)


@contextmanager
def map_parse_errors(url: str) -> Iterator[None]:
    """Map the errors of parsing a page.

    Raises:
        BackendError: the page cannot be parsed.
    """
    try:
        yield
    except LaterVersion as error:
        raise BackendError(
            f"{display_url(url)} uses version {sanitized(str(error))} of the Simple API, which is not "
            "supported.",
            hint="Upgrade wheelrelay.",
        ) from error
    except (ValueError, AssertionError, RecursionError) as error:
        reason = sanitized(str(error).strip().partition("\n")[0]).rstrip(".:") or type(error).__name__
        raise BackendError(f"{display_url(url)} cannot be parsed as a page of links: {reason}.") from error


def companions_of(links: Iterable[Link]) -> Mapping[str, tuple[str, ...]]:
    """Return the suffixes of the companions that are linked, by the URL of their file.

    A companion counts if its URL is the file's with the suffix after the path, because `read_companion`
    requests that URL; signed URLs differ.
    """
    found: dict[str, set[str]] = {}
    for link in links:
        if split := split_companion(link.name):
            parts = urlsplit(link.url)
            file_url = parts._replace(path=parts.path.removesuffix(split[1])).geturl()
            found.setdefault(file_url, set()).add(split[1])
    return {url: tuple(sorted(suffixes)) for url, suffixes in found.items()}


def link_to_file(link: Link, project: str | None, companions: Sequence[str]) -> DistFile:
    """Return the distribution file that a link leads to.

    Args:
        link: the link, with the attributes of PEP 503 and PEP 592 if the page has them.
        project: the project that the file is known to belong to; see `wheelrelay.filenames.parse_filename`.
        companions: the suffixes of the file's companions.

    Raises:
        InvalidFilename: its name is not that of a wheel or sdist.
    """
    return dist_file(
        link.name,
        project=project,
        digests=link.digests,
        url=link.url,
        requires_python=link.attributes.get("data-requires-python") or None,
        yanked=link.attributes.get("data-yanked"),
        companions=tuple(companions),
    )


def without_duplicates(files: Iterable[DistFile], url: str) -> Iterator[DistFile]:
    """Yield the files in order, with duplicate entries merged.

    Args:
        files: all files of a page or listing.
        url: its URL.

    Raises:
        IntegrityError: two files have one name, and no sha256 proves that they are the same.
    """
    merged: dict[str, DistFile] = {}
    for file in files:
        earlier = merged.get(file.filename)
        merged[file.filename] = _merge(earlier, file, url) if earlier else file
    yield from merged.values()


def media_type_of(response: Response) -> str:
    """Return the media type of a response, in lower case and without parameters; empty if it has none."""
    return response.headers.get("Content-Type", "").partition(";")[0].strip().lower()[:MAX_MEDIA_TYPE]


def digests_in(values: Mapping[str, str]) -> Digests:
    """Return the valid digests of known algorithms among names and values."""
    lowered = {name.lower(): value.strip().lower() for name, value in values.items()}
    return Digests.of({name: value for name, value in lowered.items() if _is_digest(name, value)})


def canonical_url(url: str) -> str:
    """Return ``url`` normalized and without its fragment, so that equal URLs compare equal."""
    return normalize_url(urldefrag(url.strip()).url)


def is_web_url(url: str) -> bool:
    """Return whether ``url`` can be requested: http or https, with a host."""
    parts = urlsplit(url)
    try:
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # the port is not a number
        return False


def name_in(url: str) -> str:
    """Return the last segment of the path of ``url``, decoded."""
    return unquote(urlsplit(url).path.rpartition("/")[2])


def _is_digest(name: str, value: str) -> bool:
    return len(value) == DIGEST_LENGTHS.get(name) and set(value) <= set("0123456789abcdef")


def _merge(file: DistFile, other: DistFile, url: str) -> DistFile:
    """Return one entry for two of the same name, if they are the same file."""
    digests, other_digests = file.digests.known(), other.digests.known()
    contradict = any(digests[name] != other_digests[name] for name in digests.keys() & other_digests.keys())
    is_same = (
        file.url == other.url
        or not (file.url and other.url)
        or (file.sha256 is not None and file.sha256 == other.sha256)
    )
    if contradict or not is_same:
        raise IntegrityError(
            f"{display_url(url)} lists {file.filename} twice, as {display_url(file.url or '')} and "
            f"{display_url(other.url or '')}, and no sha256 proves that both are the same.",
            hint="Use a source that lists it once.",
        )
    return replace(file, url=file.url or other.url, digests=Digests.of({**other_digests, **digests}))
