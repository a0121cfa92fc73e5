"""Checks of a wheel's tags.

These are ``platform-tag``, ``wheel-tags``, ``wheel-build``, ``wheel-python-tag`` and
``wheel-requires-python``.
"""

import re
from collections.abc import Iterator
from email.message import Message

from packaging.tags import Tag

from wheelrelay.checks.contract import Check, FileChecks, Profile, Violation
from wheelrelay.checks.distribution import Distribution
from wheelrelay.checks.wheel import field, parse_wheel_file
from wheelrelay.environments import interpreters_of
from wheelrelay.model import DistFile, expanded_tags, wheel_parts
from wheelrelay.printable import join_names, printable
from wheelrelay.records import Severity

_N = r"\d+"
_IPHONE = "(?:iphoneos|iphonesimulator)"
_LINUX = "x86_64 i686 aarch64 armv7l ppc64le s390x riscv64"
_MACOS = "ppc ppc64 i386 x86_64 arm64 intel fat fat3 fat64 universal universal2"

_ACCEPTED_BY_PYPI = (
    ("any", ""),
    ("win32", ""),
    ("win_{}", "amd64 arm64 ia64"),
    ("manylinux1_{}", "x86_64 i686"),
    ("manylinux2010_{}", "x86_64 i686"),
    ("manylinux2014_{}", "x86_64 i686 aarch64 armv7l ppc64 ppc64le s390x"),
    (f"manylinux_{_N}_{_N}_{{}}", f"{_LINUX} ppc64"),
    (f"musllinux_{_N}_{_N}_{{}}", _LINUX),
    ("linux_{}", "armv6l armv7l"),
    (f"macosx_10_{_N}_{{}}", _MACOS),
    ("macosx_(11|12|13|14|15|26)_0_{}", _MACOS),
    (f"ios_{_N}_{_N}_{{}}_{_IPHONE}(?!.*_{_IPHONE}).*", "arm64 x86_64"),
    (f"android_{_N}_{{}}", "armeabi_v7a arm64_v8a x86 x86_64"),
    (f"pyemscripten_{_N}_{_N}_wasm32.*", ""),
)
"""The platform tags that PyPI accepts, as patterns with their architectures; some match any suffix."""

_ACCEPTED = re.compile(
    "|".join(pattern.format(f"({archs.replace(' ', '|')})") for pattern, archs in _ACCEPTED_BY_PYPI)
)

PLATFORM_TAG = Check(
    "platform-tag",
    "PyPI accepts every platform tag of a wheel.",
    hint="Run 'auditwheel repair' (Linux) or 'delocate-wheel' (macOS), or build for another platform.",
    profile=Profile.PYPI,
)
TAGS = Check(
    "wheel-tags",
    "The tags in WHEEL match the tags in the filename.",
    hint="Change tags with 'wheel tags', auditwheel or delocate, which update both. Do not rename wheels.",
    severity=Severity.WARNING,
    lenient_severity=Severity.WARNING,
)
BUILD_TAG = Check(
    "wheel-build",
    "The build tag in WHEEL matches the build tag in the filename.",
    hint="Change the build tag with 'wheel tags --build', which updates both. Do not rename wheels.",
    severity=Severity.WARNING,
    lenient_severity=Severity.WARNING,
)
PYTHON_TAG = Check(
    "wheel-python-tag",
    "Python tags consist of letters, digits and '_'.",
    hint="Use cp314 instead of cp3.14; a dot separates several tags.",
    severity=Severity.WARNING,
    lenient_severity=Severity.WARNING,
)
REQUIRES_PYTHON = Check(
    "wheel-requires-python",
    "A Python that the tags of a wheel name satisfies its Requires-Python.",
    hint="Correct Requires-Python, or do not publish the wheel: installers never choose it.",
    severity=Severity.WARNING,
)


def _find(distribution: Distribution) -> Iterator[Violation]:
    file = distribution.file
    if file is None:
        return
    refused = sorted({tag.platform for tag in file.tags if not _ACCEPTED.fullmatch(tag.platform)})
    if refused:
        yield PLATFORM_TAG.violation(f"PyPI does not accept wheels for {join_names(refused)}.")
    unusual = sorted({tag.interpreter for tag in file.tags if not tag.interpreter.isidentifier()})
    if unusual:
        yield PYTHON_TAG.violation(f"Installers may ignore the Python tag {join_names(unusual)}.")
    yield from _find_excluded(file, distribution)
    fields = parse_wheel_file(distribution)
    if fields is not None:
        yield from _compare_with_filename(file, fields)


def _compare_with_filename(file: DistFile, fields: Message) -> Iterator[Violation]:
    in_wheel = _tags_in_wheel_file(fields)
    differences = {"WHEEL": in_wheel - file.tags, "the filename": file.tags - in_wheel}
    parts = [
        f"only in {place}: {join_names(sorted(map(str, tags)))}"
        for place, tags in differences.items()
        if tags
    ]
    if parts:
        yield TAGS.violation(f"The tags differ; {'; '.join(parts)}.")
    build, expected = field(fields, "Build"), wheel_parts(file.filename).build
    if build != expected:
        in_wheel_file, in_filename = (printable(tag) if tag else "missing" for tag in (build, expected))
        yield BUILD_TAG.violation(
            f"The build tag is {in_wheel_file} in WHEEL and {in_filename} in the filename."
        )


def _tags_in_wheel_file(fields: Message) -> frozenset[Tag]:
    """Return the tags that WHEEL lists, with compressed sets expanded; ignore lines that are not tags."""
    tags: frozenset[Tag] = frozenset()
    for line in fields.get_all("Tag", []):
        if str(line).count("-") == 2:
            tags |= expanded_tags(str(line).strip())
    return tags


def _find_excluded(file: DistFile, distribution: Distribution) -> Iterator[Violation]:
    """Yield a violation if Requires-Python excludes every Python that the tags name."""
    metadata = distribution.metadata
    requires_python = metadata.raw.get("requires_python") if metadata else None
    pythons = interpreters_of(file.tags)
    if pythons and not any(python.satisfies(requires_python) for python in pythons):
        names = join_names([python.label for python in pythons])
        yield REQUIRES_PYTHON.violation(
            f"The tags name {names}, and Requires-Python is {printable(requires_python or '')}."
        )


CHECKS = FileChecks((PLATFORM_TAG, TAGS, BUILD_TAG, PYTHON_TAG, REQUIRES_PYTHON), _find)
