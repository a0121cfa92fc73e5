"""Verify published files: compare sinks with their source, or a remote with the digests it declares.

What cannot be read becomes a finding, and the other files are still verified. It is an error if nothing of
the source can be read.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from wheelrelay.engine.comparing import resolve_unknown
from wheelrelay.engine.context import ConnectedSink, RelayRequest, Runtime, running
from wheelrelay.engine.listing import Unreadable
from wheelrelay.engine.planning import plan_relay
from wheelrelay.engine.reading_files import FileReader, LocalReader, ReadFiles
from wheelrelay.engine.verified_files import VerifiedFiles
from wheelrelay.errors import IntegrityError, NotFound, WheelrelayError
from wheelrelay.events import Step, StepBegan, StepEnded, Verified
from wheelrelay.filenames import dist_file
from wheelrelay.lock_matching import LOCK_DIFFERS, LOCK_MISSING
from wheelrelay.model import DistFile
from wheelrelay.records import Action, Finding, Plan, PlannedFile, Severity
from wheelrelay.transfer.batch import Done
from wheelrelay.transfer.staging_area import StagingArea

MISSING, DIFFERS, DAMAGED, UNREADABLE = (
    "verify-missing",
    "verify-differs",
    "verify-damaged",
    "verify-unreadable",
)

DAMAGE = (IntegrityError, NotFound)
"""Errors that concern one file; others concern the remote."""

Sha256s = Mapping[str, str | None]
"""The sha256 of files by filename; ``None`` where it is unknown."""


def verify_sinks(
    request: RelayRequest,
    staging_area: StagingArea,
    verified: VerifiedFiles,
    *,
    download: bool,
    read_files: ReadFiles = LocalReader,
) -> list[Finding]:
    """Compare the files of the source with those of each sink.

    Args:
        request: Both sides and the selection.
        staging_area: For the files of a source that declares no digests.
        verified: The files that an earlier run downloaded and verified.
        download: Download and hash every file of the sinks, instead of trusting the digests they declare.
        read_files: Returns what downloads the files: this process, or others.

    Returns:
        A finding for each file that is missing at a sink, or differs, for each locked file that the source
        lacks, and for all that cannot be read.

    Raises:
        NothingMatched: No file is selected.
        BackendError: Nothing of the source can be read.
    """
    with running(request.options) as runtime:
        unreadable = Unreadable()
        plan = plan_relay(request, runtime, one_version=False, unreadable=unreadable).plan
        findings = _unread(unreadable)
        unknown = [planned for planned in plan.files if _is_unknown(planned)]
        reader = read_files(request, staging_area, runtime)
        done = reader.stage(unknown)
        findings += _failed_downloads([Done(one.item.file, one.result, one.error) for one in done])
        staged = {one.item.file.filename: one.unwrap().staged for one in done if one.error is None}

        def on_error(sink: str, filename: str, error: WheelrelayError) -> None:
            findings.append(Finding(UNREADABLE, Severity.ERROR, f"{sink}: {error}", filename))

        run_all = runtime.workers.run_all
        plan = resolve_unknown(
            plan, staged, request.sinks, runtime.retrier, run_all=run_all, on_error=on_error
        )
        findings += _lock_findings(plan, unreadable)
        findings += [found for planned in plan.files for found in _differences(planned, unreadable)]
        skipped = 0
        if download:
            sha256s = {planned.file.filename: planned.file.sha256 for planned in plan.files}
            sha256s |= {name: file.sha256 for name, file in staged.items()}
            for sink in request.sinks:
                failures, skipped_there = _download_and_compare(
                    plan, sink, sha256s, verified, reader, runtime
                )
                findings += failures
                skipped += skipped_there
        runtime.report(Verified(len(plan.files), skipped, len(findings)))
        return findings


def verify_remote(
    request: RelayRequest,
    staging_area: StagingArea,
    verified: VerifiedFiles,
    *,
    read_files: ReadFiles = LocalReader,
) -> list[Finding]:
    """Download the selected files of the source, and compare them with the digests it declares.

    Args:
        request: The source and the selection.
        staging_area: For the downloaded files.
        verified: The files that an earlier run verified; they are skipped.
        read_files: Returns what downloads the files: this process, or others.

    Returns:
        A finding for each file that is damaged or missing, or differs from the lock, and for all that cannot
        be read.

    Raises:
        NothingMatched: No file is selected.
        BackendError: Nothing of the source can be read.
    """
    source = request.source
    with running(request.options) as runtime:
        unreadable = Unreadable()
        plan = plan_relay(request, runtime, one_version=False, unreadable=unreadable).plan
        selected = [planned.file for planned in plan.files]
        files = [file for file in selected if not verified.has(source.name, file)]
        size = sum(file.size or 0 for file in files)
        runtime.report(StepBegan(Step.CONFIRM, source.name, len(files), size))
        reader = read_files(request, staging_area, runtime)
        done = reader.fetch(files, lambda file: verified.record(source.name, file))
        for one in done:
            if one.error is not None:
                verified.forget(source.name, one.item)
        runtime.report(StepEnded(Step.CONFIRM, source.name))
        findings = [*_lock_findings(plan, unreadable), *_unread(unreadable), *_failed_downloads(done)]
        runtime.report(Verified(len(selected), len(selected) - len(files), len(findings)))
    return findings


def _lock_findings(plan: Plan, unreadable: Unreadable) -> Iterator[Finding]:
    """Yield the findings about locked files; those of pages that cannot be read are unknown, not missing."""
    is_complete = all(read.remote != plan.source for read in unreadable.errors)
    for finding in plan.findings:
        name = finding.filename
        is_readable = name and not unreadable.covers(plan.source, dist_file(name).project)
        if finding.check == LOCK_DIFFERS or (finding.check == LOCK_MISSING and (is_complete or is_readable)):
            yield finding


def _unread(unreadable: Unreadable) -> list[Finding]:
    """Return a finding for each page or listing that cannot be read."""
    findings = []
    for read, error in unreadable.errors.items():
        projects = read.projects if len(read.projects) == 1 else ()
        subject = "".join(f"{project}: " for project in projects)
        findings.append(Finding(UNREADABLE, Severity.ERROR, f"{subject}{error}", hint=error.hint))
    return findings


def _failed_downloads(done: Sequence[Done[DistFile, Any]]) -> list[Finding]:
    """Return a finding for each file that is damaged, missing or cannot be read.

    Raises:
        WheelrelayError: No file can be read, which concerns the remote.
    """
    failed = [(one.item, one.error) for one in done if one.error is not None]
    other = [error for _, error in failed if not isinstance(error, DAMAGE)]
    if other and len(other) == len(done):
        raise other[0]
    return [
        Finding(DAMAGED, Severity.ERROR, str(error), file.filename)
        if isinstance(error, DAMAGE)
        else Finding(UNREADABLE, Severity.ERROR, str(error), file.filename)
        for file, error in failed
    ]


def _is_unknown(planned: PlannedFile) -> bool:
    return any(intent.action is Action.UNKNOWN for intent in planned.sinks.values())


def _differences(planned: PlannedFile, unreadable: Unreadable) -> Iterator[Finding]:
    name = planned.file.filename
    for sink, intent in planned.sinks.items():
        if unreadable.covers(sink, planned.file.project):  # unknown is not missing
            continue
        if intent.action is Action.UPLOAD:
            problem = "Missing" if intent.existing is None else f"It {intent.reason}"
            yield Finding(
                MISSING, Severity.ERROR, f"{problem} at {sink}.", name, hint="Relay it to that sink."
            )
        elif intent.action is Action.CONFLICT:
            difference = intent.reason.removeprefix("the filename ")
            yield Finding(DIFFERS, Severity.ERROR, f"It {difference} at {sink}.", name)


def _download_and_compare(
    plan: Plan,
    sink: ConnectedSink,
    sha256s: Sha256s,
    verified: VerifiedFiles,
    reader: FileReader,
    runtime: Runtime,
) -> tuple[list[Finding], int]:
    """Download the files that a sink declares to be the same, and compare them with the source's digests.

    Args:
        plan: With all actions that could be decided.
        sink: The sink.
        sha256s: The digests that the source declares, or else those of its bytes.
        verified: The files that an earlier run verified.
        reader: Downloads the files.
        runtime: Progress.

    Returns:
        The findings, and the number of files that were skipped because an earlier run verified them.
    """
    intents = (planned.sinks[sink.name] for planned in plan.files)
    same = [intent.existing for intent in intents if intent.action is Action.SKIP and intent.existing]
    files = [file for file in same if not verified.has(sink.name, file)]

    def compare(file: DistFile, sha256: str) -> None:
        if sha256 != (sha256s[file.filename] or file.sha256):
            verified.forget(sink.name, file)
            raise IntegrityError(f"{sink.name} serves other bytes.")
        verified.record(sink.name, file)

    runtime.report(StepBegan(Step.CONFIRM, sink.name, len(files), 0))
    done = reader.hash(sink, files, compare)
    runtime.report(StepEnded(Step.CONFIRM, sink.name))
    return _failed_downloads(done), len(same) - len(files)
