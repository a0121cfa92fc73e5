"""Checks of a release against the sink: size limits, project status, upload window, yanked releases."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from wheelrelay.checks.contract import Check, Inspection, Profile, ReleaseChecks, ReleaseContext, Violation
from wheelrelay.records import Severity

UPLOAD_WINDOW = timedelta(days=14)
UPLOAD_MARGIN = timedelta(hours=6)
"""How much earlier the window closes here: uploads take time, and the oldest file may have been deleted."""

FILE_SIZE = Check(
    "file-size",
    "A file is not larger than the sink allows; PyPI's default limit is 100 MiB.",
    hint="Make the file smaller, or request a higher limit from the index and set max_file_size.",
    profile=Profile.STORAGE,
)
PROJECT_SIZE = Check(
    "project-size",
    "The files of a project together are not larger than the sink allows; PyPI's default limit is 10 GiB.",
    hint="Delete old files there, or request a higher limit from the index and set max_project_size.",
    profile=Profile.STORAGE,
)
UPLOAD_WINDOW_CLOSED = Check(
    "upload-window",
    "PyPI accepts new files for 14 days after a release was created.",
    hint="Release a new version.",
    profile=Profile.PYPI,
)
PROJECT_CLOSED = Check(
    "project-closed",
    "The project is not archived or quarantined at the sink (PEP 792).",
    hint="Open the project's settings at the index.",
    profile=Profile.STORAGE,
)
PROJECT_DEPRECATED = Check(
    "project-deprecated",
    "The project is not marked as deprecated at the sink (PEP 792).",
    hint="Open the project's settings at the index.",
    severity=Severity.WARNING,
    profile=Profile.STORAGE,
)
RELEASE_YANKED = Check(
    "release-yanked",
    "The release is not yanked at the sink (PEP 592).",
    hint="Installers ignore yanked releases. Consider a new version.",
    severity=Severity.WARNING,
    profile=Profile.STORAGE,
)


def _find(inspections: Sequence[Inspection], context: ReleaseContext) -> Iterator[Violation]:
    new = [inspection for inspection in inspections if not context.is_published(inspection)]
    if not new:
        return
    yield from _check_sizes(new, context)
    yield from _check_status(context)
    yield from _check_age(new, context)


def _check_sizes(new: Sequence[Inspection], context: ReleaseContext) -> Iterator[Violation]:
    limit = context.max_file_size
    for inspection in new:
        if limit is not None and inspection.size > limit:
            message = f"The file has {format_size(inspection.size)}; the sink allows {format_size(limit)}."
            yield FILE_SIZE.violation(message, filename=inspection.filename)
    published = context.at_sink.size
    added = sum(inspection.size for inspection in new)
    limit = context.max_project_size
    if limit is not None and published + added > limit:
        yield PROJECT_SIZE.violation(
            f"The project has {format_size(published)} at the sink, and the new files have "
            f"{format_size(added)}; the sink allows {format_size(limit)}."
        )


def _check_status(context: ReleaseContext) -> Iterator[Violation]:
    if context.project_status in ("archived", "quarantined"):
        yield PROJECT_CLOSED.violation(
            f"The project is {context.project_status} at the sink and accepts no files."
        )
    elif context.project_status == "deprecated":
        yield PROJECT_DEPRECATED.violation("The project is marked as deprecated at the sink.")


def _check_age(new: Sequence[Inspection], context: ReleaseContext) -> Iterator[Violation]:
    versions = {inspection.file.version for inspection in new if inspection.file}
    for version in sorted(versions):
        published = context.at_sink.of_version(version)
        oldest = min((file.upload_time for file in published if file.upload_time), default=None)
        if oldest is not None and context.now - oldest > UPLOAD_WINDOW - UPLOAD_MARGIN:
            yield UPLOAD_WINDOW_CLOSED.violation(
                f"Version {version} is too old for new files: its oldest file is from {oldest:%Y-%m-%d}."
            )
        if published and all(file.yanked is not None for file in published):
            yield RELEASE_YANKED.violation(f"All files of version {version} at the sink are yanked.")


def format_size(size: int) -> str:
    """Return a number of bytes with a binary unit, such as ``1.5 GiB``."""
    for power, unit in ((30, "GiB"), (20, "MiB"), (10, "KiB")):
        if size >= 1 << power:
            return f"{size / (1 << power):.1f} {unit}"
    return f"{size} bytes"


CHECKS = ReleaseChecks(
    (
        *(FILE_SIZE, PROJECT_SIZE, UPLOAD_WINDOW_CLOSED),
        *(PROJECT_CLOSED, PROJECT_DEPRECATED, RELEASE_YANKED),
    ),
    _find,
)
