"""What the API returns about packages and their files, and what it gets about new ones."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin

from packaging.metadata import RawMetadata, parse_email
from packaging.utils import canonicalize_name

from wheelrelay import Digests, DistFile, StagedFile, dist_file
from wheelrelay.errors import BackendError, InvalidFilename
from wheelrelay.model import Kind

PYPI = "pypi"
"""The type of packages and files of Python distributions; conda packages have others."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file of a package.

    Attributes:
        name: the filename; that of a conda package has a folder.
        version: the version of its release.
        labels: its labels.
        url: where it is downloaded; empty if the API has no address for it.
        is_distribution: whether it is a Python distribution.
        size: size in bytes.
        digests: the digests that the API has.
        uploaded: when it was uploaded.
    """

    name: str
    version: str
    labels: frozenset[str]
    url: str
    is_distribution: bool
    size: int | None
    digests: Digests
    uploaded: datetime | None


@dataclass(frozen=True, slots=True)
class Package:
    """One package with all its files.

    Attributes:
        name: the name, as the server has it.
        files: all files, whatever their type and labels.
        versions: the versions that have a release.
    """

    name: str
    files: tuple[StoredFile, ...]
    versions: frozenset[str]

    def find(self, filename: str) -> StoredFile | None:
        """Return a distribution by its filename, whatever its labels."""
        matches = (file for file in self.files if file.is_distribution and file.name == filename)
        return next(matches, None)

    def dist_files(self, labels: frozenset[str]) -> Iterator[DistFile]:
        """Yield the distribution files that have all of the labels."""
        project = canonicalize_name(self.name)
        for stored in self.files:
            if not (stored.is_distribution and labels <= stored.labels):
                continue
            with suppress(InvalidFilename):  # eggs and installers
                file = dist_file(
                    stored.name,
                    project=project,
                    size=stored.size,
                    digests=stored.digests,
                    url=stored.url or None,
                    upload_time=stored.uploaded,
                )
                if file.project == project:
                    yield file


def parse_packages(document: Any) -> list[str]:
    """Return the names in a list of packages.

    Raises:
        BackendError: it has an unexpected form.
    """
    try:
        return [str(package["name"]) for package in document]
    except (KeyError, TypeError) as error:
        raise BackendError("anaconda.org returned a list of packages in an unexpected form.") from error


def parse_package(document: Any, api_url: str) -> Package:
    """Read the description of a package.

    Args:
        document: the JSON document.
        api_url: the address of the API, which addresses of files are relative to.

    Raises:
        BackendError: it has an unexpected form.
    """
    try:
        files = tuple(_stored_file(entry, api_url) for entry in document["files"])
        releases = document.get("releases") or ()
        versions = {str(release["version"]) for release in releases} | {file.version for file in files}
        return Package(str(document["name"]), files, frozenset(versions))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BackendError("anaconda.org described a package in an unexpected form.") from error


def _stored_file(entry: Mapping[str, Any], api_url: str) -> StoredFile:
    size = entry.get("size")
    digests = {name: str(entry[name]).lower() for name in ("sha256", "md5") if entry.get(name)}
    return StoredFile(
        name=str(entry["basename"]),
        version=str(entry["version"]),
        labels=frozenset(map(str, entry.get("labels") or ())),
        url=urljoin(f"{api_url}/", str(entry.get("download_url") or "")) if entry.get("download_url") else "",
        is_distribution=(entry.get("type") or entry.get("distribution_type")) == PYPI,
        size=None if size is None else int(size),
        digests=Digests.of(digests),
        uploaded=_time(entry.get("upload_time")),
    )


def _time(text: Any) -> datetime | None:
    if not text:
        return None
    time = datetime.fromisoformat(str(text))
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def new_package(staged: StagedFile, *, is_public: bool) -> dict[str, Any]:
    """Describe the package of a file, to create it."""
    metadata = _metadata(staged)
    attributes = {
        "name": staged.file.project,
        "summary": metadata.get("summary", ""),
        "package_types": [PYPI],
        "license": {"name": metadata.get("license"), "url": None, "family": None},
    }
    return {"public": is_public, "publish": False, "public_attrs": attributes}


def new_release(staged: StagedFile) -> dict[str, Any]:
    """Describe the release of a file, to create it."""
    metadata = _metadata(staged)
    return {
        "requirements": [],
        "announce": None,
        "version": str(staged.file.version),
        "description": metadata.get("description"),
        "home_page": metadata.get("home_page"),
    }


def new_file(staged: StagedFile, labels: tuple[str, ...]) -> dict[str, Any]:
    """Describe a file, to upload it."""
    return {
        "distribution_type": PYPI,
        "description": None,
        "attrs": _attributes(staged),
        "dependencies": None,
        "channels": list(labels),
        "sha256": staged.sha256,
    }


def _attributes(staged: StagedFile) -> dict[str, Any]:
    if staged.file.kind is not Kind.WHEEL:
        return {"packagetype": "sdist", "python_version": "source"}
    parts = staged.filename.removesuffix(".whl").split("-")
    abi = parts[-2]
    return {
        "packagetype": "bdist_wheel",
        "python_version": parts[-3],
        "abi": None if abi == "none" else abi,
        "build_no": parts[2] if len(parts) == 6 else 0,
    }


def _metadata(staged: StagedFile) -> RawMetadata:
    """Return the core metadata as far as it was read: it is only displayed on the web pages."""
    return parse_email(staged.metadata or b"")[0]
