"""Find the links of a page of HTML, and what it says of itself as a page of an index (PEP 503, 629, 792)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

from wheelrelay.filenames import looks_like_distribution

NEWEST_MAJOR = 1
"""The highest major version of the Simple API that is known."""

_INDEX_META = "pypi:"


class LaterVersion(ValueError):
    """A page speaks a version of the Simple API that is not known yet; its only argument is that version."""


@dataclass(frozen=True, slots=True)
class HtmlPage:
    """What counts of a page of HTML.

    Attributes:
        links: where each link leads, absolute, with the attributes of its element; names in lower case.
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
        ValueError: an address on it makes no sense.
    """
    parser = _Links(url)
    parser.feed(body.decode("utf-8-sig", "replace"))
    parser.close()
    if version := parser.page.meta.get("repository-version"):
        refuse_later_version(version)
    return parser.page


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


class _Links(HTMLParser):
    """Gathers links as they come, whatever is around them."""

    def __init__(self, url: str) -> None:
        super().__init__(convert_charrefs=False)  # texts do not count; attributes are decoded all the same
        self.page = HtmlPage()
        self._url = url
        self._base = url
        self._based = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in reversed(attrs)}  # of two, the first counts
        if tag == "a" and "href" in told:
            self._add(told["href"].strip(), told)
        elif tag == "base" and "href" in told and not self._based:
            self._based = True
            self._base = urljoin(self._url, told["href"].strip())
        elif tag == "meta" and "content" in told and told.get("name", "").startswith(_INDEX_META):
            self.page.meta.setdefault(told["name"].removeprefix(_INDEX_META), told["content"])

    def _add(self, href: str, attributes: Mapping[str, str]) -> None:
        try:
            self.page.links.append((urljoin(self._base, href), attributes))
        except ValueError:
            if looks_like_distribution(href.rpartition("/")[2]):
                raise  # a file that cannot be reached must not look as if there were none
