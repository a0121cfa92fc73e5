"""Read a list of sha256 sums, as announcements carry them and ``sha256sum -c`` checks them."""

import re

from wheelrelay.errors import ConfigError


def parse_sums(text: str) -> dict[str, str]:
    """Read a list of digests as ``sha256sum`` writes it: the sha256 of each file by its name.

    Raises:
        ConfigError: a line is not of that form, or a name stands there twice with different digests.
    """
    sums: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        found = re.fullmatch(r"([0-9a-fA-F]{64})\s[ *]?(?:.*/)?([^/]+)", line.strip())
        if not found:
            raise ConfigError(f"Line {number} of the sha256 sums is not DIGEST and NAME.")
        digest, name = found[1].lower(), found[2]
        if sums.setdefault(name, digest) != digest:
            raise ConfigError(f"The sha256 sums have two digests for {name}.")
    return sums
