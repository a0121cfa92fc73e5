"""The expected set of a release: which files have to be there before anything is published.

An expectation for a wheel is ``python-abi-platform``, as in `wheelrelay.select`, or a build identifier of
cibuildwheel, as ``cp312-manylinux_x86_64``, which survives a new manylinux version. Wheels that run on more
than their own tag says meet more than one: a wheel for a stable ABI those of later Pythons of its kind on its
platform, a ``py3-none`` wheel those of all Pythons on its platform, and ``py3-none-any`` all of them. A
``universal2`` wheel meets the build identifiers of both arm64 and x86_64, for it runs on both.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from packaging.tags import Tag

from wheelrelay.errors import ConfigError
from wheelrelay.model import DistFile, Kind
from wheelrelay.select import TagPattern
from wheelrelay.stable_abis import is_free_threaded, runs_on

BUILD_IDENTIFIER = re.compile(r"(?P<python>cp\d+|pp\d+|gp\d+_\d+)(?P<threads>t?)-(?P<platform>\w+)")
VERSIONED_PLATFORMS = ("manylinux", "musllinux", "macosx", "ios", "android", "pyodide", "pyemscripten")
"""Platforms whose tags hold a version that a build identifier leaves out."""


@dataclass(frozen=True, slots=True)
class ExpectedWheel:
    """One wheel that has to be there.

    Attributes:
        name: as it is written in the configuration, braces expanded.
        pattern: which wheels meet it.
        others: further patterns, the wheels of which do as well.
    """

    name: str
    pattern: TagPattern
    others: tuple[TagPattern, ...] = ()

    def is_met_by(self, wheel: DistFile) -> bool:
        """Whether this wheel is the one, or does as well."""
        return any(
            pattern.matches(wheel.tags) or any(_does_as_well(tag, pattern) for tag in wheel.tags)
            for pattern in (self.pattern, *self.others)
        )


def _does_as_well(tag: Tag, pattern: TagPattern) -> bool:
    """Whether a wheel of a tag runs where those of a pattern do."""
    if tag.platform != "any" and not fnmatchcase(tag.platform, pattern.platform):
        return False
    if tag.interpreter == "py3" and tag.abi == "none":
        return True
    return runs_on(
        tag.interpreter, tag.abi, wanted=pattern.python, free_threaded=is_free_threaded(pattern.abi)
    )


@dataclass(frozen=True, slots=True)
class Expected:
    """What a release has to consist of.

    Attributes:
        wheels: each must be met, and each wheel must meet one; ``None`` if nothing is said of wheels.
        sdist: whether there must be one; ``None`` if nothing is said of it.
        count: how many files there must be, if that is said.
    """

    wheels: tuple[ExpectedWheel, ...] | None = None
    sdist: bool | None = None
    count: int | None = None

    def missing_from(self, files: Sequence[DistFile]) -> list[str]:
        """The expectations that no file meets, in words.

        A variant wheel meets none: only installers that know variants use it.
        """
        wheels = [file for file in files if file.kind is Kind.WHEEL]
        for_all = [wheel for wheel in wheels if not wheel.variant]
        missing = [
            expected.name
            for expected in self.wheels or ()
            if not any(expected.is_met_by(wheel) for wheel in for_all)
        ]
        count = _count(files)
        if self.sdist and len(wheels) == count:
            missing.append("sdist")
        if self.count is not None and count < self.count:
            missing.append(f"{self.count - count} of {self.count} files")
        return missing

    def unexpected_in(self, files: Sequence[DistFile]) -> list[str]:
        """The filenames that meet no expectation."""
        unexpected = [file.filename for file in files if not self._is_expected(file)]
        if not unexpected and self.count is not None and _count(files) > self.count:
            return [f"{_count(files) - self.count} files more than {self.count}"]
        return unexpected

    def _is_expected(self, file: DistFile) -> bool:
        if file.kind is Kind.VARIANTS:
            return True
        if file.kind is Kind.SDIST:
            return self.sdist is not False
        return self.wheels is None or any(expected.is_met_by(file) for expected in self.wheels)


def _count(files: Iterable[DistFile]) -> int:
    """How many wheels and sdists there are; the list of a release's variants does not count."""
    return sum(file.kind is not Kind.VARIANTS for file in files)


def expected_wheels(patterns: Iterable[str]) -> tuple[ExpectedWheel, ...]:
    """The single expectations that tag patterns stand for.

    Raises:
        ConfigError: one is not a tag pattern.
    """
    return tuple(
        ExpectedWheel(str(pattern), pattern) for text in patterns for pattern in TagPattern.parse(text)
    )


def from_build_identifiers(text: str) -> tuple[ExpectedWheel, ...]:
    """The expectations that build identifiers of cibuildwheel stand for.

    Args:
        text: one identifier a line, as ``cibuildwheel --print-build-identifiers`` prints them; what
            follows a ``#`` says nothing.

    Raises:
        ConfigError: a line is not an identifier.
    """
    lines = [line.partition("#")[0].strip() for line in text.split("\n")]
    return tuple(_expected_of(line) for line in lines if line)


def _expected_of(identifier: str) -> ExpectedWheel:
    pattern = _pattern_of(identifier)
    if pattern.platform not in ("macosx*_arm64", "macosx*_x86_64"):
        return ExpectedWheel(identifier, pattern)
    return ExpectedWheel(identifier, pattern, (replace(pattern, platform="macosx*_universal2"),))


def _pattern_of(identifier: str) -> TagPattern:
    parts = BUILD_IDENTIFIER.fullmatch(identifier)
    if parts is None:
        raise ConfigError(
            f"{identifier!r} is not a build identifier.", hint="One looks like cp312-manylinux_x86_64."
        )
    python = parts["python"]
    if python.startswith("gp"):
        python = f"graalpy{python.removeprefix('gp').partition('_')[0]}"
    abi = f"{python}t" if parts["threads"] else "*"
    family, _, architecture = parts["platform"].partition("_")
    platform = f"{family}*_{architecture}" if family in VERSIONED_PLATFORMS else parts["platform"]
    return TagPattern(python, abi, platform)


_SHA256SUM = re.compile(
    r"""
    (?P<digest>[0-9a-f]{64}) [ \t] [ *]? (?P<path>.+)  # sha256sum
    | SHA(?:2-)?256 \s? \( (?P<bsd_path>.+) \) \s? = \s? (?P<bsd_digest>[0-9a-f]{64})  # BSD, openssl
    """,
    re.VERBOSE | re.IGNORECASE,
)


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
