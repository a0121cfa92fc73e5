"""What the API returns about packages and their files."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from wheelrelay.errors import BackendError


@dataclass(frozen=True, slots=True)
class Package:
    """One version of a generic package."""

    id: int
    name: str
    version: str


@dataclass(frozen=True, slots=True)
class PackageFile:
    """One file of a package; several can have one name."""

    id: int
    package: int
    name: str
    size: int
    sha256: str | None
    created: datetime | None


def parse_package(document: Any) -> Package:
    """Read the description of a package.

    Raises:
        BackendError: it has an unexpected form.
    """
    try:
        return Package(int(document["id"]), str(document["name"]), str(document["version"]))
    except (TypeError, ValueError, LookupError) as error:
        raise _unexpected("a package", error) from error


def parse_file(document: Any) -> PackageFile:
    """Read the description of a file.

    Raises:
        BackendError: it has an unexpected form.
    """
    try:
        created = document.get("created_at")
        return PackageFile(
            id=int(document["id"]),
            package=int(document["package_id"]),
            name=str(document["file_name"]),
            size=int(document["size"]),
            sha256=document.get("file_sha256") or None,
            created=datetime.fromisoformat(created) if created else None,
        )
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        raise _unexpected("a file of a package", error) from error


def _unexpected(what: str, error: Exception) -> BackendError:
    return BackendError(f"GitLab's description of {what} has an unexpected form ({type(error).__name__}).")
