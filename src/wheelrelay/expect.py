"""Compare a release with the files that are expected.

An expected wheel is a tag pattern (see `wheelrelay.tags`) or a build identifier of cibuildwheel, such as
``cp312-manylinux_x86_64``, which stays valid when the manylinux version changes.
"""

import re
from collections.abc import Iterable, Sequence

from wheelrelay.errors import ConfigError
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.model import DistFile, Kind
from wheelrelay.tags import STABLE_ABIS, TagPattern

BUILD_IDENTIFIER = re.compile(r"(?P<python>cp\d+|pp\d+|gp\d+_\d+)(?P<threads>t?)-(?P<platform>\w+)")

VERSIONED_PLATFORMS = ("manylinux", "musllinux", "macosx", "ios", "android", "pyodide", "pyemscripten")
"""Platforms whose tags contain a version, which build identifiers leave out."""

GENERAL_ABIS = frozenset({*STABLE_ABIS, "none"})
"""ABIs of wheels that several Pythons can install."""

_COUNT = re.compile(r"\d+ of \d+ files")
"""The expectation of a number of files, among those that are missing."""

_SHA256SUM = re.compile(
    r"""
    (?P<digest>[0-9a-f]{64}) [ \t] [ *]? (?P<path>.+)  # sha256sum
    | SHA(?:2-)?256 \s? \( (?P<bsd_path>.+) \) \s? = \s? (?P<bsd_digest>[0-9a-f]{64})  # BSD, openssl
    """,
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class ExpectedWheel:
    """One wheel that a release must contain.

    Wheels that run on more than their own tags meet several expectations: a wheel for a stable ABI, those of
    later CPythons of its kind on its platform; a ``py3-none`` wheel, those of all Pythons on its platform.
    Such a wheel that is itself expected, by its ABI, meets no other expectation: it would hide that another
    wheel is missing. Platforms are exact: ``universal2`` meets no expectation of ``arm64``.

    Attributes:
        name: The pattern or build identifier, with braces expanded.
        pattern: The pattern that a wheel must match.
    """

    name: str
    pattern: TagPattern

    def is_met_by(self, wheel: DistFile) -> bool:
        """Return whether the wheel meets this expectation, if it is not expected itself."""
        return self.pattern.is_met_by(wheel.tags)

    def matches(self, wheel: DistFile) -> bool:
        """Return whether the wheel has the very tags of this expectation."""
        return self.pattern.matches(wheel.tags)

    @property
    def names_general_abi(self) -> bool:
        """Whether it means a wheel for several Pythons: one for a stable ABI, or without an extension."""
        return bool(GENERAL_ABIS & set(self.pattern.abi.split(".")))


@dataclass(frozen=True, slots=True)
class Expected:
    """What a release must consist of.

    Attributes:
        wheels: Each must be met by a wheel, and each wheel must meet one; ``None`` allows any wheels.
        sdist: Whether there must be an sdist, or must be none; ``None`` allows both.
        count: How many files there must be; ``None`` allows any number.
    """

    wheels: tuple[ExpectedWheel, ...] | None = None
    sdist: bool | None = None
    count: int | None = None

    def missing_from(self, files: Sequence[DistFile]) -> list[str]:
        """Return the expectations that no file meets, as text.

        A variant wheel meets none, because only installers that support variants use it.
        """
        wheels = [file for file in files if file.kind is Kind.WHEEL]
        plain_wheels = [wheel for wheel in wheels if not wheel.variant]
        missing = [
            expected.name
            for expected in self.wheels or ()
            if not any(self._meets(wheel, expected) for wheel in plain_wheels)
        ]
        count = _count(files)
        if self.sdist and len(wheels) == count:
            missing.append("sdist")
        if self.count is not None and count < self.count:
            missing.append(f"{self.count - count} of {self.count} files")
        return missing

    def total(self) -> int:
        """Return how many files are expected; 0 if there is no expectation."""
        return max(len(self.wheels or ()) + bool(self.sdist), self.count or 0)

    def lacking(self, files: Sequence[DistFile]) -> int:
        """Return how many of the expected files are missing."""
        names = [name for name in self.missing_from(files) if not _COUNT.fullmatch(name)]
        return max(len(names), (self.count or 0) - _count(files))

    def unexpected_in(self, files: Sequence[DistFile]) -> list[str]:
        """Return the filenames that meet no expectation."""
        unexpected = [file.filename for file in files if not self._is_expected(file)]
        if not unexpected and self.count is not None and _count(files) > self.count:
            return [f"{_count(files) - self.count} files more than {self.count}"]
        return unexpected

    def _meets(self, wheel: DistFile, expected: ExpectedWheel) -> bool:
        """Return whether a wheel meets an expectation, and is not expected itself as another one."""
        if expected.matches(wheel):
            return True
        general = (other for other in self.wheels or () if other.names_general_abi)
        return expected.is_met_by(wheel) and not any(other.matches(wheel) for other in general)

    def _is_expected(self, file: DistFile) -> bool:
        if file.kind is Kind.VARIANTS:
            return True
        if file.kind is Kind.SDIST:
            return self.sdist is not False
        return self.wheels is None or any(expected.is_met_by(file) for expected in self.wheels)


def expected_wheels(patterns: Iterable[str]) -> tuple[ExpectedWheel, ...]:
    """Return one expectation for each combination of the braces in tag patterns.

    Raises:
        ConfigError: A text is not a tag pattern.
    """
    return tuple(
        ExpectedWheel(str(pattern), pattern) for text in patterns for pattern in TagPattern.parse(text)
    )


def from_build_identifiers(text: str) -> tuple[ExpectedWheel, ...]:
    """Return the expectations for build identifiers of cibuildwheel.

    An identifier means the wheel of exactly this build: ``cp312-macosx_arm64`` is not met by a ``universal2``
    wheel, whose identifier is ``cp312-macosx_universal2``.

    Args:
        text: One identifier a line, as ``cibuildwheel --print-build-identifiers`` prints them. ``#`` begins
            a comment.

    Raises:
        ConfigError: A line is not an identifier.
    """
    lines = [line.partition("#")[0].strip() for line in text.split("\n")]
    return tuple(_parse_identifier(line) for line in lines if line)


def parse_sha256sums(text: str) -> dict[str, str]:
    """Parse a list of digests as written by ``sha256sum``, BSD's ``sha256`` and ``openssl``.

    Args:
        text: one file a line; empty lines and lines that begin with ``#`` are ignored. Only a line feed ends
            a line, since a name may contain any other character.

    Returns:
        The SHA-256 digest of each file, in lower case, by its name without folders.

    Raises:
        ConfigError: A line has another form, or a file has two different digests.

    >>> parse_sha256sums(f"SHA256 (dist/sample-1.0.tar.gz) = {'0' * 64}")
    {'sample-1.0.tar.gz': '0000000000000000000000000000000000000000000000000000000000000000'}
    """
    digests: dict[str, str] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        match = _SHA256SUM.fullmatch(line.strip())
        name = re.split(r"[/\\]", match["path"] or match["bsd_path"])[-1] if match else ""
        if not match or not name:
            raise ConfigError(
                f"Line {number} of the SHA-256 sums is not a digest and a filename.",
                hint="Create the file with 'sha256sum' or 'shasum -a 256'.",
            )
        digest = (match["digest"] or match["bsd_digest"]).lower()
        if digests.setdefault(name, digest) != digest:
            raise ConfigError(f"The SHA-256 sums contain two digests for {name}.")
    return digests


def _count(files: Iterable[DistFile]) -> int:
    """Count wheels and sdists; lists of variants do not count."""
    return sum(file.kind is not Kind.VARIANTS for file in files)


def _parse_identifier(identifier: str) -> ExpectedWheel:
    parts = BUILD_IDENTIFIER.fullmatch(identifier)
    if parts is None:
        raise ConfigError(
            f"{identifier!r} is not a build identifier.", hint="Write one such as cp312-manylinux_x86_64."
        )
    python = parts["python"]
    if python.startswith("gp"):
        python = f"graalpy{python.removeprefix('gp').partition('_')[0]}"
    abi = f"{python}t" if parts["threads"] else "*"
    family, _, architecture = parts["platform"].partition("_")
    platform = f"{family}*_{architecture}" if family in VERSIONED_PLATFORMS else parts["platform"]
    return ExpectedWheel(identifier, TagPattern(python, abi, platform))
