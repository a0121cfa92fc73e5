"""Checks of the WHEEL file (PyPA: binary distribution format)."""

from collections.abc import Iterator
from email.message import Message
from email.parser import BytesHeaderParser

from packaging.tags import Tag

from wheelrelay.checks.check import Check, Violation, listed, shown
from wheelrelay.checks.contract import FileChecks
from wheelrelay.checks.distribution import Distribution
from wheelrelay.model import expanded_tags, wheel_parts
from wheelrelay.records import Severity

WHEEL_VERSION = Check(
    "wheel-version",
    "Wheel-Version is 1.x.",
    hint="Build it again with a current build tool.",
    below=Severity.WARNING,
)
PURELIB = Check(
    "wheel-purelib",
    "Root-Is-Purelib is 'true' or 'false'.",
    hint="Build it again with a current build tool.",
    below=Severity.WARNING,
)
TAGS = Check(
    "wheel-tags",
    "The tags in WHEEL are those in the filename.",
    hint="Change tags with a tool that changes both (wheel tags, auditwheel, delocate), not by renaming.",
    severity=Severity.WARNING,
    below=Severity.WARNING,
)
BUILD = Check(
    "wheel-build",
    "The build tag in WHEEL is the one in the filename.",
    hint="Change the build tag with a tool that changes both (wheel tags), not by renaming.",
    severity=Severity.WARNING,
    below=Severity.WARNING,
)


def find(distribution: Distribution) -> Iterator[Violation]:
    """Find what is wrong with WHEEL."""
    text = distribution.text("WHEEL") if distribution.is_wheel else None
    if text is None:
        return
    fields = BytesHeaderParser().parsebytes(text)
    version = _one(fields, "Wheel-Version")
    if version.partition(".")[0] != "1":
        yield WHEEL_VERSION.violation(f"Wheel-Version is {shown(version)}.")
    purelib = _one(fields, "Root-Is-Purelib")
    if purelib.lower() not in ("true", "false"):
        yield PURELIB.violation(f"Root-Is-Purelib is {shown(purelib)}.")
    yield from _names(distribution, fields)


def _names(distribution: Distribution, fields: Message) -> Iterator[Violation]:
    assert distribution.file is not None
    differing = sorted(str(tag) for tag in _tags(fields) ^ distribution.file.tags)
    if differing:
        yield TAGS.violation(f"Either WHEEL or the filename lacks {listed(differing)}.")
    build = wheel_parts(distribution.filename).build
    written = _one(fields, "Build")
    if written != build:
        yield BUILD.violation(f"WHEEL has the build tag {shown(written)}, the filename {shown(build)}.")


def _tags(fields: Message) -> frozenset[Tag]:
    """The tags that WHEEL lists, sets expanded; a line that is not a tag counts as none."""
    tags: frozenset[Tag] = frozenset()
    for line in fields.get_all("Tag", []):
        if str(line).count("-") == 2:
            tags |= expanded_tags(str(line).strip())
    return tags


def _one(fields: Message, name: str) -> str:
    return str(fields.get(name, "")).strip()


WHEEL = FileChecks((WHEEL_VERSION, PURELIB, TAGS, BUILD), find)
