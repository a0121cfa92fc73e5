"""The tasks of a release: stage and check files, make signatures, and publish once the gate is open."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from wheelrelay.api.coordination.held_files import HeldFiles, drop_release, held_files
from wheelrelay.api.coordination.messages import sending_events
from wheelrelay.api.coordination.tasks import Circumstances
from wheelrelay.engine.context import running
from wheelrelay.engine.gate import CheckedFile
from wheelrelay.engine.publishing import Publisher
from wheelrelay.engine.recording import ReceiptRecorder
from wheelrelay.engine.signing import CompanionMaker
from wheelrelay.engine.staging import InspectionRules, Stager
from wheelrelay.errors import WheelrelayError
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.model import Companion, Mode
from wheelrelay.protocols import Report
from wheelrelay.records import Delivery, Outcome, Plan, PlannedFile
from wheelrelay.staged import FileIdentity, StagedFile

NOT_A_FILE = FileIdentity(-1, -1, -1, -1)
"""The identity of a file on another machine; no file here has it."""


@dataclass(frozen=True, slots=True)
class StageFiles:
    """Stage and check some files, and keep their bytes on the worker.

    Attributes:
        shared: What all tasks share.
        release: The identity of what the worker holds of the release.
        files: The files.
        jobs: The number of parallel transfers; adaptive by default.
    """

    shared: Circumstances
    release: str
    files: tuple[PlannedFile, ...]
    jobs: int | None

    def __call__(self, report: Report) -> Mapping[str, CheckedFile | WheelrelayError]:
        """Return what was staged, without its bytes, or the error, by filename."""
        held = held_files(self.release)
        files = tuple(planned.file for planned in self.files)
        with (
            sending_events(report) as progress,
            self.shared.connected(files, self.jobs, progress) as request,
            running(request.options) as runtime,
        ):
            stager = Stager(request.source, held.staging_area, InspectionRules.of(request), runtime)
            done = runtime.workers.run_all(
                self.files, stager.stage, bytes_moved=lambda one: one.item.file.size or 1
            )
        results: dict[str, CheckedFile | WheelrelayError] = {}
        for one in done:
            name = one.item.file.filename
            if one.error is not None:
                results[name] = one.error
            else:
                held.checked[name] = one.unwrap()
                results[name] = without_bytes(one.unwrap())
        return results


@dataclass(frozen=True, slots=True)
class SignFiles:
    """Make the missing companions of files that the worker holds.

    Attributes:
        shared: What all tasks share.
        release: The identity of what the worker holds of the release.
        files: The files, with the actions that are decided.
    """

    shared: Circumstances
    release: str
    files: tuple[PlannedFile, ...]

    def __call__(self, report: Report) -> Mapping[str, tuple[Companion, ...]]:
        """Return the new companions by filename; files that the worker does not hold are left out."""
        held = held_files(self.release)
        present = tuple(planned for planned in self.files if planned.file.filename in held.checked)
        with (
            sending_events(report) as progress,
            self.shared.connected((), None, progress) as request,
            running(request.options) as runtime,
        ):
            options = request.options
            maker = CompanionMaker(request.sinks, options.signer, options.attester, runtime)
            sinks = tuple(sink.name for sink in request.sinks)
            made = maker.make(Plan(request.source.name, sinks, present), held.checked)
        names = [planned.file.filename for planned in present]
        return {name: tuple(made.get(name, ())) for name in names}


@dataclass(frozen=True, slots=True)
class PublishFiles:
    """Publish files that the worker holds, after the gate has opened.

    Attributes:
        shared: What all tasks share.
        release: The identity of what the worker holds of the release.
        sink: The name of the sink.
        files: The files, with the actions that are decided.
        accepted: The files as the gate accepted them, by filename: digest, metadata and companions.
        jobs: The number of parallel transfers; adaptive by default.
        is_last: Whether the bytes are not needed any more afterwards.
    """

    shared: Circumstances
    release: str
    sink: str
    files: tuple[PlannedFile, ...]
    accepted: Mapping[str, StagedFile]
    jobs: int | None
    is_last: bool

    def __call__(self, report: Report) -> Mapping[str, Delivery]:
        """Return the outcomes by filename; files that the worker does not hold are left out.

        After a failure, no further upload begins; the outcome of the others is ``pending``.
        """
        held = held_files(self.release)
        names = [planned.file.filename for planned in self.files]
        files = tuple(planned.file for planned in self.files)
        with (
            sending_events(report) as progress,
            self.shared.connected(files, self.jobs, progress) as request,
            running(request.options) as runtime,
        ):
            (sink,) = (sink for sink in request.sinks if sink.name == self.sink)
            sinks = [sink.name for sink in request.sinks]
            recorder = ReceiptRecorder(request.source.name, sinks, Mode.MIRROR)
            recorder.record_plan(Plan(request.source.name, tuple(sinks), self.files))
            publisher = Publisher(request.source, recorder, request.options.order, runtime)
            present = [held_as_accepted(held, self.accepted[name]) for name in names if name in held.checked]
            drop = held.staging_area.drop if self.is_last else lambda _: None
            publisher.send_all(sink, present, on_sent=drop)
        outcomes = {staged.filename: recorder.delivery(self.sink, staged.filename) for staged in present}
        if self.is_last:
            for name, delivery in outcomes.items():
                if delivery.outcome is not Outcome.PENDING:
                    del held.checked[name]
        return outcomes


@dataclass(frozen=True, slots=True)
class DropFiles:
    """Remove the files of a release from the worker."""

    release: str

    def __call__(self, _: Report) -> None:
        """Remove them."""
        drop_release(self.release)


def without_bytes(checked: CheckedFile) -> CheckedFile:
    """Return a checked file as other processes may see it: opening it fails there."""
    staged = replace(
        checked.staged,
        path=Path("on-a-worker") / checked.staged.filename,
        identity=NOT_A_FILE,
        watcher=None,
        stopped=None,
    )
    return replace(checked, staged=staged)


def held_as_accepted(held: HeldFiles, accepted: StagedFile) -> StagedFile:
    """Return a held file with the metadata and companions that the gate accepted.

    Raises:
        WheelrelayError: The held bytes are others; this is a defect, because staging compares them.
    """
    own = held.checked[accepted.filename].staged
    if (own.sha256, own.size) != (accepted.sha256, accepted.size):
        raise WheelrelayError(f"{accepted.filename} was staged again with other bytes.")
    return replace(own, file=accepted.file, companions=accepted.companions, metadata=accepted.metadata)
