"""Read a list of sha256 sums, as announcements carry them and ``sha256sum -c`` checks them."""

import re

from wheelrelay.errors import ConfigError

_SUM = re.compile(
    r"""
    (?P<digest>[0-9a-f]{64}) [ \t] [ *]? (?P<path>.+)  # sha256sum
    | SHA(?:2-)?256 \s? \( (?P<bsd_path>.+) \) \s? = \s? (?P<bsd_digest>[0-9a-f]{64})  # BSD, openssl
    """,
    re.VERBOSE | re.IGNORECASE,
)


def parse_sums(text: str) -> dict[str, str]:
    """Read a list of digests as ``sha256sum``, ``sha256`` of BSD and ``openssl`` write it.

    Args:
        text: one file a line; empty lines and lines that begin with ``#`` do not count. Only a line feed
            ends a line: a name may have any other character in it.

    Returns:
        The sha256 of each file, in lower case, by its name without folders.

    Raises:
        ConfigError: a line is not of that form, or a name has two different digests.

    >>> parse_sums(f"SHA256 (dist/sample-1.0.tar.gz) = {'0' * 64}")
    {'sample-1.0.tar.gz': '0000000000000000000000000000000000000000000000000000000000000000'}
    """
    sums: dict[str, str] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        found = _SUM.fullmatch(line.strip())
        name = re.split(r"[/\\]", found["path"] or found["bsd_path"])[-1] if found else ""
        if not found or not name:
            raise ConfigError(
                f"Line {number} of the sha256 sums is not DIGEST and NAME.",
                hint="Write the file with sha256sum, or with shasum -a 256.",
            )
        digest = (found["digest"] or found["bsd_digest"]).lower()
        if sums.setdefault(name, digest) != digest:
            raise ConfigError(f"The sha256 sums have two digests for {name}.")
    return sums
