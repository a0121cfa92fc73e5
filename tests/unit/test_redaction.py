"""Secrets in use are masked in whatever leaves the process, however they are spelled there."""

import base64
import html
import io
import json
import logging
import re
import subprocess
import sys
from urllib.parse import quote, quote_plus

import pytest
from tests.servers.canaries import canary, disguises

from wheelrelay.cli.render.blocks import Line
from wheelrelay.cli.render.console import ProtectedStream
from wheelrelay.cli.render.markdown import escaped
from wheelrelay.errors import BackendError
from wheelrelay.json_text import to_json
from wheelrelay.redaction import MASK, clear_secrets, redact, redact_values, register_login, register_secret

SECRET = "p+ss/w\"r'd & <Päß>=?0123"
SPELLED = {
    "itself": SECRET,
    "percent codes": quote(SECRET, safe=""),
    "percent codes in small letters": re.sub("%..", lambda found: found[0].lower(), quote(SECRET, safe="")),
    "percent codes twice": quote(quote(SECRET, safe=""), safe=""),
    "a form": quote_plus(SECRET),
    "HTML": html.escape(SECRET),
    "HTML twice": html.escape(html.escape(SECRET)),
    "HTML by number": "".join(one if one.isascii() and one.isalnum() else f"&#{ord(one)};" for one in SECRET),
    "HTML by hexadecimal number": "".join(
        one if one.isascii() and one.isalnum() else f"&#x{ord(one):X};" for one in SECRET
    ),
    "JSON": json.dumps(SECRET)[1:-1],
    "JSON as it is": json.dumps(SECRET, ensure_ascii=False)[1:-1],
    "JSON within JSON": json.dumps(json.dumps(SECRET))[3:-3],
    "JSON of PHP": json.dumps(SECRET)[1:-1].replace("/", "\\/"),
    "Python": repr(SECRET)[1:-1],
    "Python in ASCII": ascii(SECRET)[1:-1],
    "bytes of a header": SECRET.encode().decode("latin-1"),
    "every character as a percent code": "".join(f"%{byte:02x}" for byte in SECRET.encode()),
    "every character of HTML by number": "".join(f"&#{ord(one)};" for one in SECRET),
    "every character of HTML by hexadecimal number": "".join(f"&#x{ord(one):x};" for one in SECRET),
    "every character of JSON by number": "".join(f"\\u{ord(one):04X}" for one in SECRET),
    "every byte of Python by number": "".join(f"\\x{byte:02x}" for byte in SECRET.encode("latin-1")),
    "percent codes of Latin-1": quote(SECRET, safe="", encoding="latin-1"),
    "two lines": SECRET[:8] + "\n" + SECRET[8:],
    "two lines of a header": SECRET[:8] + "\r\n " + SECRET[8:],
    "two lines in the middle of a word": SECRET[:-2] + "\n" + SECRET[-2:],
    "two lines within JSON": SECRET[:8] + "\\r\\n" + SECRET[8:],
    "quoted-printable": SECRET[:-2] + "=\n" + SECRET[-2:],
    "base64 in lines": re.sub("(.{9})", r"\1\n", base64.b64encode(SECRET.encode()).decode()),
    "hexadecimal in lines": re.sub("(.{9})", r"\1\n", SECRET.encode().hex()),
    "hexadecimal with colons": SECRET.encode().hex(":"),
    "hexadecimal with blanks": SECRET.encode().hex(" ", 1).upper(),
    "hexadecimal": SECRET.encode().hex(),
    "hexadecimal in capitals": SECRET.encode().hex().upper(),
    **{
        f"{encode.__name__} after {ahead}": encode(b"u" * ahead + SECRET.encode() + b"x" * behind).decode()
        for encode in (base64.b64encode, base64.urlsafe_b64encode)
        for ahead, behind in ((0, 0), (1, 1), (2, 0), (3, 2), (4, 1))
    },
}


@pytest.mark.parametrize("how", SPELLED)
def test_secret_is_masked_in_every_encoding(how):
    register_secret(SECRET)
    masked = redact(f"You sent <{SPELLED[how]}>.")
    assert MASK in masked
    assert len(masked) < len("You sent <***>.") + 12
    assert "0123" not in masked


def test_every_encoding_of_the_canary_tests_is_covered():
    for _ in range(50):
        secret = canary("any")
        register_secret(secret)
        assert [each for each in disguises(secret) if each in redact(f"({each})")] == []


def test_other_text_is_unchanged():
    register_secret(SECRET, "hunter2")
    for text in ("p+ss", "0123", "hunter", "hunter22", "https://example.org/a%20b", "Zm9vYmFy"):
        assert redact(text) == text


def test_short_secrets_match_whole_words_and_shorter_ones_nothing():
    register_secret("test", "ci")
    assert redact("testpypi has a test, says ci") == "testpypi has a ***, says ci"


def test_longer_secret_is_masked_first():
    register_secret("hunter2-and-more", "hunter2-")
    assert redact("hunter2-and-more") == MASK


def test_error_message_is_redacted():
    register_secret(SECRET)
    error = BackendError(f"It answered {SECRET}.", hint=f"Not {quote(SECRET)}.").at(f"sink {SECRET!r}")
    assert str(error) == f"sink '{MASK}': It answered {MASK}. Not {MASK}."
    assert SECRET not in repr(error)


def test_log_records_are_redacted_for_all_handlers(caplog):
    register_secret(SECRET)
    logger = logging.getLogger("wheelrelay.backends.somewhere")
    with caplog.at_level(logging.INFO):
        try:
            raise ValueError(SECRET)
        except ValueError:
            logger.exception("%s was sent", SECRET)
    assert f"{MASK} was sent" in caplog.text
    assert f"ValueError: {MASK}" in caplog.text
    assert SECRET not in caplog.text


def test_warnings_are_printed_without_a_log_handler():
    code = (
        "import logging\nfrom wheelrelay.redaction import register_secret\n"
        "register_secret('hunter2-hunter2')\n"
        "logging.getLogger('wheelrelay.x').info('quiet')\n"
        "logging.getLogger('wheelrelay.x').warning('%s is wrong', 'hunter2-hunter2')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == f"{MASK} is wrong\n"


def test_document_is_redacted_and_stays_valid_json():
    register_secret(SECRET)
    document = {"files": [{"url": f"https://example.org/{SECRET}", "size": 3, "yanked": None}]}
    assert json.loads(to_json(document)) == redact_values(document)
    assert MASK in to_json(document)


def test_password_in_a_url_argument_is_redacted():
    for typed in ("index+https://ci:hunter2/2@example.org/", "--from=ci:hunter2/2@example.org"):
        clear_secrets()
        register_login(typed)
        assert redact(typed) == typed.replace("hunter2/2", MASK)
    clear_secrets()
    for harmless in ("https://example.org:8080/a@b", "git@example.org:owner/name", "sample==1.0", "C:/a@b"):
        register_login(harmless)
        assert redact(harmless) == harmless


@pytest.mark.parametrize("turning", "\u061c\u200e\u200f\u2028\u2029\u202a\u202e\u2066\u2069")
def test_bidi_and_line_break_characters_are_stripped_from_output(turning):
    written = io.StringIO()
    ProtectedStream(written).write(f"a{turning}b ä\n")
    assert written.getvalue() == f"a\\u{ord(turning):04x}b ä\n"
    assert escaped(f"a{turning}b") == "a b"


@pytest.mark.parametrize("control", ["\x80", "\x9b", "\x9d", "\x9f"])
def test_c1_control_characters_are_stripped_from_terminal_output(control):
    written = io.StringIO()
    ProtectedStream(written).write(f"a{control}2Jb ä\n")
    assert written.getvalue() == f"a\\u{ord(control):04x}2Jb ä\n"
    assert control not in Line(f"a{control}b").text
    assert json.loads(to_json({"name": control})) == {"name": control}
    assert control not in to_json({"name": control})
