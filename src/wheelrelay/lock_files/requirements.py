"""Read requirements files: the requirements, or the pinned versions with their hashes."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import InvalidVersion, Version

from wheelrelay.errors import ConfigError
from wheelrelay.lock_files.model import Lock, LockedRelease, is_sha256
from wheelrelay.redaction import register_login

if TYPE_CHECKING:
    from packaging.requirements import Requirement

MAX_BYTES = 64 << 20
"""Bytes that a lock file may have."""

MAX_INCLUDES = 100
"""Files that one requirements file may include, directly and indirectly."""

_HASH = re.compile(r"--hash[= ](\w+):([0-9A-Fa-f]+)")
_INCLUDE = re.compile(r"(?:-r|--requirement)[= ]?\s*(\S+)")
_COMMENT = re.compile(r"(^|\s)#.*$")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:/")
_CONSTRAINTS = re.compile(r"(-c|--constraint)[= ]")
_LOCAL_PREFIXES = ("-e ", "--editable", "./", "../")


def read_requirements(path: Path) -> "Lock | tuple[Requirement, ...]":
    """Read a requirements file: as a lock if any requirement has a hash, else as a list of requirements.

    Markers and extras are ignored: a mirror serves every platform, and holds only the named projects.

    Raises:
        ConfigError: The file cannot be read or parsed, or a requirement is a direct URL. With hashes: a
            requirement has no hash or no exact version. Without: the file names constraints.
    """
    lines = _lines_of(path)
    if any(_HASH.search(line) for _, line in lines):
        return _locked(lines)
    constraints = next((place for place, line in lines if _CONSTRAINTS.match(line)), None)
    if constraints:
        raise ConfigError(
            f"{constraints}: constraints are not supported.",
            hint="Write the versions into the requirements, or use a lock file.",
        )
    return tuple(
        _plain_requirement(place, line)
        for place, line in lines
        if not line.startswith(("-", *_LOCAL_PREFIXES))
    )


def read_locked_requirements(path: Path) -> Lock:
    """Read a requirements file in which every requirement has a version and hashes.

    Raises:
        ConfigError: The file cannot be read or parsed, a requirement has no hash or no exact version, or is a
            direct URL.
    """
    return _locked(_lines_of(path))


def read_text(path: Path) -> str:
    """Return the text of a lock file.

    Raises:
        ConfigError: The file cannot be read, is too large, or is not UTF-8.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConfigError(f"{path} has more than {MAX_BYTES >> 20} MiB; it is no lock file.")
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigError(f"The lock file {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"The lock file {path} is not UTF-8.") from error


def _lines_of(path: Path) -> list[tuple[str, str]]:
    return list(_requirement_lines(path, read_text(path), [path]))


def _locked(lines: Iterable[tuple[str, str]]) -> Lock:
    digests: dict[tuple[NormalizedName, Version], set[str]] = {}
    skipped: dict[str, str] = {}
    for place, line in lines:
        if line.startswith(_LOCAL_PREFIXES):
            skipped[line.split(maxsplit=1)[-1]] = "it is a local directory"
        elif not line.startswith("-"):
            key, hashes = _pinned(place, line)
            digests.setdefault(key, set()).update(hashes)
    releases = (LockedRelease(*key, digests=frozenset(found)) for key, found in digests.items())
    return Lock(tuple(releases), skipped)


def _requirement_lines(path: Path, text: str, read: list[Path]) -> Iterator[tuple[str, str]]:
    """The logical lines of a requirements file and of those that it includes, each with its place."""
    for number, line in _logical_lines(text):
        if included := _INCLUDE.fullmatch(line):
            other = path.parent / included[1]
            if len(read) > MAX_INCLUDES or other.resolve() in (one.resolve() for one in read):
                raise ConfigError(f"{path}, line {number}: {included[1]} is included in a circle.")
            read.append(other)
            yield from _requirement_lines(other, read_text(other), read)
        else:
            yield f"{path}, line {number}", line


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines joined at backslashes, without comments, each with the number of its first line."""
    parts: list[str] = []
    start = 1
    for number, raw in enumerate(text.split("\n"), 1):
        line = _COMMENT.sub("", raw.rstrip("\r")).strip()
        start = start if parts else number
        parts.append(line.removesuffix("\\"))
        if not line.endswith("\\"):
            joined = " ".join(part.strip() for part in parts if part.strip())
            parts = []
            if joined:
                yield start, joined


def _plain_requirement(place: str, line: str) -> "Requirement":
    """Return the requirement of a line, without its marker and its extras."""
    requirement = _requirement(place, line.partition(" --")[0].strip())
    requirement.marker, requirement.extras = None, set()
    return requirement


def _requirement(place: str, written: str) -> "Requirement":
    from packaging.requirements import InvalidRequirement, Requirement

    for part in written.split():
        register_login(part)
    if _ADDRESS.match(written):
        raise _direct_url(place, written)
    try:
        requirement = Requirement(written)
    except InvalidRequirement as error:
        reason = str(error).partition("\n")[0]
        raise ConfigError(f"{place}: {written!r} is not a requirement: {reason}.") from error
    if requirement.url:
        raise _direct_url(place, requirement.name)
    return requirement


def _direct_url(place: str, name: str) -> ConfigError:
    return ConfigError(
        f"{place}: {name} is a direct URL, which a mirror cannot provide.",
        hint="Build a wheel of it, push it to an index of your own, and lock that.",
    )


def _pinned(place: str, line: str) -> tuple[tuple[NormalizedName, Version], set[str]]:
    written = line.partition(" --")[0].strip()
    requirement = _requirement(place, written)
    hashes = {digest.lower() for name, digest in _HASH.findall(line) if name == "sha256"}
    if not hashes:
        raise ConfigError(
            f"{place}: {written!r} has no sha256 hash.",
            hint="Write the file with `uv pip compile --generate-hashes` or `pip-compile --generate-hashes`.",
        )
    key = canonicalize_name(requirement.name), _version_of(place, written, requirement.specifier)
    if short := [digest for digest in hashes if not is_sha256(digest)]:
        raise ConfigError(f"{place}: {short[0]!r} is not a sha256.", hint="It has 64 hexadecimal digits.")
    return key, hashes


def _version_of(place: str, written: str, specifiers: Iterable[Any]) -> Version:
    pins = [part for part in specifiers if part.operator in ("==", "===") and not part.version.endswith(".*")]
    if len(pins) != 1:
        raise ConfigError(f"{place}: {written!r} does not pin one version.", hint="Write NAME==VERSION.")
    try:
        return Version(pins[0].version)
    except InvalidVersion as error:
        raise ConfigError(f"{place}: {error}.") from error
