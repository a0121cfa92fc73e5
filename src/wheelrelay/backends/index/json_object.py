"""Read a large JSON object piece by piece, so that no more than one item of it is in memory at once.

`json.loads` makes a page of a megabyte into many megabytes of objects: an index could fill the memory of
whoever reads it.
"""

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any

CHUNK = 1 << 16
"""Bytes that are decoded at once."""

MAX_ITEM = 1 << 20
"""Characters that one item may have: the description of one file, or any other value of the object."""

_SPACE = re.compile(r"[ \t\n\r]*")


class JsonObject:
    """A JSON object in bytes, read once, in order.

    Args:
        body: UTF-8, with or without a byte order mark.
    """

    def __init__(self, body: bytes) -> None:
        self._body = memoryview(body)
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._scan = json.JSONDecoder().raw_decode
        self._at = 0
        self._text = ""
        self._position = 0

    def items(self, key: str) -> Iterator[tuple[str | None, Any]]:
        """The values of the object with their keys, and each item of the list at ``key`` without a key.

        Raises:
            ValueError: it is not a JSON object, or an item is too large.
        """
        if self._next() != "{":
            raise ValueError("it is not a JSON object")
        self._position += 1
        if self._next() == "}":
            self._position += 1
        else:
            yield from self._members(key)
        if self._next():
            raise ValueError("something follows the JSON object")

    def _members(self, key: str) -> Iterator[tuple[str | None, Any]]:
        while True:
            name = self._value()
            if not isinstance(name, str):
                raise ValueError("a key of the JSON object is not text")  # noqa: TRY004  (of the document)
            self._expect(":")
            if name == key and self._next() == "[":
                yield name, []
                for item in self._list():
                    yield None, item
            else:
                yield name, self._value()
            if self._expect(",}") == "}":
                return

    def _list(self) -> Iterator[Any]:
        self._position += 1
        if self._next() == "]":
            self._position += 1
            return
        while True:
            yield self._value()
            if self._expect(",]") == "]":
                return

    def _value(self) -> Any:
        """The next value; more text is decoded until it is complete."""
        self._next()
        while True:
            try:
                value, end = self._scan(self._text, self._position)
            except ValueError:
                end = -1
                if len(self._text) - self._position > MAX_ITEM:
                    raise ValueError(f"one item has over {MAX_ITEM} characters") from None
                if not self._more():
                    raise
            if end >= 0 and (end < len(self._text) or not self._more()):  # a number may go on
                self._position = end
                return value

    def _expect(self, characters: str) -> str:
        found = self._next()
        if not found or found not in characters:
            raise ValueError(f"it has {found!r} where one of {characters!r} is expected")
        self._position += 1
        return found

    def _next(self) -> str:
        """The next character that is not white space; empty at the end."""
        while True:
            found = _SPACE.match(self._text, self._position)
            self._position = found.end() if found else self._position
            if self._position < len(self._text):
                return self._text[self._position]
            if not self._more():
                return ""

    def _more(self) -> bool:
        """Decode more text, as much again as is there already; whether there was more."""
        left = self._text[self._position :]
        stop = min(self._at + max(CHUNK, len(left)), len(self._body))
        if self._at == len(self._body):
            return False
        chunk = self._decoder.decode(self._body[self._at : stop], final=stop == len(self._body))
        self._text, self._position, self._at = left + chunk, 0, stop
        return True
