"""Select outdated files of a container, such as old nightly builds; the newest ones always stay."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from wheelrelay.model import DistFile
from wheelrelay.select import releases_of


def outdated(
    files: Iterable[DistFile], *, keep: int, max_age: timedelta | None, now: datetime
) -> list[DistFile]:
    """Return the files to delete, sorted by name.

    The ``keep`` newest versions of each project stay; local versions (``1.0+cpu`` and ``1.0+cu126``) count as
    one version. Of wheels of these versions that differ only in the build number, the ``keep`` newest builds
    stay. All other versions are outdated. A version is deleted as a whole and, with ``max_age``, only if its
    youngest file is older than that. Files without a known age count as young.

    Args:
        files: Files in the container.
        keep: Number of versions of a project, and of builds of a version, that stay at any age.
        max_age: Minimum age of files to delete; ``None`` for any age.
        now: Current time, with a time zone.
    """
    deletable: list[DistFile] = []
    for versions in _versions_by_project(files):
        for version in versions[:keep]:
            deletable += [build for build in _old_builds(version, keep) if _is_old([build], max_age, now)]
        for version in versions[keep:]:
            deletable += version if _is_old(version, max_age, now) else []
    return sorted(deletable, key=lambda file: file.filename)


def _versions_by_project(files: Iterable[DistFile]) -> list[list[Sequence[DistFile]]]:
    """Return, for each project, the files of its public versions (PEP 440), the newest first."""
    projects: dict[str, dict[str, list[DistFile]]] = defaultdict(lambda: defaultdict(list))
    for release in reversed(releases_of(files)):
        projects[release.project][release.version.public].extend(release.files)
    return [list(versions.values()) for versions in projects.values()]


def _old_builds(version: Sequence[DistFile], keep: int) -> list[DistFile]:
    builds: dict[object, list[DistFile]] = defaultdict(list)
    for file in version:
        builds[file.kind, file.version, file.tags, file.variant].append(file)
    return [
        build
        for same_tags in builds.values()
        for build in sorted(same_tags, key=lambda file: file.build_tag, reverse=True)[keep:]
        if build.tags
    ]


def _is_old(files: Iterable[DistFile], max_age: timedelta | None, now: datetime) -> bool:
    return max_age is None or all(
        file.upload_time is not None and now - file.upload_time > max_age for file in files
    )
