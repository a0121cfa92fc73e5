"""Parse HTML pages: their links, and their metadata as pages of an index (PEP 503, 629, 792).

Start tags are found as browsers find them (WHATWG HTML, section 13.2.5), in linear time. Other parsers need
quadratic time for pages that are made for it (CPython's `html.parser` before 3.13.6, justhtml), or build a
tree of the whole page, although only tags and comments matter here.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import field
from html import unescape
from types import MappingProxyType
from urllib.parse import urljoin

from wheelrelay.filenames import looks_like_distribution
from wheelrelay.lazy_dataclass import dataclass

SUPPORTED_MAJOR = 1
"""The highest supported major version of the Simple API."""

LINK_ATTRIBUTES = ("rel", "data-requires-python", "data-yanked", "data-gpg-sig", "data-provenance")
"""The attributes of links that are kept."""

MAX_LINK_MEMORY = 48 << 20
"""Bytes of memory for the links of one page: about 50,000 files with PyPI's attributes."""

_INDEX_META = "pypi:"

_NO_ATTRIBUTES: Mapping[str, str] = MappingProxyType({})

_NAME = re.compile(r"[a-zA-Z][^\s/>]*", re.ASCII)
_BEFORE_ATTRIBUTE = re.compile(r"[\s/]*", re.ASCII)
_ATTRIBUTE_NAME = re.compile(r"=?[^\s/>=]*", re.ASCII)
_EQUALS = re.compile(r"\s*=\s*", re.ASCII)
_UNQUOTED = re.compile(r"[^\s>]*", re.ASCII)
_COMMENT_END = re.compile(r"--!?>")
_EMPTY_COMMENT = re.compile(r"<!--(?:-?>)")

_RAW_TEXT_ELEMENTS = ("script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes")
_RAW_TEXT_ENDS = {
    name: re.compile(rf"</{name}[\s/>]", re.IGNORECASE | re.ASCII) for name in _RAW_TEXT_ELEMENTS
}
"""Elements whose content is text even if it looks like tags, and the pattern of their end tag."""


class LaterVersion(ValueError):
    """A page uses a version of the Simple API that is not supported; the only argument is that version."""


@dataclass(frozen=True, slots=True)
class HtmlPage:
    """The parts of an HTML page that matter.

    Attributes:
        links: the absolute URL of each link, with those of its attributes that are in `LINK_ATTRIBUTES`.
        meta: the index metadata, by name without ``pypi:``; of duplicates, the first.
    """

    links: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    meta: dict[str, str] = field(default_factory=dict)


def read_html(body: bytes, url: str) -> HtmlPage:
    """Parse a page.

    Args:
        body: the page; invalid UTF-8 is tolerated.
        url: its URL, which relative links are resolved against, unless the page has a base.

    Raises:
        LaterVersion: the version of the Simple API is not supported.
        ValueError: the URL of a file is invalid, or there are too many links.
    """
    links = _LinkCollector(url)
    for tag, attributes in start_tags(body.decode("latin-1")):  # one character per byte, so nothing is lost
        links.add_tag(tag, attributes)
    if version := links.page.meta.get("repository-version"):
        require_supported_version(version)
    return links.page


def require_supported_version(version: str) -> None:
    """Make sure that a version of the Simple API is supported; minor versions only add features (PEP 629).

    Args:
        version: as the page spells it: ``1.0``, but also ``1`` and ``v1.4``.

    Raises:
        LaterVersion: it is not supported.
        ValueError: it is not a version.
    """
    match = re.fullmatch(r"v?([0-9]{1,9})(?:\.[0-9]+)*", version.strip(), re.IGNORECASE)
    if match is None:
        raise ValueError(f"{version!r} is not a version of the Simple API")
    if int(match[1]) > SUPPORTED_MAJOR:
        raise LaterVersion(version.strip())


class _LinkCollector:
    """Collects the links of a page from its start tags."""

    def __init__(self, url: str) -> None:
        self.page = HtmlPage()
        self._url = url
        self._base = url
        self._has_base = False
        self._memory = 0

    def add_tag(self, tag: str, attributes: dict[str, str]) -> None:
        """Process the next start tag."""
        if tag == "a" and "href" in attributes:
            kept = {name: _decoded(attributes[name]) for name in LINK_ATTRIBUTES if name in attributes}
            self._add_link(_decoded(attributes["href"]).strip(), kept)
        elif tag == "base" and "href" in attributes and not self._has_base:
            self._has_base = True
            self._base = urljoin(self._url, _decoded(attributes["href"]).strip())
        elif tag == "meta" and "content" in attributes and attributes.get("name", "").startswith(_INDEX_META):
            name = attributes["name"].removeprefix(_INDEX_META)
            self.page.meta.setdefault(name, _decoded(attributes["content"]))

    def _add_link(self, href: str, attributes: Mapping[str, str]) -> None:
        try:
            url = urljoin(self._base, href)
        except ValueError:
            if looks_like_distribution(href.rpartition("/")[2]):
                raise  # a file with an invalid URL must not be taken for absent
            return
        self._memory += 300 + 2 * len(url) + sum(100 + len(value) for value in attributes.values())
        if self._memory > MAX_LINK_MEMORY:
            raise ValueError(
                f"its {len(self.page.links)} links need more than {MAX_LINK_MEMORY >> 20} MiB of memory"
            )
        self.page.links.append((url, attributes or _NO_ATTRIBUTES))


def _decoded(value: str) -> str:
    """Return an attribute as UTF-8, because the page was decoded byte by byte."""
    if value.isascii():
        return value
    try:
        return value.encode("latin-1").decode("utf-8", "replace")
    except UnicodeEncodeError:  # it contains a character reference, such as &euro;
        return value


def start_tags(text: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the start tags of a page in order: lower-case names with their attributes.

    Of duplicate attributes, the first counts. A tag that is cut off by the end of the page is ignored.
    """
    position = 0
    while 0 <= (position := text.find("<", position)) < len(text) - 1:
        character = text[position + 1]
        if character in "!?":
            end = _end_of_declaration(text, position)
        elif character == "/":
            end = _end_of_end_tag(text, position)
        elif name := _NAME.match(text, position + 1):
            attributes: dict[str, str] = {}
            end = _read_attributes(text, name.end(), attributes)
            if end is not None:
                yield name[0].lower(), attributes
                end = _end_of_content(text, end, name[0].lower())
        else:
            end = position + 1
        if end is None:  # the page is cut off
            return
        position = end


def _end_of_declaration(text: str, start: int) -> int | None:
    """Return the end of a comment, doctype or similar."""
    if not text.startswith("<!--", start):
        return _after(text.find(">", start))
    end = _EMPTY_COMMENT.match(text, start) or _COMMENT_END.search(text, start + 4)
    return end.end() if end else None


def _end_of_end_tag(text: str, start: int) -> int | None:
    name = _NAME.match(text, start + 2)
    return _read_attributes(text, name.end(), {}) if name else _after(text.find(">", start))


def _end_of_content(text: str, start: int, name: str) -> int | None:
    """Return where to continue after a start tag: the end of the element if its content is raw text."""
    if name == "plaintext":
        return None
    if name not in _RAW_TEXT_ENDS:
        return start
    end = _RAW_TEXT_ENDS[name].search(text, start)
    return end.start() if end else None


def _read_attributes(text: str, position: int, attributes: dict[str, str]) -> int | None:
    """Read the attributes of a tag; return the end of the tag, or ``None`` if the page is cut off."""
    while True:
        position = _end(_BEFORE_ATTRIBUTE, text, position)
        if position >= len(text):
            return None
        if text[position] == ">":
            return position + 1
        name_end = _end(_ATTRIBUTE_NAME, text, position)
        name, value = text[position:name_end].lower(), ""
        position = name_end
        if equals := _EQUALS.match(text, position):
            position = equals.end()
            quote = text[position : position + 1]
            if quote in ('"', "'"):
                end = text.find(quote, position + 1)
                if end < 0:
                    return None
                value, position = text[position + 1 : end], end + 1
            else:
                end = _end(_UNQUOTED, text, position)
                value, position = text[position:end], end
        attributes.setdefault(name, unescape(value))


def _end(pattern: re.Pattern[str], text: str, position: int) -> int:
    match = pattern.match(text, position)
    return match.end() if match else position


def _after(position: int) -> int | None:
    return None if position < 0 else position + 1
