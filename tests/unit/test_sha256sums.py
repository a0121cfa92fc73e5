"""Lists of sha256 sums."""

import pytest

from wheelrelay.errors import ConfigError
from wheelrelay.expect import parse_sha256sums

DIGEST = "ab" * 32


@pytest.mark.parametrize(
    "text",
    [
        f"{DIGEST}  sample.whl\n",
        f"{DIGEST} *sample.whl\r\n",
        f"# sums\n\n{DIGEST.upper()}  ./dist/sample.whl\n",
        f"{DIGEST}  sample.whl\n{DIGEST}  sample.whl\n",
        f"SHA256 (dist/sample.whl) = {DIGEST}\n",
        f"SHA256(sample.whl)= {DIGEST}\r\n",
        f"SHA2-256(sample.whl)= {DIGEST}\n",
        f"{DIGEST}  dist\\sample.whl\r\n",
    ],
)
def test_reads_every_common_format(text):
    assert parse_sha256sums(text) == {"sample.whl": DIGEST}


@pytest.mark.parametrize(
    "text",
    [
        f"SHA512 (sample.whl) = {DIGEST}\n",
        f"SHA256 () = {DIGEST}\n",
        "sample.whl\n",
        f"{DIGEST[:40]}  sample.whl",
        f"{DIGEST}  a\n{'cd' * 32}  a\n",
        f"{DIGEST}  x/\n",
    ],
)
def test_error_names_the_invalid_line(text):
    with pytest.raises(ConfigError, match=r"Line 1|two digests for a"):
        parse_sha256sums(text)


@pytest.mark.parametrize("inside", ["\u2028", "\u2029", "\x85", "\v", "\f", "\x1c", "\r"])
def test_only_line_feeds_end_lines(inside):
    other = "0" * 64
    text = f"{DIGEST}  evil{inside}{other}  sample.whl\n"
    assert parse_sha256sums(text) == {f"evil{inside}{other}  sample.whl": DIGEST}
