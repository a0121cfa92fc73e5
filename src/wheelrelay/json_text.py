"""Write JSON documents as text for people, scripts and CI logs."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from wheelrelay.redaction import redact_values

_encode_compact = json.JSONEncoder(ensure_ascii=False).encode

LONG_LIST = 1000
"""Lists with more items are written with one item on each line."""

_ESCAPED = re.compile("[\ud800-\udfff\x7f-\x9f]")
"""Surrogates, which stand for bytes that are not UTF-8, and control characters that JSON permits."""


def to_json(document: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> str:
    """Return a document as indented JSON with a final line feed; long lists have one item on each line.

    Characters that are not text are escaped, and so are the prefixes that CI systems interpret as commands
    in a log.
    """
    text = f"{_indented(redact_values(document))}\n"
    text = text.replace("##", r"#\u0023").replace("section_", r"section\u005f")
    return _ESCAPED.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _indented(value: Any) -> str:
    if isinstance(value, list) and len(value) > LONG_LIST:
        # Without indentation, the encoder is ten times faster, and receipts are written often.
        items = ",\n".join("  " + _encode_compact(item) for item in value)
        return f"[\n{items}\n]"
    if isinstance(value, dict) and any(isinstance(part, list) for part in value.values()):
        parts = (f"{json.dumps(key)}: {_indented(part)}" for key, part in value.items())
        members = ",\n".join("  " + part.replace("\n", "\n  ") for part in parts)
        return f"{{\n{members}\n}}"
    return json.dumps(value, indent=2, ensure_ascii=False)
