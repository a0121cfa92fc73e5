"""Recognize Python files that PyArmor or SourceDefender encrypted; PyPI searches for the same markers."""

from pathlib import PurePosixPath

SUFFIXES = (".py", ".pye")
MAX_SIZE = 5 << 20
"""Bytes of a file that is searched."""

PYARMOR_MARKERS = (
    b"__pyarmor__(__name__, __file__,",
    b"__pyarmor_enter__",
    b"__pyarmor_exit__",
    b"__pyarmor_assert__",
    b"__pyarmor_bcc__",
)
"""PyArmor encrypted a file that contains any of these."""

SOURCEDEFENDER_MARKERS = (b"---BEGIN PYE FILE---", b"---END PYE FILE---")
"""SourceDefender encrypted a file that contains both of these."""


def is_searched(path: str, size: int) -> bool:
    """Return whether a member is searched for markers."""
    return size <= MAX_SIZE and PurePosixPath(path).suffix.lower() in SUFFIXES


def encrypting_tool(content: bytes) -> str | None:
    """Return the name of the tool that encrypted a Python file; ``None`` if it is not encrypted."""
    if any(marker in content for marker in PYARMOR_MARKERS):
        return "PyArmor"
    return "SourceDefender" if all(marker in content for marker in SOURCEDEFENDER_MARKERS) else None
