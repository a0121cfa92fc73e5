"""Which files of a container have had their time, as nightly builds do: the newest always stay."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from wheelrelay.model import DistFile
from wheelrelay.select import releases_of


def outdated(
    files: Iterable[DistFile], *, keep: int, max_age: timedelta | None, now: datetime
) -> list[DistFile]:
    """The files that may go, sorted by name.

    Of each project the ``keep`` newest versions stay; local versions (``1.0+cpu`` and ``1.0+cu126``) are one
    version. Of each of these, where wheels for the same tags differ in nothing but the build number, the
    ``keep`` newest builds stay. What else there is goes, but a version goes as a whole, and with ``max_age``
    only when its youngest file is older than that; a file whose age the container does not tell counts as
    young.

    Args:
        files: what the container holds.
        keep: how many versions of a project, and builds of a version, stay whatever their age.
        max_age: how old the rest must be to go; ``None`` lets all of it go.
        now: the time to count from, with a time zone.
    """
    gone: list[DistFile] = []
    for versions in _versions_by_project(files):
        for version in versions[:keep]:
            gone += [build for build in _old_builds(version, keep) if _is_old([build], max_age, now)]
        for version in versions[keep:]:
            gone += version if _is_old(version, max_age, now) else []
    return sorted(gone, key=lambda file: file.filename)


def _versions_by_project(files: Iterable[DistFile]) -> list[list[Sequence[DistFile]]]:
    """For each project the files of its public versions (PEP 440), the newest version first."""
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
        for same in builds.values()
        for build in sorted(same, key=lambda file: file.build_tag, reverse=True)[keep:]
        if build.tags
    ]


def _is_old(files: Iterable[DistFile], max_age: timedelta | None, now: datetime) -> bool:
    return max_age is None or all(
        file.upload_time is not None and now - file.upload_time > max_age for file in files
    )
