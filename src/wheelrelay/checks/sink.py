"""Checks of a release against the sink: its limits, the project's status, and how old the release is."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from wheelrelay.checks.check import Check, Profile, Violation
from wheelrelay.checks.contract import Inspection, ReleaseChecks, ReleaseContext
from wheelrelay.records import Severity

UPLOAD_WINDOW = timedelta(days=14)
UPLOAD_MARGIN = timedelta(hours=6)
"""How much earlier it is taken to end: an upload takes time, and a first file may have been deleted."""

FILE_SIZE = Check(
    "file-size",
    "A file is not larger than the sink takes: 100 MiB at PyPI, if the project has no other limit.",
    hint="Ask the index for a higher limit and set max_file_size, or make the file smaller.",
    profile=Profile.STORAGE,
)
PROJECT_SIZE = Check(
    "project-size",
    "All files of the project together fit into what the sink allows: 10 GiB at PyPI by default.",
    hint="Ask the index for a higher limit and set max_project_size, or delete old files there.",
    profile=Profile.STORAGE,
)
WINDOW = Check(
    "upload-window",
    "PyPI takes new files for 14 days after a release was created, which its files show within 6 hours.",
    hint="Release a new version.",
    profile=Profile.PYPI,
)
CLOSED = Check(
    "project-closed",
    "The project is not archived or quarantined at the sink (PEP 792).",
    hint="See the project's page at the sink.",
    profile=Profile.STORAGE,
)
DEPRECATED = Check(
    "project-deprecated",
    "The project is not marked as deprecated at the sink (PEP 792).",
    hint="See the project's page at the sink.",
    severity=Severity.WARNING,
    profile=Profile.STORAGE,
)
YANKED = Check(
    "release-yanked",
    "The release was not yanked at the sink (PEP 592).",
    hint="Installers pass over a yanked release; a new version may be meant.",
    severity=Severity.WARNING,
    profile=Profile.STORAGE,
)


def find(inspections: Sequence[Inspection], context: ReleaseContext) -> Iterator[Violation]:
    """Find what keeps new files of this release from being taken by the sink."""
    new = [inspection for inspection in inspections if not context.is_there(inspection)]
    if not new:
        return
    yield from _sizes(new, context)
    yield from _status(context)
    yield from _age(new, context)


def _sizes(new: Sequence[Inspection], context: ReleaseContext) -> Iterator[Violation]:
    limit = context.max_file_size
    for inspection in new:
        if limit is not None and inspection.size > limit:
            said = f"The file has {_mib(inspection.size)}; the sink takes {_mib(limit)}."
            yield FILE_SIZE.violation(said, filename=inspection.filename)
    there = sum(file.size or 0 for file in context.there)
    total = there + sum(inspection.size for inspection in new)
    limit = context.max_project_size
    if limit is not None and total > limit:
        yield PROJECT_SIZE.violation(
            f"The project would have {_mib(total)} at the sink, {_mib(there)} of it already; "
            f"the sink takes {_mib(limit)}."
        )


def _status(context: ReleaseContext) -> Iterator[Violation]:
    if context.status in ("archived", "quarantined"):
        yield CLOSED.violation(f"The project is {context.status} at the sink and takes no files.")
    elif context.status == "deprecated":
        yield DEPRECATED.violation("The project is marked as deprecated at the sink.")


def _age(new: Sequence[Inspection], context: ReleaseContext) -> Iterator[Violation]:
    versions = {inspection.file.version for inspection in new if inspection.file}
    for version in sorted(versions):
        there = [file for file in context.there if file.version == version]
        first = min((file.upload_time for file in there if file.upload_time), default=None)
        if first is not None and context.now - first > UPLOAD_WINDOW - UPLOAD_MARGIN:
            yield WINDOW.violation(
                f"The first file of {version} that is there was uploaded on {first:%Y-%m-%d}; "
                "the release is at least as old."
            )
        if there and all(file.yanked is not None for file in there):
            yield YANKED.violation(f"All files of {version} at the sink are yanked.")


def _mib(size: int) -> str:
    return f"{size / (1 << 20):,.1f} MiB"


SINK = ReleaseChecks((FILE_SIZE, PROJECT_SIZE, WINDOW, CLOSED, DEPRECATED, YANKED), find)
