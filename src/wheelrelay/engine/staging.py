"""Stage and check the files of a plan, many at once: while some download, others are checked."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from wheelrelay.checks import CheckPolicy
from wheelrelay.engine.context import ConnectedSource, RelayRequest, Runtime
from wheelrelay.engine.gate import CheckedFile
from wheelrelay.errors import BackendError, IntegrityError, NotFound, WheelrelayError
from wheelrelay.events import FileBegan, FileEnded, SizeKnown, Step, StepBegan, StepEnded
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.lock_matching import verify_locked
from wheelrelay.model import PROVENANCE_SUFFIX, DistFile
from wheelrelay.protocols import SupportsCompanionStorage, SupportsLocalPath, SupportsProvenance
from wheelrelay.records import Finding, Plan, PlannedFile, Severity
from wheelrelay.signing import (
    SIGNATURE_SUFFIX,
    Signer,
    TrustPolicy,
    attestation_findings,
    attestations_of,
    drop_malformed_companions,
    parse_provenance,
    provenance_of,
    refused_companion,
)
from wheelrelay.staged import StagedFile
from wheelrelay.transfer.download import stage
from wheelrelay.transfer.staging_area import StagingArea

if TYPE_CHECKING:
    from wheelrelay.checks import Inspection
    from wheelrelay.lock_files import Lock

ERRORS_OF_ONE_FILE = (IntegrityError, NotFound)
"""Errors that concern one file, not the source: the other files are still staged."""

MAX_OTHER_ERRORS = 10
"""How many further errors are appended to the first."""


@dataclass(frozen=True, slots=True)
class InspectionRules:
    """The checks that a file must pass while it is staged.

    Attributes:
        policies: The check policies of all sinks.
        trust: Who must have signed or attested each file.
        signer: Verifies the source's signatures where a sink requires some.
        lock: Has the digests that files must have.
        copies_provenance: Whether to publish the provenance that the source serves.
    """

    policies: Sequence[CheckPolicy] = ()
    trust: TrustPolicy | None = None
    signer: Signer | None = None
    lock: "Lock | None" = None
    copies_provenance: bool = False

    @classmethod
    def of(cls, request: RelayRequest, *, is_mirror: bool = False) -> "InspectionRules":
        """Return the rules of a relay."""
        requires_signatures = any(SIGNATURE_SUFFIX in sink.required_companions for sink in request.sinks)
        return cls(
            [sink.checks for sink in request.sinks],
            request.policy.trust,
            request.options.signer if requires_signatures else None,
            request.selection.lock,
            is_mirror and copies_provenance(request),
        )


class Stager:
    """Brings files of a source to local disk, verified and checked; safe for threads.

    Args:
        source: The source.
        staging_area: Where downloaded files are stored.
        rules: The checks that each file must pass.
        runtime: Threads, retries and progress.
    """

    def __init__(
        self, source: ConnectedSource, staging_area: StagingArea, rules: InspectionRules, runtime: Runtime
    ) -> None:
        self._source = source
        self._staging_area = staging_area
        self._rules = rules
        self._runtime = runtime

    def stage_all(self, plan: Plan) -> dict[str, CheckedFile]:
        """Stage and check every file that any sink needs.

        A damaged file does not end the step, so that one run reports all of them; a source that fails does.

        Returns:
            The checked files, by filename.

        Raises:
            IntegrityError: Files are not what the source declared; the message names all of them.
            BackendError: The source failed.
        """
        needed = [planned for planned in plan.files if planned.needs_staging]
        if not needed:
            return {}
        size = sum(planned.file.size or 0 for planned in needed)
        self._runtime.report(StepBegan(Step.STAGE, self._source.name, len(needed), size))
        done = self._runtime.workers.run_all(
            needed,
            self.stage,
            is_last=lambda one: one.error is not None and not isinstance(one.error, ERRORS_OF_ONE_FILE),
            bytes_moved=lambda one: one.result.staged.size if one.result else 0,
        )
        self._runtime.report(StepEnded(Step.STAGE, self._source.name))
        raise_first({one.item.file.filename: one.error for one in done if one.error is not None})
        return {one.item.file.filename: one.unwrap() for one in done}

    def stage(self, planned: PlannedFile) -> CheckedFile:
        """Stage and check one file.

        Raises:
            IntegrityError: The file is not what the source declared.
            BackendError: The source failed.
        """
        file = planned.file
        try:
            staged = fetch(
                self._source, file, self._staging_area, self._runtime, Step.STAGE, verify_archive=False
            )
            verify_locked(self._rules.lock, staged.file)
            from wheelrelay.checks import inspect  # loads all checks, while other files download

            inspection = inspect(
                staged, policies=self._rules.policies, map_function=self._runtime.workers.map
            )
            self._refuse_damaged(file, inspection)
            provenance = self._read_provenance(staged)
            distrust = self._distrust(self._with_attestations(staged, provenance))
            staged, missing = self._with_provenance(staged, provenance)
        except WheelrelayError as error:
            error.at(f"source {self._source.name!r}")
            self._runtime.report(FileEnded(Step.STAGE, file.filename, error=str(error)))
            raise
        staged = replace(staged, metadata=inspection.metadata or b"")  # never read again: see `StagedFile`
        if not any(finding.severity is Severity.ERROR for finding in distrust):
            staged, malformed = drop_malformed_companions(staged)
            distrust += malformed
        self._runtime.report(FileEnded(Step.STAGE, file.filename))
        return CheckedFile(staged, inspection, (*distrust, *missing, *staged.companion_findings))

    def _refuse_damaged(self, file: DistFile, inspection: "Inspection") -> None:
        """Refuse a downloaded file that does not unpack, if the source declares no digest to detect that.

        Raises:
            IntegrityError: The file is damaged.
        """
        is_proven = file.digests.known() or isinstance(self._source.source, SupportsLocalPath)
        if inspection.damage and not is_proven:
            raise IntegrityError(
                f"{file.filename} is damaged: {inspection.damage.rstrip('.')}.",
                hint="Check the file at the source, and upload it there again.",
            )

    def _read_provenance(self, staged: StagedFile) -> bytes | None:
        """Return the provenance object (PEP 740) of a file, if it is copied or trust depends on it."""
        rules, file = self._rules, staged.file
        is_trusted = rules.trust and rules.trust.uses_attestations and not attestations_of(staged)
        is_copied = rules.copies_provenance and PROVENANCE_SUFFIX not in file.companions
        if file.provenance is None or not (is_trusted or is_copied):
            return None
        return read_provenance(self._source, file, self._runtime)

    def _with_attestations(self, staged: StagedFile, provenance: bytes | None) -> StagedFile:
        """Return the file with the attestations in its provenance, if it has no others.

        They are verified and not published: they name the publisher at the source.

        Raises:
            BackendError: It is not a provenance object.
        """
        if provenance is None or not self._rules.trust or attestations_of(staged):
            return staged
        try:
            attestations = tuple(parse_provenance(provenance))
        except ValueError as error:
            raise BackendError(f"The provenance of {staged.filename} is not valid: {error}.") from error
        return replace(staged, companions=(*staged.companions, *attestations))

    def _with_provenance(
        self, staged: StagedFile, provenance: bytes | None
    ) -> tuple[StagedFile, list[Finding]]:
        """Return the file with its provenance as a companion if it is copied, or the reason why not."""
        file = staged.file
        if not (self._rules.copies_provenance and file.provenance) or PROVENANCE_SUFFIX in file.companions:
            return staged, []
        companion, reason = provenance_of(file.filename, staged.sha256, provenance)
        if companion is None:
            return staged, [refused_companion(file.filename, PROVENANCE_SUFFIX, reason or "")]
        file = replace(file, companions=tuple(sorted([*file.companions, PROVENANCE_SUFFIX])))
        return replace(staged, file=file, companions=(*staged.companions, companion)), []

    def _distrust(self, staged: StagedFile) -> list[Finding]:
        """Return the findings about signatures and attestations, if the route or a sink requires any."""
        findings = list(attestation_findings(staged))
        if self._rules.trust:
            return findings + self._rules.trust.findings(staged)
        return findings + (self._rules.signer.findings(staged) if self._rules.signer else [])


def copies_provenance(request: RelayRequest) -> bool:
    """Return whether a mirror stores the provenance that its source serves: a sink keeps companions."""
    keeps = any(isinstance(sink.sink, SupportsCompanionStorage) for sink in request.sinks)
    return request.policy.provenance and keeps


def read_provenance(source: ConnectedSource, file: DistFile, runtime: Runtime) -> bytes | None:
    """Return the provenance object that a source serves for a file; ``None`` if it has none.

    Raises:
        BackendError: It cannot be read.
    """
    backend = source.source
    if not isinstance(backend, SupportsProvenance):
        return None
    try:
        return runtime.retrier.call(
            f"the provenance of {file.filename}", lambda: backend.read_provenance(file)
        )
    except NotFound:  # listed, but not there
        return None


def fetch(
    source: ConnectedSource,
    file: DistFile,
    staging_area: StagingArea,
    runtime: Runtime,
    step: Step,
    *,
    verify_archive: bool,
) -> StagedFile:
    """Bring a file to local disk, and report it as part of a step.

    Args:
        source: The source.
        file: As the source lists it.
        staging_area: Where it is stored.
        runtime: Threads, retries and progress.
        step: The step that is reported.
        verify_archive: Verify the archive's own checksums where the source declares no digest.

    Raises:
        IntegrityError: The file is not what the source declared.
        BackendError: The source failed.
    """
    return stage(
        source.source,
        file,
        staging_area,
        watcher=runtime.byte_counter(step, file.filename),
        stopped=runtime.stopped,
        retrier=runtime.retrier,
        begin=lambda: runtime.report(FileBegan(step, file.filename, file.size)),
        on_size=lambda size: runtime.report(SizeKnown(step, file.filename, size)),
        verify_archive=verify_archive,
        executor=runtime.workers,
        ranges=runtime.ranges,
    )


def preload_checks(source: ConnectedSource, runtime: Runtime) -> None:
    """Import the checks in the background while a remote source is listed: both take a while."""
    if not isinstance(source.source, SupportsLocalPath):
        runtime.workers.run_in_background(_import_checks)


def _import_checks() -> None:
    from wheelrelay.checks.registry import file_checks

    file_checks()


def raise_first(errors: Mapping[str, WheelrelayError]) -> None:
    """Raise the error of the first filename, with the other messages appended."""
    if not errors:
        return
    first, *others = (errors[name] for name in sorted(errors))
    messages = [*dict.fromkeys(error.message for error in others if error.message != first.message)]
    if not messages:
        raise first
    more = f" And {len(messages) - MAX_OTHER_ERRORS} more." if len(messages) > MAX_OTHER_ERRORS else ""
    raise first.extended(f"Also: {' '.join(messages[:MAX_OTHER_ERRORS])}{more}") from first
