"""Test secrets, and the search for them in output, in every encoding."""

import base64
import html
import re
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus


def canary(place: str) -> str:
    """Return a secret for one place, with characters that every encoding changes."""
    return f"c4nary+{place}/{secrets.token_hex(8)}&="


def disguises(secret: str) -> Iterator[str]:
    """The secret itself, URL-encoded, escaped for HTML and JSON, in hex, and in base64 as part of more."""
    yield from {secret, quote(secret, safe=""), quote(secret), quote_plus(secret), html.escape(secret)}
    yield quote(quote(secret, safe=""), safe="")
    yield "".join(one if one.isalnum() else f"&#{ord(one)};" for one in secret)
    yield "".join(one if one.isalnum() else f"\\u{ord(one):04x}" for one in secret)
    yield secret.replace("/", "\\/")
    yield from (secret.encode().hex(), secret.encode().hex().upper())
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for ahead in range(3):
            text = encode(b"\0" * ahead + secret.encode()).decode().rstrip("=")
            # The first and the last characters depend on the surrounding text.
            yield text[(0, 2, 3)[ahead] : -1]


def seen(text: str, canaries: Iterable[str]) -> list[str]:
    """Return the secrets that a text contains in any encoding, also across line breaks."""
    whole = re.sub(r"\s+", "", text)
    return [
        one for one in canaries if any(disguise in text or disguise in whole for disguise in disguises(one))
    ]


def text_below(folder: Path) -> str:
    """Return the content of all files below a folder."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return "\n".join(path.read_bytes().decode("utf-8", "replace") for path in files)
