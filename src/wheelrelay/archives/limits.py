"""Limits on the cost of reading an archive. Real distribution files stay far below each of them."""

import struct
import tarfile
import zipfile
import zlib

MAX_MEMBERS = 250_000
"""Members of an archive."""

MAX_MEMBER_HEADERS = 1 << 20
"""Bytes of all headers in front of one member of a tar archive."""

MAX_MEMBER_HEADER_READS = 256
"""Reads of headers, and of parts of them, in front of one member of a tar archive."""

MAX_EXTENDED_HEADERS = 128 << 20
"""Bytes of all extended headers of a tar archive together."""

MAX_GLOBAL_FIELDS = 1_000
"""Fields of the global headers of a tar archive."""

MAX_DIGITS = 100
"""Digits in a row in a header. Python before 3.11.10 and 3.12.6 needs quadratic time to parse them."""

MAX_DIRECTORY = 32 << 20
"""Bytes of the central directory of a zip archive."""

MAX_PATH = 4096
"""Characters of a path; no system unpacks a longer one."""

MIN_CONTENT_FOR_RATIO = 64 << 20
"""Bytes of unpacked content up to which the compression ratio does not matter."""

MAX_RATIO = 200
"""Unpacked size of an archive, as a multiple of the size of the file."""

PYPI_MAX_RATIO = 50
"""The same limit at PyPI, which applies it to wheels."""


class LimitExceeded(ValueError):
    """The archive exceeds a limit, so reading stops; the message is a clause without a full stop."""


ARCHIVE_ERRORS = (
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
"""The errors that the standard library raises for broken archives."""
