"""Read lock files: exactly which files an environment is made of, and their digests.

Three formats are read:

- ``pylock.toml`` (PEP 751), which names the files of each package;
- ``requirements.txt`` with hashes, such as ``uv pip compile --generate-hashes`` writes, which names versions
  and the digests that their files may have;
- ``uv.lock``, which uv itself exports to ``pylock.toml``.

Environment markers are ignored: a mirror serves every platform that the lock was made for.

>>> lock = tmp_path / "requirements.txt"
>>> _ = lock.write_text("sample==1.0 --hash=sha256:" + 64 * "a")
>>> [str(release) for release in read_lock(lock).releases]
['sample==1.0']
"""

import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import InvalidVersion, Version

from wheelrelay.errors import ConfigError, InvalidFilename
from wheelrelay.filenames import dist_file
from wheelrelay.model import DistFile

if TYPE_CHECKING:
    from packaging.pylock import Package, PackageSdist, PackageWheel

MAX_BYTES = 64 << 20
"""Bytes that a lock file may have."""

MAX_INCLUDES = 100
"""Files that one requirements file may include, directly and indirectly."""

EXPORT_SECONDS = 120
"""How long uv may take to export ``uv.lock``."""

EXPORT = ("export", "--frozen", "--format", "pylock.toml", "--all-packages", "--all-extras", "--all-groups")


@dataclass(frozen=True, slots=True)
class LockedRelease:
    """One version of a project, and the files that the lock allows.

    Attributes:
        project: the normalised name.
        version: the version.
        files: the sha256 of each file by its name, where the lock names files.
        digests: the sha256 digests that files may have, where the lock names no files.
        index: the address of the index that the lock names for the project, if any.
    """

    project: NormalizedName
    version: Version
    files: Mapping[str, str] = field(default_factory=dict)
    digests: frozenset[str] = frozenset()
    index: str | None = None

    def __str__(self) -> str:
        return f"{self.project}=={self.version}"

    def accepts(self, file: DistFile) -> bool:
        """Whether a file belongs to the release, by its name or, if it is known, by its digest."""
        if (file.project, file.version) != (self.project, self.version):
            return False
        if self.files:
            return file.filename in self.files
        return file.sha256 is None or file.sha256 in self.digests


@dataclass(frozen=True, slots=True)
class Lock:
    """What one or more lock files name.

    Attributes:
        releases: in the order of the files.
        skipped: packages that no index has, such as the locked project itself, with the reason.
    """

    releases: tuple[LockedRelease, ...]
    skipped: Mapping[str, str] = field(default_factory=dict)

    def __add__(self, other: "Lock") -> "Lock":
        return Lock(self.releases + other.releases, {**self.skipped, **other.skipped})


def read_lock(path: Path) -> Lock:
    """Read a lock file; its name decides on the format.

    Args:
        path: ``pylock.toml``, ``pylock.NAME.toml``, ``uv.lock``, or a requirements file.

    Raises:
        ConfigError: the file cannot be read or parsed, a requirement has no hash or no exact version, a
            package comes from version control or a direct address, or uv is not installed.
    """
    if path.name == "uv.lock":
        return _from_pylock(path, _exported_by_uv(path))
    text = _text_of(path)
    return _from_pylock(path, text) if path.suffix == ".toml" else _from_requirements(path, text)


def _text_of(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConfigError(f"{path} has more than {MAX_BYTES >> 20} MiB; it is no lock file.")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"The lock file {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"The lock file {path} is not UTF-8.") from error


# pylock.toml


def _from_pylock(path: Path, text: str) -> Lock:
    from packaging.pylock import Pylock, PylockValidationError

    try:
        lock = Pylock.from_dict(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not TOML: {error}.") from error
    except PylockValidationError as error:
        raise ConfigError(f"{path} is not a lock file of PEP 751: {error}.") from error
    releases: list[LockedRelease] = []
    skipped: dict[str, str] = {}
    for package in lock.packages:
        if package.vcs or package.archive:
            raise _not_from_an_index(path, package)
        if package.directory:
            skipped[package.name] = "it is a local directory"
        else:
            releases.append(_locked(path, package))
    return Lock(tuple(releases), skipped)


def _not_from_an_index(path: Path, package: "Package") -> ConfigError:
    source = "version control" if package.vcs else "a direct URL"
    return ConfigError(
        f"{path} locks {package.name} to {source}, which a mirror cannot provide.",
        hint="Build a wheel of it, push it to an index of your own, and lock that.",
    )


def _locked(path: Path, package: "Package") -> LockedRelease:
    archives: list[PackageWheel | PackageSdist] = [*(package.wheels or ())]
    archives += [package.sdist] if package.sdist else []
    files: dict[str, str] = {}
    version = package.version
    for archive in archives:
        name = archive.name or _last_part(archive.url or archive.path or "")
        digest = archive.hashes.get("sha256")
        if digest is None:
            raise ConfigError(f"{path} has no sha256 for {name}.", hint="Lock again with sha256 digests.")
        files[name] = digest.lower()
        version = version or _version_in(path, name)
    if version is None:
        raise ConfigError(f"{path} names no file of {package.name}.")
    return LockedRelease(package.name, version, files, index=package.index)


def _last_part(address: str) -> str:
    return unquote(PurePosixPath(urlsplit(address).path).name)


def _version_in(path: Path, filename: str) -> Version:
    try:
        return dist_file(filename).version
    except InvalidFilename as error:
        raise ConfigError(f"{path}: {error}") from error


def _exported_by_uv(path: Path) -> str:
    uv = shutil.which("uv")
    if uv is None:
        raise ConfigError(
            f"{path} can be read only by uv, which is not installed.",
            hint="Install uv, or run `uv export --format pylock.toml` where it is and give that file.",
        )
    command = [uv, *EXPORT, "--directory", str(path.parent), "--quiet", "--no-python-downloads", "--offline"]
    try:
        done = subprocess.run(  # noqa: S603  (uv, with a path of the user's)
            command, capture_output=True, text=True, timeout=EXPORT_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise ConfigError(f"uv did not export {path} within {EXPORT_SECONDS} s.") from error
    if done.returncode:
        reason = " ".join(done.stderr.partition("cause:")[0].split()).removeprefix("error: ")
        raise ConfigError(f"uv cannot export {path}: {reason or f'exit code {done.returncode}'}")
    return done.stdout


# requirements.txt

_HASH = re.compile(r"--hash[= ](\w+):([0-9A-Fa-f]+)")
_INCLUDE = re.compile(r"(?:-r|--requirement)[= ]?\s*(\S+)")
_COMMENT = re.compile(r"(^|\s)#.*$")
_PIN = re.compile(r"(===?)\s*([^\s,;]+)\s*$")


def _from_requirements(path: Path, text: str) -> Lock:
    digests: dict[tuple[NormalizedName, Version], set[str]] = {}
    skipped: dict[str, str] = {}
    for place, line in _requirement_lines(path, text, [path]):
        if line.startswith(("-e ", "--editable", "./", "../")):
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
            yield from _requirement_lines(other, _text_of(other), read)
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


def _pinned(place: str, line: str) -> tuple[tuple[NormalizedName, Version], set[str]]:
    from packaging.requirements import InvalidRequirement, Requirement

    written = line.partition(" --")[0].strip()
    try:
        requirement = Requirement(written)
    except InvalidRequirement as error:
        reason = str(error).partition("\n")[0]
        raise ConfigError(f"{place}: {written!r} is not a requirement: {reason}.") from error
    if requirement.url:
        raise ConfigError(
            f"{place}: {requirement.name} is a direct URL, which a mirror cannot provide.",
            hint="Build a wheel of it, push it to an index of your own, and lock that.",
        )
    hashes = {digest.lower() for name, digest in _HASH.findall(line) if name == "sha256"}
    if not hashes:
        raise ConfigError(
            f"{place}: {written!r} has no sha256 hash.",
            hint="Write the file with `uv pip compile --generate-hashes` or `pip-compile --generate-hashes`.",
        )
    return (canonicalize_name(requirement.name), _version_of(place, written, requirement.specifier)), hashes


def _version_of(place: str, written: str, specifiers: Iterable[Any]) -> Version:
    pins = [part for part in specifiers if part.operator in ("==", "===") and not part.version.endswith(".*")]
    if len(pins) != 1:
        raise ConfigError(f"{place}: {written!r} does not pin one version.", hint="Write NAME==VERSION.")
    try:
        return Version(pins[0].version)
    except InvalidVersion as error:
        raise ConfigError(f"{place}: {error}.") from error
