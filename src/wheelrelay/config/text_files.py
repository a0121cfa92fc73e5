"""Read the text files that people write: sums, build identifiers, configuration."""

import codecs
from pathlib import Path

from wheelrelay.errors import ConfigError

LARGEST = 64 << 20
"""Bytes that a text file may have; those of the largest releases have far fewer."""

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_text(path: Path) -> str:
    """The text of a file, as editors and shells save it.

    UTF-8 with or without a byte order mark, and UTF-16 with one, as PowerShell writes it by ``>``.

    Args:
        path: the file.

    Raises:
        ConfigError: it cannot be read, has more than `LARGEST` bytes, or is in another encoding.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(LARGEST + 1)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from error
    if len(content) > LARGEST:
        raise ConfigError(f"{path} is too large: over {LARGEST >> 20} MiB.")
    try:
        return content.decode("utf-16" if content.startswith(_UTF16) else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 text.", hint="Save it as UTF-8.") from error
