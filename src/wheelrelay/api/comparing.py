"""Compare two releases of a project."""

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Union

from packaging.utils import canonicalize_name

from wheelrelay.api.reading import name_of, opened_for_reading
from wheelrelay.comparison import ComparedRelease, ReleaseComparison, ReleaseMetadata
from wheelrelay.config import RemoteLike
from wheelrelay.errors import ConfigError
from wheelrelay.model import DistFile, Kind, Release
from wheelrelay.protocols import Source
from wheelrelay.select import Selection, parse_requirement, releases_of
from wheelrelay.source_files import select_listed
from wheelrelay.transfer.remote_metadata import read_metadata
from wheelrelay.transfer.retry import Retrier, RetryPolicy

if TYPE_CHECKING:
    from packaging.requirements import Requirement

ATTEMPTS = 3
"""Attempts to read a remote that fails: fewer than a relay makes, because a person waits for the answer."""


def compare(
    remote: RemoteLike, before: Union[str, "Requirement"], after: Union[str, "Requirement"]
) -> ReleaseComparison:
    """Compare two releases of a project: the environments with a wheel, sizes and metadata.

    The page of the project is read once. The metadata is read from one wheel of each release, if possible for
    the same environment, without downloading the rest of the wheel; or else from the sdist.

    Args:
        remote: The remote that has both releases.
        before: The earlier release, such as ``numpy==2.1.0``. If several versions match, the newest counts.
        after: The later release.

    Raises:
        NothingMatched: A release does not exist. The hint lists the available versions.
        ConfigError: A requirement is invalid, the two name different projects, or the remote cannot be read.
        BackendError: The remote fails.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from wheelrelay.testing import make_wheel
    >>> with TemporaryDirectory() as folder:
    ...     for version in ("1.0", "1.1"):
    ...         path = make_wheel(
    ...             Path(folder), "sample", version, metadata={"Requires-Dist": f"other>={version}"}
    ...         )
    ...     compare(folder, "sample==1.0", "sample==1.1").dependencies
    Differences(removed=('other>=1.0',), added=('other>=1.1',))
    """
    requirements = [parse_requirement(str(text)) for text in (before, after)]
    names = sorted({canonicalize_name(requirement.name) for requirement in requirements})
    if len(names) > 1:
        raise ConfigError(
            f"The releases are of two projects: {' and '.join(names)}.",
            hint="Compare two versions of one project.",
        )
    retrier = Retrier(RetryPolicy(attempts=ATTEMPTS), lambda _: None, threading.Event())
    with opened_for_reading(remote) as source:
        listed = retrier.call(f"the files of {name_of(remote)}", lambda: list(source.iter_files(names[0])))
        earlier, later = (_newest(source, listed, requirement) for requirement in requirements)
        chosen = _representatives(earlier, later)
        metadata = [None if file is None else _metadata(source, file, retrier) for file in chosen]
    return ReleaseComparison(ComparedRelease(earlier, metadata[0]), ComparedRelease(later, metadata[1]))


def _newest(source: Source, listed: Sequence[DistFile], requirement: "Requirement") -> Release:
    selected = select_listed(listed, source, Selection((requirement,)), one_version=False)
    return releases_of(selected.files)[-1]


def _metadata(source: Source, file: DistFile, retrier: Retrier) -> ReleaseMetadata:
    read = read_metadata(source, file, retrier)
    return ReleaseMetadata.parse(file.filename, read.core, read.entry_points)


def _representatives(before: Release, after: Release) -> tuple[DistFile | None, DistFile | None]:
    """Return the file of each release whose metadata is compared.

    These are the smallest wheels with equal tags, or else the smallest wheels, or else the sdists.
    """
    wheels = [
        {file.tags: file for file in release.files if file.kind is Kind.WHEEL} for release in (before, after)
    ]
    common = [tags for tags in wheels[0] if tags in wheels[1]]
    if common:
        tags = min(common, key=lambda tags: _size(wheels[1][tags]))
        return wheels[0][tags], wheels[1][tags]
    first, second = (
        min((*named.values(), *_sdists(release)), key=_wheels_first, default=None)
        for named, release in zip(wheels, (before, after), strict=True)
    )
    return first, second


def _sdists(release: Release) -> list[DistFile]:
    return [file for file in release.files if file.kind is Kind.SDIST]


def _wheels_first(file: DistFile) -> tuple[bool, int]:
    return file.kind is not Kind.WHEEL, _size(file)


def _size(file: DistFile) -> int:
    return file.size or 0
