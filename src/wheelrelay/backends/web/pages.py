"""Read web pages that link to distribution files."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, unquote, urldefrag, urlsplit

from wheelrelay.backends.web.html import HtmlPage, LaterVersion, read_html
from wheelrelay.errors import BackendError, IntegrityError
from wheelrelay.filenames import dist_file, split_companion
from wheelrelay.http import HttpClient, Response, display_url, normalize_url, sanitized
from wheelrelay.model import DIGEST_LENGTHS, Digests, DistFile

LONGEST_MEDIA_TYPE = 255
"""Characters: two names of 127, and the slash."""

HTML_TYPES = ("text/html", "application/xhtml+xml", "application/vnd.pypi.simple.v1+html")
"""The media types of pages of links."""

CACHE_HEADERS = (
    "Age",
    "Cache-Status",
    "CF-Cache-Status",
    "X-Cache",
    "X-Cache-Hits",
    "X-Cache-Status",
    "X-Varnish",
)
"""Headers that caches add to answers."""

MAX_PAGE = 32 << 20
"""Bytes that a page of files may have: several times as many as the largest known."""

MAX_ROOT = 64 << 20
"""Bytes that the page of all projects may have; that of PyPI has some 45 million."""


MAX_FRAGMENT = 1024
"""Characters of an address's fragment that are searched for digests."""


@dataclass(frozen=True, slots=True)
class WebPage:
    """A page as it came.

    Attributes:
        url: where it came from, after redirects.
        media_type: what it is said to be, in lower case, without parameters; empty if nothing is said.
        body: the bytes.
        cached: whether it came through a cache, as far as its headers tell.
    """

    url: str
    media_type: str
    body: bytes
    cached: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """A link on a page.

    Attributes:
        url: where it leads, absolute and in one spelling, with its query and without its fragment.
        digests: what the fragment says of the target.
        attributes: those of the HTML element, names in lower case.
    """

    url: str
    digests: Digests
    attributes: Mapping[str, str]

    @property
    def name(self) -> str:
        """The last segment of the path, which names a file whatever the text of the link says."""
        return name_in(self.url)


def fetch_page(
    http: HttpClient,
    url: str,
    headers: Mapping[str, str],
    *,
    same_host: bool = False,
    limit: int = MAX_PAGE,
) -> WebPage:
    """Read a page of at most ``limit`` bytes; the other arguments are those of `HttpClient.get`.

    Raises:
        BackendError: it cannot be read, or is implausibly large.
    """
    with http.get(url, headers=headers, same_host=same_host) as response:
        return WebPage(
            response.url,
            media_type_of(response),
            response.read_whole(limit, seconds=http.limits.page),
            came_through_cache(response),
        )


def came_through_cache(response: Response) -> bool:
    """Whether the headers of an answer are those of a cache: RFC 9111, RFC 9211, and what CDNs use."""
    return any(name in response.headers for name in CACHE_HEADERS)


def parse_html(page: WebPage) -> HtmlPage:
    """Find the links of a page of HTML, and what it says of itself as a page of an index.

    Raises:
        BackendError: it is something else, or speaks a version of the Simple API that is not known yet.
    """
    if page.media_type not in HTML_TYPES:
        said = page.media_type or "no media type"
        raise BackendError(
            f"{display_url(page.url)} answered with {said}: that is not an HTML page.",
            hint="Check the address of this remote.",
        )
    if b"<" not in page.body:
        raise BackendError(f"{display_url(page.url)} answered with an empty page.")
    with unreadable(page.url):
        return read_html(page.body, page.url)


def links_of(html: HtmlPage) -> Iterator[Link]:
    """The links of a page that lead to somewhere in the web."""
    for url, attributes in html.links:
        if leads_into_the_web(url):
            fragment = urldefrag(url).fragment
            yield Link(one_spelling(url), digests_in(dict(parse_qsl(fragment[:MAX_FRAGMENT]))), attributes)


@contextmanager
def unreadable(url: str) -> Iterator[None]:
    """Turn whatever a parser raises about a page into our error.

    Raises:
        BackendError: the page cannot be read.
    """
    try:
        yield
    except LaterVersion as error:
        raise BackendError(
            f"{display_url(url)} speaks version {sanitized(str(error))} of the Simple API.",
            hint="A later release of wheelrelay may know it.",
        ) from error
    except (ValueError, AssertionError, RecursionError) as error:
        reason = sanitized(str(error).strip().partition("\n")[0]).rstrip(".:") or type(error).__name__
        raise BackendError(f"{display_url(url)} cannot be read as a page of links: {reason}.") from error


def companions_of(links: Iterable[Link]) -> Mapping[str, tuple[str, ...]]:
    """Which companions are linked beside which files: the suffixes, by the file's address.

    A companion whose address is not the file's with the suffix after the path, as a signed one, is not
    found by `read_companion` and so does not count.
    """
    found: dict[str, set[str]] = {}
    for link in links:
        if split := split_companion(link.name):
            parts = urlsplit(link.url)
            beside = parts._replace(path=parts.path.removesuffix(split[1])).geturl()
            found.setdefault(beside, set()).add(split[1])
    return {url: tuple(sorted(suffixes)) for url, suffixes in found.items()}


def linked_file(link: Link, project: str | None, companions: Sequence[str]) -> DistFile:
    """The distribution file that a link leads to.

    Args:
        link: the link, with the attributes of PEP 503 and PEP 592 where the page gives them.
        project: the project that it is known to belong to; see `wheelrelay.filenames.parse_filename`.
        companions: the suffixes of what is linked beside it.

    Raises:
        InvalidFilename: its name is not a plain one, or not that of a wheel or an sdist.
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


def each_once(files: Iterable[DistFile], where: str) -> Iterator[DistFile]:
    """The files without repetitions, in their order; what one entry leaves open another may tell.

    Args:
        files: those of one place, all of them.
        where: the place's address.

    Raises:
        IntegrityError: one name stands for two things, and no sha256 proves that they are the same.
    """
    found: dict[str, DistFile] = {}
    for file in files:
        known = found.get(file.filename)
        found[file.filename] = _merged(known, file, where) if known else file
    yield from found.values()


def media_type_of(response: Response) -> str:
    """What an answer is said to be, in lower case, without parameters; empty if nothing is said.

    A longer name than any media type may have (RFC 6838, section 4.2) is cut.
    """
    return response.headers.get("Content-Type", "").partition(";")[0].strip().lower()[:LONGEST_MEDIA_TYPE]


def digests_in(named: Mapping[str, str]) -> Digests:
    """The digests among names with values; what cannot be a digest of a known algorithm is left out."""
    lowered = {name.lower(): value.strip().lower() for name, value in named.items()}
    return Digests.of({name: value for name, value in lowered.items() if _is_digest(name, value)})


def one_spelling(url: str) -> str:
    """``url`` without its fragment, percent-encoded as it is going to be requested."""
    return normalize_url(urldefrag(url.strip()).url)


def leads_into_the_web(url: str) -> bool:
    """Whether ``url`` is one that can be asked for: http or https, with a host."""
    parts = urlsplit(url)
    try:
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # the port is not a number
        return False


def name_in(url: str) -> str:
    """The last segment of the path of ``url``, decoded."""
    return unquote(urlsplit(url).path.rpartition("/")[2])


def _is_digest(name: str, value: str) -> bool:
    return len(value) == DIGEST_LENGTHS.get(name) and set(value) <= set("0123456789abcdef")


def _merged(one: DistFile, other: DistFile, where: str) -> DistFile:
    told, also = one.digests.known(), other.digests.known()
    contradict = any(told[name] != also[name] for name in told.keys() & also.keys())
    same = (
        one.url == other.url
        or not (one.url and other.url)
        or (one.sha256 is not None and one.sha256 == other.sha256)
    )
    if contradict or not same:
        raise IntegrityError(
            f"{display_url(where)} has {one.filename} twice, as {display_url(one.url or '')} and "
            f"{display_url(other.url or '')}, and nothing proves that both are the same bytes.",
            hint="Name a place that has it once.",
        )
    return replace(one, url=one.url or other.url, digests=Digests.of({**also, **told}))
