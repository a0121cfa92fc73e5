"""What an archive may cost to read; real distribution files stay far below each of these limits."""

import struct
import tarfile
import zipfile
import zlib

MEMBERS = 250_000
"""Members of an archive."""

HEADER = 1 << 20
"""Bytes of all headers before one member of a tar archive."""

HEADER_READS = 256
"""How many headers and parts of headers there may be before one member of a tar archive."""

HEADERS = 128 << 20
"""Bytes of all extended headers of a tar archive together."""

FIELDS = 1_000
"""Fields of the global headers of a tar archive."""

DIGITS = 100
"""Digits in a row in a header. Python before 3.11.10 and 3.12.6 takes quadratic time for them."""

DIRECTORY = 32 << 20
"""Bytes of the central directory of a zip archive."""

PATH = 4096
"""Characters of a path; no system unpacks a longer one."""

RATIO_FROM = 64 << 20
"""Bytes of unpacked content from which on the compression ratio counts."""

MOST_RATIO = 200
"""How many times as large as the file its content may be."""


class Implausible(ValueError):
    """The archive exceeds a limit, so it is not read to its end; the message is the end of a sentence."""


BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    OverflowError,
    NotImplementedError,
    RecursionError,
)
"""What the standard library raises for archives that are broken."""
