"""Keep secrets out of all that this process shows: one list of those in use, and one filter that knows them.

Every secret is entered here before it is used. What leaves the process passes the filter: errors when they
are made, log records, both standard streams, documents and summaries. A secret is found as it is, and in the
encodings that servers and programs repeat things in: percent codes, escapes of JSON, Python and HTML, base64
whatever surrounds it, and hexadecimal digits; each also where it is broken into lines.
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
"""What takes the place of a secret."""

MIN_SECRET_LENGTH = 4
"""Characters of the shortest secret that is looked for: a shorter one is in too much that is none."""

WHOLE_WORD_LENGTH = 8
"""A secret of fewer characters counts as a whole word only, and in no encoding that hides its ends."""

_BREAK = r"(?:=?(?:\r|\\r)?(?:\n|\\n)[ \t]{0,8})?"
"""A line break that somebody put in, as mail, base64, headers and tables have them.

Here as in all patterns, whatever may be repeated is bounded, so that no text takes long to search.
"""

_LOGIN = re.compile(r"(?:^|=)(?:[\w+.-]+://)?[^/\s:@]*:(?![/\\]|\d+(?:/|$))(\S+)@")


class _Secret:
    """One secret, and how to find it.

    Args:
        value: the secret.
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
        """Made when a sign of the secret is seen, which is seldom."""
        plain = _BREAK.join(map(_spellings, self._value))
        if len(self._value) < WHOLE_WORD_LENGTH:
            plain = f"(?<![A-Za-z0-9]){plain}(?![A-Za-z0-9])"
        return re.compile("|".join([plain, *(form for _, form in self._hidden())]))

    def masked(self, text: str, seen: "_Seen") -> str:
        """The text without the secret; quick where no sign of it is there."""
        if any(sign in each for each in seen.exact for sign in self._signs) or any(
            sign in each for each in seen.small for sign in self._small_signs
        ):
            return self._pattern.sub(MASK, text)
        return text


_secrets: dict[str, _Secret] = {}
_lock = threading.Lock()


def register_secret(*values: str | None) -> None:
    """Keep secrets out of what is shown from now on.

    Args:
        values: the secrets; missing ones and those shorter than `MIN_SECRET_LENGTH` are ignored.
    """
    global _secrets
    for value in values:
        if value and len(value) >= MIN_SECRET_LENGTH and value not in _secrets:
            with _lock:
                known = {**_secrets, value: _Secret(value)}
                _secrets = {each: known[each] for each in sorted(known, key=len, reverse=True)}
            _guard_log()


def clear_secrets() -> None:
    """Begin anew, as when a process goes on with other work in which none of the secrets is used."""
    global _secrets
    with _lock:
        _secrets = {}


def register_login(text: str) -> None:
    """Keep a password out of what is shown that was written into an address, with or without a scheme."""
    if "@" in text and (found := _LOGIN.match(text)):
        register_secret(found[1])


def redact(text: str) -> str:
    """The text with `MASK` in place of every secret in use.

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
    """A document of JSON with every text in it redacted; its keys stay."""
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
    """Have every record of our loggers redacted before any handler elsewhere sees it."""
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
            last = logging.lastResort  # which is not asked any more where any handler is
            if last and record.levelno >= last.level and not self._has_company(record.name):
                last.handle(record)
            return True

        def _has_company(self, name: str) -> bool:
            logger: logging.Logger | None = logging.getLogger(name)
            while logger:
                if any(handler is not self for handler in logger.handlers):
                    return True
                logger = logger.parent if logger.propagate else None
            return False

    return Guard()


class _Seen:
    """Where signs of secrets are looked for: a text, and all of it on one line.

    Args:
        text: any text.
    """

    def __init__(self, text: str) -> None:
        self.exact = [text]
        if "\n" in text or "\\n" in text:
            lines = text.replace("\\r", "").replace("\\n", "\n").split("\n")
            self.exact.append("".join(line.strip().removesuffix("=") for line in lines))
        self.small = [each.lower() for each in self.exact]


def _signs_of_digits(value: str) -> Iterator[str]:
    """What tells of hexadecimal digits, in small letters, also with something between the bytes."""
    content = value.encode("utf-8", "surrogatepass")
    if len(value) >= WHOLE_WORD_LENGTH:
        yield content.hex()
        for between in ": -":
            yield content[:4].hex(between)


def _signs_of_escapes(value: str) -> Iterator[str]:
    """What tells of a secret each of whose characters is escaped, in small letters."""
    first = value.encode("utf-8", "surrogatepass")[:2]
    for form in ("%{:02x}", "%25{:02x}", "\\x{:02x}", "\\u{:04x}"):
        yield "".join(map(form.format, first))
    for form in ("&#x{:x};", "&#{};", "&amp;#x{:x};", "&amp;#{};"):
        yield "".join(map(form.format, first))


def _spellings(character: str) -> str:
    """A pattern of all that encodings make of a character."""
    from html.entities import codepoint2name  # large, and needed only where a sign of a secret is seen

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
    if not character.isascii():  # as a header shows it, whose bytes are taken for Latin-1
        forms.append("".join(f"(?:{re.escape(chr(byte))}|\N{REPLACEMENT CHARACTER})" for byte in encoded))
    return f"(?:{'|'.join(forms)})"


def _any_case(digits: str) -> str:
    return "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in digits)


def _hidden_forms(value: str) -> Iterator[tuple[str, str]]:
    """Encodings that hide where characters begin: what tells of each, and its pattern."""
    content = value.encode("utf-8", "surrogatepass")
    pairs = (_BREAK.join(map(_any_case, f"{byte:02x}")) for byte in content)
    yield content.hex().upper(), rf"(?:[ :-]|{_BREAK})".join(pairs)
    for ahead in range(3):
        whole = b64encode(b"\0" * ahead + content).decode().rstrip("=")
        # The first and the last characters depend on what surrounds the secret.
        sure = whole[(0, 2, 3)[ahead] : -1]
        sign = max(re.findall("[A-Za-z0-9]+", sure), key=len)
        pattern = _BREAK.join({"+": "[+-]", "/": r"(?:\\{0,7}/|_)"}.get(each, each) for each in sure)
        yield sign, rf"[A-Za-z0-9+/_-]{{0,{(0, 2, 2)[ahead]}}}{pattern}[A-Za-z0-9+/_-]?={{0,2}}"
