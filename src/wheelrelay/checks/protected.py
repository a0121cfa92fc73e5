"""The check for encrypted modules, which PyPI does not accept: it searches Python files for their marks."""

from pathlib import PurePosixPath

from wheelrelay.checks.check import Check, Profile

SUFFIXES = (".py", ".pye")
LARGEST = 5 << 20
"""Bytes that a file may have to be searched."""

PYARMOR = (
    b"__pyarmor__(__name__, __file__,",
    b"__pyarmor_enter__",
    b"__pyarmor_exit__",
    b"__pyarmor_assert__",
    b"__pyarmor_bcc__",
)
"""Each of these shows that PyArmor encrypted a file."""

SOURCEDEFENDER = (b"---BEGIN PYE FILE---", b"---END PYE FILE---")
"""Both of these together show that SourceDefender did."""

PROTECTED = Check(
    "protected-code",
    "No Python file is encrypted by PyArmor or SourceDefender.",
    hint="PyPI's acceptable use policy does not allow such files: publish the source, or use another index.",
    profile=Profile.PYPI,
)


def is_searched(path: str, size: int) -> bool:
    """Whether a member is one that is searched."""
    return size <= LARGEST and PurePosixPath(path).suffix.lower() in SUFFIXES


def protection(content: bytes) -> str | None:
    """What encrypted a Python file; ``None`` if nothing did."""
    if any(mark in content for mark in PYARMOR):
        return "PyArmor"
    return "SourceDefender" if all(mark in content for mark in SOURCEDEFENDER) else None
