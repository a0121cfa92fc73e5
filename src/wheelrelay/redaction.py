"""Mask secrets in everything that this process outputs.

Every secret is registered before it is used. Errors, log records, both standard streams, documents and
summaries pass through `redact`. It finds a secret as it is and in the encodings in which servers and programs
repeat text: percent encoding, escapes of JSON, Python and HTML, base64 at any offset, and hexadecimal digits;
each also with line breaks.
"""

import re
import threading
from base64 import b64encode
from collections.abc import Iterator
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from logging import Handler, LogRecord

MASK = "***"
"""The text that replaces a secret."""

MIN_SECRET_LENGTH = 4
"""Minimum length of a secret; shorter ones would match too much other text."""

WHOLE_WORD_LENGTH = 8
"""Secrets shorter than this match whole words only, and no encodings without word boundaries."""

_BREAK = r"(?:=?(?:\r|\\r)?(?:\n|\\n)[ \t]{0,8})?"
"""A line break as in mail, base64, headers and tables.

All repetitions in the patterns of this module are bounded, so that searching takes linear time.
"""

_LOGIN = re.compile(r"(?:^|=)(?:[\w+.-]+://)?[^/\s:@]*:(?![/\\]|\d+(?:/|$))(\S+)@")


class _Secret:
    """A secret and the patterns that find it.

    Args:
        value: The secret.
    """

    def __init__(self, value: str) -> None:
        self._value = value
        run = max(re.findall("[A-Za-z0-9]*", value), key=len)
        self._signs = [run, *(sign for sign, _ in self._hidden())] if len(run) > 1 else [""]
        self._small_signs = [*_signs_of_digits(value), *_signs_of_escapes(value)]

    def _hidden(self) -> Iterator[tuple[str, str]]:
        return _hidden_forms(self._value) if len(self._value) >= WHOLE_WORD_LENGTH else iter(())

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        """Compiled on first use, because most texts contain no sign of the secret."""
        plain = _BREAK.join(map(_spellings, self._value))
        if len(self._value) < WHOLE_WORD_LENGTH:
            plain = f"(?<![A-Za-z0-9]){plain}(?![A-Za-z0-9])"
        return re.compile("|".join([plain, *(form for _, form in self._hidden())]))

    def masked(self, text: str, seen: "_Seen") -> str:
        """Return the text with the secret masked; fast if the text contains no sign of it."""
        if any(sign in form for form in seen.exact for sign in self._signs) or any(
            sign in form for form in seen.small for sign in self._small_signs
        ):
            return self._pattern.sub(MASK, text)
        return text


_secrets: dict[str, _Secret] = {}
_lock = threading.Lock()


def register_secret(*values: str | None) -> None:
    """Mask secrets in all output from now on.

    Args:
        values: The secrets. ``None`` and texts shorter than `MIN_SECRET_LENGTH` are ignored.
    """
    global _secrets
    for value in values:
        if value and len(value) >= MIN_SECRET_LENGTH and value not in _secrets:
            with _lock:
                known = {**_secrets, value: _Secret(value)}
                # Longest first: a secret may contain another one.
                _secrets = {secret: known[secret] for secret in sorted(known, key=len, reverse=True)}
            _guard_log()


def clear_secrets() -> None:
    """Forget all secrets, for processes that continue with other work."""
    global _secrets
    with _lock:
        _secrets = {}


def register_login(text: str) -> None:
    """Mask the password in a URL, with or without a scheme."""
    if "@" in text and (match := _LOGIN.match(text)):
        register_secret(match[1])


def redact(text: str) -> str:
    """Return the text with every registered secret replaced by `MASK`.

    >>> register_secret("correct horse")
    >>> redact("https://example.org/?password=correct%20horse")
    'https://example.org/?password=***'
    """
    if not _secrets:
        return text
    seen = _Seen(text)
    for secret in _secrets.values():
        text = secret.masked(text, seen)
    return text


def redact_values(part: Any) -> Any:
    """Return a JSON document with all strings redacted except keys."""
    if not _secrets:
        return part
    if isinstance(part, str):
        return redact(part)
    if isinstance(part, dict):
        return {key: redact_values(value) for key, value in part.items()}
    if isinstance(part, list | tuple):
        return [redact_values(value) for value in part]
    return part


def _guard_log() -> None:
    """Redact every record of our loggers before other handlers receive it."""
    import logging

    logger, guard = logging.getLogger("wheelrelay"), _log_guard()
    if guard not in logger.handlers:
        logger.handlers.insert(0, guard)


@cache
def _log_guard() -> "Handler":
    import logging

    class Guard(logging.Handler):
        def handle(self, record: "LogRecord") -> bool:
            record.msg, record.args = redact(record.getMessage()), ()
            if record.exc_info and not record.exc_text:
                record.exc_text = redact(logging.Formatter().formatException(record.exc_info))
            last = logging.lastResort  # logging skips it if there is any handler, and ours is one
            if last and record.levelno >= last.level and not self._has_other_handler(record.name):
                last.handle(record)
            return True

        def _has_other_handler(self, name: str) -> bool:
            logger: logging.Logger | None = logging.getLogger(name)
            while logger:
                if any(handler is not self for handler in logger.handlers):
                    return True
                logger = logger.parent if logger.propagate else None
            return False

    return Guard()


class _Seen:
    """A text in the forms that are searched for signs of secrets: as it is, and without line breaks.

    Args:
        text: Any text.
    """

    def __init__(self, text: str) -> None:
        self.exact = [text]
        if "\n" in text or "\\n" in text:
            lines = text.replace("\\r", "").replace("\\n", "\n").split("\n")
            self.exact.append("".join(line.strip().removesuffix("=") for line in lines))
        self.small = [form.lower() for form in self.exact]


def _signs_of_digits(value: str) -> Iterator[str]:
    """Yield lower-case parts of the hexadecimal form, also with separators."""
    content = value.encode("utf-8", "surrogatepass")
    if len(value) >= WHOLE_WORD_LENGTH:
        yield content.hex()
        for separator in ": -":
            yield content[:4].hex(separator)


def _signs_of_escapes(value: str) -> Iterator[str]:
    """Yield lower-case beginnings of the secret with every character escaped."""
    first = value.encode("utf-8", "surrogatepass")[:2]
    for form in ("%{:02x}", "%25{:02x}", "\\x{:02x}", "\\u{:04x}"):
        yield "".join(map(form.format, first))
    for form in ("&#x{:x};", "&#{};", "&amp;#x{:x};", "&amp;#{};"):
        yield "".join(map(form.format, first))


def _spellings(character: str) -> str:
    """Return a pattern for all encodings of a character."""
    from html.entities import codepoint2name  # slow to import, and rarely needed

    number, encoded = ord(character), character.encode("utf-8", "surrogatepass")
    name = codepoint2name.get(number, "apos" if character == "'" else None)
    forms = [
        re.escape(character),
        "".join(f"%(?:25){{0,3}}{_any_case(f'{byte:02x}')}" for byte in encoded),
        f"&(?:amp;){{0,3}}#(?:0{{0,4}}{number}|[xX]0{{0,4}}{_any_case(f'{number:x}')});?",
        rf"\\{{1,7}}(?:u{_any_case(f'{number:04x}')}|x{_any_case(f'{number:02x}')})",
    ]
    if not (character.isascii() and character.isalnum()):
        forms.append(rf"\\{{1,7}}{re.escape(character)}")
    if name:
        forms.append(f"&(?:amp;){{0,3}}{name};?")
    if character == " ":
        forms.append(r"\+")
    if 0x80 <= number < 0x100:  # as Latin-1
        forms.append(f"%(?:25){{0,3}}{_any_case(f'{number:02x}')}")
    if not character.isascii():  # UTF-8 bytes of a header, decoded as Latin-1
        forms.append("".join(f"(?:{re.escape(chr(byte))}|\N{REPLACEMENT CHARACTER})" for byte in encoded))
    return f"(?:{'|'.join(forms)})"


def _any_case(digits: str) -> str:
    return "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in digits)


def _hidden_forms(value: str) -> Iterator[tuple[str, str]]:
    """Yield a sign and a pattern for each encoding that does not align with characters."""
    content = value.encode("utf-8", "surrogatepass")
    pairs = (_BREAK.join(map(_any_case, f"{byte:02x}")) for byte in content)
    yield content.hex().upper(), rf"(?:[ :-]|{_BREAK})".join(pairs)
    for ahead in range(3):
        whole = b64encode(b"\0" * ahead + content).decode().rstrip("=")
        # The first and the last characters depend on what surrounds the secret.
        stable = whole[(0, 2, 3)[ahead] : -1]
        sign = max(re.findall("[A-Za-z0-9]+", stable), key=len)
        pattern = _BREAK.join(
            {"+": "[+-]", "/": r"(?:\\{0,7}/|_)"}.get(character, character) for character in stable
        )
        yield sign, rf"[A-Za-z0-9+/_-]{{0,{(0, 2, 2)[ahead]}}}{pattern}[A-Za-z0-9+/_-]?={{0,2}}"
