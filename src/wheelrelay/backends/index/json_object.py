"""Parse a large JSON object item by item, with one item in memory at a time.

`json.loads` turns a page of one megabyte into objects of many megabytes, so that an index could exhaust the
memory of its clients.
"""

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any

CHUNK = 1 << 16
"""Bytes that are decoded at a time."""

MAX_ITEM = 1 << 20
"""Characters of one item: the entry of one file, or any other value of the object."""

_SPACE = re.compile(r"[ \t\n\r]*")


class JsonObject:
    """A JSON object in bytes that is parsed once, in order.

    Args:
        body: UTF-8, with or without a byte order mark.
    """

    def __init__(self, body: bytes) -> None:
        self._body = memoryview(body)
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._scan = json.JSONDecoder().raw_decode
        self._offset = 0
        self._text = ""
        self._position = 0

    def items(self, key: str) -> Iterator[tuple[str | None, Any]]:
        """Yield the object's values with their keys, and each item of the list at ``key`` with ``None``.

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
            raise ValueError("there is text after the JSON object")

    def _members(self, key: str) -> Iterator[tuple[str | None, Any]]:
        while True:
            name = self._value()
            if not isinstance(name, str):
                raise ValueError("a key of the JSON object is not a string")  # noqa: TRY004  (of the document)
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
        """Return the next value, decoding more text until it is complete."""
        self._next()
        while True:
            try:
                value, end = self._scan(self._text, self._position)
            except ValueError:
                end = -1
                if len(self._text) - self._position > MAX_ITEM:
                    raise ValueError(f"one item has more than {MAX_ITEM} characters") from None
                if not self._decode_more():
                    raise
            # A number at the end of the text may continue in the next chunk.
            if end >= 0 and (end < len(self._text) or not self._decode_more()):
                self._position = end
                return value

    def _expect(self, characters: str) -> str:
        character = self._next()
        if not character or character not in characters:
            raise ValueError(f"it has {character!r} where one of {characters!r} is expected")
        self._position += 1
        return character

    def _next(self) -> str:
        """Return the next character that is not white space; empty at the end."""
        while True:
            space = _SPACE.match(self._text, self._position)
            self._position = space.end() if space else self._position
            if self._position < len(self._text):
                return self._text[self._position]
            if not self._decode_more():
                return ""

    def _decode_more(self) -> bool:
        """Decode more text and return whether there was any.

        The amount doubles while a value is incomplete, so that a long one is not scanned again and again.
        """
        rest = self._text[self._position :]
        stop = min(self._offset + max(CHUNK, len(rest)), len(self._body))
        if self._offset == len(self._body):
            return False
        chunk = self._decoder.decode(self._body[self._offset : stop], final=stop == len(self._body))
        self._text, self._position, self._offset = rest + chunk, 0, stop
        return True
