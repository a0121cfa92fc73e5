"""Read ``pylock.toml`` (PEP 751), and ``uv.lock`` by having uv export it."""

import shutil
import subprocess
import tomllib
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from packaging.version import Version

from wheelrelay.errors import ConfigError, InvalidFilename
from wheelrelay.filenames import dist_file
from wheelrelay.lock_files.model import Lock, LockedRelease, is_sha256
from wheelrelay.redaction import register_login

if TYPE_CHECKING:
    from packaging.pylock import Package, PackageSdist, PackageWheel

EXPORT_SECONDS = 120
"""How long uv may take to export ``uv.lock``."""

EXPORT = ("export", "--frozen", "--format", "pylock.toml", "--all-packages", "--all-extras", "--all-groups")


def parse_pylock(path: Path, text: str) -> Lock:
    """Parse the text of a ``pylock.toml``.

    Args:
        path: the file, for messages.
        text: its content.

    Raises:
        ConfigError: The text is no lock file, a package is from version control or a direct URL, or a file
            has no sha256.
    """
    from packaging.pylock import Pylock, PylockValidationError

    try:
        lock = Pylock.from_dict(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not TOML: {error}.") from error
    except RecursionError as error:
        raise ConfigError(f"{path} is not a lock file: it is nested too deeply.") from error
    except PylockValidationError as error:
        raise ConfigError(f"{path} is not a lock file of PEP 751: {error}.") from error
    digests: dict[str, str] = {}
    releases: list[LockedRelease] = []
    skipped: dict[str, str] = {}
    for package in lock.packages:
        if package.vcs or package.archive:
            raise _not_from_an_index(path, package)
        if package.directory:
            skipped[package.name] = "it is a local directory"
        else:
            releases.append(_locked(path, package, digests))
    return Lock(tuple(releases), skipped)


def _not_from_an_index(path: Path, package: "Package") -> ConfigError:
    source = "version control" if package.vcs else "a direct URL"
    return ConfigError(
        f"{path} locks {package.name} to {source}, which a mirror cannot provide.",
        hint="Build a wheel of it, push it to an index of your own, and lock that.",
    )


def _locked(path: Path, package: "Package", digests: dict[str, str]) -> LockedRelease:
    """Return the release of a package, and add its files to the digests of the whole lock."""
    register_login(package.index or "")
    archives: list[PackageWheel | PackageSdist] = [*(package.wheels or ())]
    archives += [package.sdist] if package.sdist else []
    files: dict[str, str] = {}
    version = package.version
    for archive in archives:
        name = archive.name or _last_part(archive.url or archive.path or "")
        digest = archive.hashes.get("sha256")
        if digest is None:
            raise ConfigError(f"{path} has no sha256 for {name}.", hint="Lock again with sha256 digests.")
        if not is_sha256(digest):
            raise ConfigError(f"{path}: {digest!r} is not a sha256 (of {name}).", hint="Lock again.")
        files[name] = digest.lower()
        if digests.setdefault(name, files[name]) != files[name]:
            raise ConfigError(f"{path} has two different sha256 for {name}.", hint="Lock again.")
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


def exported_by_uv(path: Path) -> str:
    """Return a ``uv.lock`` as ``pylock.toml``.

    Raises:
        ConfigError: uv is not installed, or cannot export the file.
    """
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
