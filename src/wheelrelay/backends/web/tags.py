"""Find the start tags of a page of HTML, as browsers find them (WHATWG HTML, section 13.2.5), in linear time.

The parsers that were considered need quadratic time for pages made for that (CPython's `html.parser` before
3.13.6, justhtml), or build a tree of the whole page. Links need neither: only tags and comments matter.
"""

import re
from collections.abc import Iterator
from html import unescape

_NAME = re.compile(r"[a-zA-Z][^\s/>]*", re.ASCII)
_BEFORE_ATTRIBUTE = re.compile(r"[\s/]*", re.ASCII)
_ATTRIBUTE_NAME = re.compile(r"=?[^\s/>=]*", re.ASCII)
_EQUALS = re.compile(r"\s*=\s*", re.ASCII)
_UNQUOTED = re.compile(r"[^\s>]*", re.ASCII)
_COMMENT_END = re.compile(r"--!?>")
_EMPTY_COMMENT = re.compile(r"<!--(?:-?>)")

_WITHOUT_MARKUP = ("script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes")
_RAW_ENDS = {name: re.compile(rf"</{name}[\s/>]", re.IGNORECASE | re.ASCII) for name in _WITHOUT_MARKUP}
"""Elements whose content is text whatever it looks like, and what ends them."""


def start_tags(text: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The start tags of a page in their order: names in lower case, with their attributes.

    Of an attribute that a tag has twice, the first counts. A tag that the page ends within is no tag.
    """
    position = 0
    while 0 <= (position := text.find("<", position)) < len(text) - 1:
        after = text[position + 1]
        if after in "!?":
            end = _end_of_declaration(text, position)
        elif after == "/":
            end = _end_of_end_tag(text, position)
        elif name := _NAME.match(text, position + 1):
            attributes: dict[str, str] = {}
            end = _read_attributes(text, name.end(), attributes)
            if end is not None:
                yield name[0].lower(), attributes
                end = _end_of_content(text, end, name[0].lower())
        else:
            end = position + 1
        if end is None:  # the page ends within it
            return
        position = end


def _end_of_declaration(text: str, start: int) -> int | None:
    """Where a comment, a doctype or the like ends."""
    if not text.startswith("<!--", start):
        return _after(text.find(">", start))
    found = _EMPTY_COMMENT.match(text, start) or _COMMENT_END.search(text, start + 4)
    return found.end() if found else None


def _end_of_end_tag(text: str, start: int) -> int | None:
    name = _NAME.match(text, start + 2)
    return _read_attributes(text, name.end(), {}) if name else _after(text.find(">", start))


def _end_of_content(text: str, start: int, name: str) -> int | None:
    """Where to go on after a start tag: at once, or at the end of the element if its content is no markup."""
    if name == "plaintext":
        return None
    if name not in _RAW_ENDS:
        return start
    found = _RAW_ENDS[name].search(text, start)
    return found.start() if found else None


def _read_attributes(text: str, position: int, attributes: dict[str, str]) -> int | None:
    """Read the attributes of a tag; gives where the tag ends, or ``None`` if the page ends before it."""
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
    found = pattern.match(text, position)
    return found.end() if found else position


def _after(position: int) -> int | None:
    return None if position < 0 else position + 1
