"""Find the links of a page of HTML, and what it says of itself as a page of an index (PEP 503, 629, 792)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import urljoin

from wheelrelay.backends.web.tags import start_tags
from wheelrelay.filenames import looks_like_distribution

NEWEST_MAJOR = 1
"""The highest major version of the Simple API that is known."""

KEPT = ("rel", "data-requires-python", "data-yanked", "data-gpg-sig", "data-provenance")
"""The attributes of links that matter."""

MAX_WEIGHT = 48 << 20
"""Bytes of memory that the links of one page may need: some 50,000 files as PyPI describes them."""

_INDEX_META = "pypi:"

_NONE: Mapping[str, str] = MappingProxyType({})


class LaterVersion(ValueError):
    """A page speaks a version of the Simple API that is not known yet; its only argument is that version."""


@dataclass(frozen=True, slots=True)
class HtmlPage:
    """What counts of a page of HTML.

    Attributes:
        links: where each link leads, absolute, with those attributes of its element that are `KEPT`.
        meta: what it says of itself as a page of an index, by the names without ``pypi:``; the first of each.
    """

    links: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    meta: dict[str, str] = field(default_factory=dict)


def read_html(body: bytes, url: str) -> HtmlPage:
    """Read a page.

    Args:
        body: as it came; what is not UTF-8 in it is in texts, which do not count.
        url: where it came from: relative addresses count from there, or from the page's own base.

    Raises:
        LaterVersion: see there.
        ValueError: an address on it makes no sense, or it has too many links.
    """
    links = _Links(url)
    for tag, attributes in start_tags(body.decode("latin-1")):  # one byte a character, whatever it holds
        links.read(tag, attributes)
    if version := links.page.meta.get("repository-version"):
        refuse_later_version(version)
    return links.page


def refuse_later_version(version: str) -> None:
    """Make sure that a version of the Simple API is known; a higher minor version only adds (PEP 629).

    Args:
        version: as the page spells it: ``1.0``, but ``1`` and ``v1.4`` as well.

    Raises:
        LaterVersion: it is not known.
        ValueError: it is not a version.
    """
    found = re.fullmatch(r"v?([0-9]{1,9})(?:\.[0-9]+)*", version.strip(), re.IGNORECASE)
    if found is None:
        raise ValueError(f"{version!r} is not a version of the Simple API")
    if int(found[1]) > NEWEST_MAJOR:
        raise LaterVersion(version.strip())


class _Links:
    """Gathers links as they come, whatever is around them."""

    def __init__(self, url: str) -> None:
        self.page = HtmlPage()
        self._url = url
        self._base = url
        self._based = False
        self._weight = 0

    def read(self, tag: str, attributes: dict[str, str]) -> None:
        """Take in the next start tag."""
        if tag == "a" and "href" in attributes:
            kept = {name: _text(attributes[name]) for name in KEPT if name in attributes}
            self._add(_text(attributes["href"]).strip(), kept)
        elif tag == "base" and "href" in attributes and not self._based:
            self._based = True
            self._base = urljoin(self._url, _text(attributes["href"]).strip())
        elif tag == "meta" and "content" in attributes and attributes.get("name", "").startswith(_INDEX_META):
            name = attributes["name"].removeprefix(_INDEX_META)
            self.page.meta.setdefault(name, _text(attributes["content"]))

    def _add(self, href: str, attributes: Mapping[str, str]) -> None:
        try:
            url = urljoin(self._base, href)
        except ValueError:
            if looks_like_distribution(href.rpartition("/")[2]):
                raise  # a file that cannot be reached must not look as if there were none
            return
        self._weight += 300 + 2 * len(url) + sum(100 + len(value) for value in attributes.values())
        if self._weight > MAX_WEIGHT:
            raise ValueError(f"its {len(self.page.links)} links need over {MAX_WEIGHT >> 20} MiB of memory")
        self.page.links.append((url, attributes or _NONE))


def _text(value: str) -> str:
    """An attribute in UTF-8, where the page was decoded byte by byte."""
    if value.isascii():
        return value
    try:
        return value.encode("latin-1").decode("utf-8", "replace")
    except UnicodeEncodeError:  # it had a character reference, such as &euro;
        return value
