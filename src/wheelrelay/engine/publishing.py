"""Publish staged files to a sink, confirm them, and update its pages."""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import field, replace
from functools import partial

from packaging.utils import NormalizedName

from wheelrelay.engine.confirming import confirm
from wheelrelay.engine.context import ConnectedSink, ConnectedSource, Runtime, error_context
from wheelrelay.engine.gate import CheckedFile
from wheelrelay.engine.recording import CORRECT_FIRST, RUN_AGAIN, ReceiptRecorder
from wheelrelay.engine.upload import deliver
from wheelrelay.errors import NotFound, RelayFailed, WheelrelayError
from wheelrelay.events import FileBegan, FileEnded, Step, StepBegan, StepEnded
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.model import Confirm, Kind, Order
from wheelrelay.protocols import SupportsFinalize, SupportsLook, SupportsReadiness
from wheelrelay.records import Action, Delivery, Finding, Outcome, Plan, PlannedFile, Severity
from wheelrelay.staged import StagedFile
from wheelrelay.transfer.retry import Retrier
from wheelrelay.transfer.thread_pool import RunAll, run_sequentially, unexpected_error

MAX_UNCHANGED = 100
"""Up to this many projects, the pages of all are compared after a relay, also of those without changes.
`ContainerStore.finalize` finds out on its own which pages an interrupted run has left outdated."""


def make_ready(sinks: Sequence[ConnectedSink], plan: Plan, retrier: Retrier) -> None:
    """Resolve the credentials of the sinks, so that none is missing after another sink is done.

    An index that has all files needs no credentials. A sink with pages does in any case.

    Raises:
        MissingSecret: A secret does not exist.
        BackendError: A sink or an identity provider refused, or kept failing.
    """
    for sink in sinks:
        has_uploads = plan.count(sink.name, Action.UPLOAD) or plan.count(sink.name, Action.UNKNOWN)
        is_needed = has_uploads or isinstance(sink.sink, SupportsFinalize)
        if is_needed and isinstance(sink.sink, SupportsReadiness):
            with error_context(f"sink {sink.name!r}"):
                retrier.call(f"the credentials for {sink.name}", sink.sink.make_ready)


def files_for(plan: Plan, sink: ConnectedSink, checked: Mapping[str, CheckedFile]) -> list[StagedFile]:
    """Return the staged files that the plan publishes to a sink."""
    return [
        checked[planned.file.filename].staged
        for planned in plan.files
        if planned.sinks[sink.name].action is Action.UPLOAD
    ]


class Publisher:
    """Publishes staged files and records the outcomes; safe for threads.

    Args:
        source: The source of the files: a sink on the same server may copy them from there.
        recorder: Records the outcomes.
        order: Whether sdists are published after the wheels.
        runtime: Threads, retries and progress.
    """

    def __init__(
        self, source: ConnectedSource, recorder: ReceiptRecorder, order: Order, runtime: Runtime
    ) -> None:
        self._source = source
        self._recorder = recorder
        self._order = order
        self._runtime = runtime

    def publish_all(
        self,
        sink: ConnectedSink,
        files: Sequence[StagedFile],
        *,
        send: Callable[[ConnectedSink, Sequence[StagedFile]], None] | None = None,
    ) -> None:
        """Publish files in parallel and confirm them: first the wheels, then the sdists.

        Installers that find an sdist without its wheels build from source, so the sdists come last, unless
        the order is ``any``. After a failure no further upload begins; running uploads end and are recorded.

        Args:
            sink: The sink.
            files: The files.
            send: Sends some files to the sink and records the outcomes. [default: `send_all`]

        Raises:
            RelayFailed: Not all files are in place; has the receipt.
        """
        send = send or self.send_all
        for batch in _batches(files, self._order):
            size = sum(staged.size for staged in batch)
            self._runtime.report(StepBegan(Step.PUBLISH, sink.name, len(batch), size))
            send(sink, batch)
            self._runtime.report(StepEnded(Step.PUBLISH, sink.name))
            self._confirm_all(sink, batch)
            self._require_in_place(sink, batch)

    def send_all(
        self,
        sink: ConnectedSink,
        files: Sequence[StagedFile],
        *,
        on_sent: Callable[[StagedFile], None] = lambda _: None,
    ) -> None:
        """Send files in parallel and record the outcomes; after a failure, no further upload begins.

        Args:
            sink: The sink.
            files: The files.
            on_sent: Called with each file whose bytes are not needed any more, whatever its outcome.
        """

        def publish(staged: StagedFile) -> Delivery:
            delivery = self.publish(sink, staged)
            on_sent(staged)
            return delivery

        done = self._runtime.workers.run_all(
            files,
            publish,
            is_last=lambda one: one.result is None or not one.result.is_in_place,
            bytes_moved=lambda one: one.item.size,
        )
        for one in done:
            if one.error is not None:  # of an unexpected kind: the file may have arrived
                unconfirmed = Delivery(Outcome.UNCONFIRMED, 1, reason=str(one.error))
                self._recorder.record(sink.name, one.item.filename, unconfirmed)

    def publish(self, sink: ConnectedSink, staged: StagedFile) -> Delivery:
        """Publish one file, and record the outcome."""
        counter = self._runtime.byte_counter(Step.PUBLISH, staged.filename)
        self._recorder.record_sending(sink.name, staged.filename)
        delivery = deliver(
            sink.sink,
            staged.watched_by(counter, stopped=self._runtime.stopped),
            self._runtime.retrier,
            source=self._source.source,
            replacing=self._recorder.replaces(sink.name, staged.filename),
            begin=lambda: self._runtime.report(FileBegan(Step.PUBLISH, staged.filename, staged.size)),
        )
        self._recorder.record(sink.name, staged.filename, delivery)
        error = None if delivery.is_in_place else delivery.reason
        self._runtime.report(FileEnded(Step.PUBLISH, staged.filename, delivery, error))
        return delivery

    def confirm(
        self, sink: ConnectedSink, files: Sequence[StagedFile], *, run_all: RunAll = run_sequentially
    ) -> None:
        """Confirm the published ones of some files, and record those that cannot be confirmed."""
        published = self._published(sink, files)
        before = {staged.filename: self.await_confirmation(sink, staged) for staged in published}
        self.confirm_sent(sink, published, before, run_all=run_all)

    def await_confirmation(self, sink: ConnectedSink, staged: StagedFile) -> Delivery:
        """Record a published file as unconfirmed until it is confirmed, and return its outcome.

        The receipt shows this if the relay is interrupted before.
        """
        delivery = self._recorder.delivery(sink.name, staged.filename)
        unconfirmed = replace(delivery, outcome=Outcome.UNCONFIRMED, reason="It was not confirmed yet.")
        self._recorder.record(sink.name, staged.filename, unconfirmed)
        return delivery

    def confirm_sent(
        self,
        sink: ConnectedSink,
        files: Sequence[StagedFile],
        before: Mapping[str, Delivery],
        *,
        run_all: RunAll = run_sequentially,
    ) -> None:
        """Confirm files that await it, and record the outcomes.

        Args:
            sink: The sink.
            files: The files.
            before: The outcome of each once it is confirmed, by filename; see `await_confirmation`.
            run_all: Reads several files at once.
        """
        problems = confirm(
            sink.sink,
            files,
            sink.confirm,
            within=sink.confirm_timeout,
            stopped=self._runtime.stopped,
            run_all=run_all,
            replaced=self._recorder.replaced(sink.name),
        )
        by_name = {problem.filename: problem for problem in problems}
        for filename, delivery in before.items():
            if problem := by_name.get(filename):
                delivery = replace(
                    delivery, outcome=Outcome.UNCONFIRMED, reason=problem.reason, lasting=problem.lasting
                )
            self._recorder.record(sink.name, filename, delivery)

    def is_published(self, sink: ConnectedSink, staged: StagedFile) -> bool:
        """Return whether a file is recorded as published."""
        return self._recorder.delivery(sink.name, staged.filename).outcome is Outcome.PUBLISHED

    @contextmanager
    def updating_pages(self, sinks: Sequence[ConnectedSink], plan: Plan) -> Iterator[None]:
        """Update the pages of sinks when publishing to them has ended, also if it failed.

        After a failure only the pages of changed sinks are updated: pages that list files which no longer
        exist are worse than pages that list a part of a release. After success all are updated, because an
        earlier run may have been killed before it could.

        After a second Ctrl-C no pages are updated; the receipt lists the sinks.

        Raises:
            RelayFailed: The pages of a sink could not be updated; has the receipt.
        """
        recorder = self._recorder
        try:
            yield
        except (KeyboardInterrupt, Exception) as error:
            changed = [sink for sink in sinks if recorder.has_changed(sink.name)]
            if self._runtime.workers.must_stop_now:
                recorder.expect_pages(
                    [sink.name for sink in changed if isinstance(sink.sink, SupportsFinalize)]
                )
                raise
            problems = self._update_pages(changed, plan, has_failed=True)
            if problems and isinstance(error, RelayFailed):
                message = " ".join([error.message, *problems])
                raise RelayFailed(message, receipt=recorder.receipt(), hint=recorder.advice()) from error
            raise
        if problems := self._update_pages(sinks, plan):
            message = " ".join([recorder.summary(), *problems])
            raise RelayFailed(message, receipt=recorder.receipt(), hint=recorder.advice())

    def _update_pages(
        self, sinks: Iterable[ConnectedSink], plan: Plan, *, has_failed: bool = False
    ) -> list[str]:
        """Update the pages of sinks one after the other; return a sentence for each failure.

        If nothing was published, a container may not exist yet; it has no outdated pages then.
        """
        planned = {planned.file.project for planned in plan.files}
        if not planned and not plan.unchanged:  # of an empty shard
            return []
        finalizers = {sink.name: sink.sink for sink in sinks if isinstance(sink.sink, SupportsFinalize)}
        self._recorder.expect_pages(list(finalizers))  # an interrupt leaves those that were not reached
        problems = []
        for name, sink in finalizers.items():
            is_large = len(planned) > MAX_UNCHANGED
            projects = sorted(self._recorder.changed_projects(name) if is_large else planned)
            try:
                self._runtime.retrier.call(f"the pages of {name}", partial(sink.finalize, projects))
            except Exception as error:  # noqa: BLE001  (one sink must not keep the next from its pages)
                if isinstance(error, NotFound) and (has_failed or not self._recorder.has_changed(name)):
                    self._recorder.record_pages(name)
                    continue
                problem = error if isinstance(error, WheelrelayError) else unexpected_error(error)
                problem.at(f"sink {name!r}")
                hint = RUN_AGAIN if problem.retryable else CORRECT_FIRST
                finding = Finding("finalize", Severity.ERROR, str(problem), hint=hint)
                self._recorder.record_findings([finding])
                problems.append(f"The pages of {name} were not updated: {problem}")
            self._recorder.record_pages(name)
        return problems

    def _confirm_all(self, sink: ConnectedSink, files: Sequence[StagedFile]) -> None:
        """Confirm published files as a separate step, unless the sink's answers are relied on."""
        published = self._published(sink, files)
        if published and sink.confirm is not Confirm.NONE:
            self._runtime.report(StepBegan(Step.CONFIRM, sink.name, len(published), 0))
            self.confirm(sink, published, run_all=self._runtime.workers.run_all)
            self._runtime.report(StepEnded(Step.CONFIRM, sink.name))

    def _published(self, sink: ConnectedSink, files: Sequence[StagedFile]) -> list[StagedFile]:
        return [staged for staged in files if self.is_published(sink, staged)]

    def _require_in_place(self, sink: ConnectedSink, files: Sequence[StagedFile]) -> None:
        """End the relay if a file is not in place.

        Raises:
            RelayFailed: A file is not in place; has the receipt.
        """
        recorder = self._recorder
        if not all(recorder.delivery(sink.name, staged.filename).is_in_place for staged in files):
            raise RelayFailed(recorder.summary(), receipt=recorder.receipt(), hint=recorder.advice())


class Confirmations:
    """Confirms the files of a mirror with as few reads as the sinks permit; safe for threads.

    A sink that can look at one file confirms each file after it was sent. At other sinks, the files of a
    project are confirmed together after the last one: a read returns all of them, so that one read for each
    file would take time in proportion to the square of their number.

    Args:
        publisher: Publishes the files.
        files: All files that are going to be moved.
    """

    def __init__(self, publisher: Publisher, files: Iterable[PlannedFile]) -> None:
        self._publisher = publisher
        self._remaining = Counter(planned.file.project for planned in files)
        self._waiting: dict[str, dict[str, _Waiting]] = {}
        self._lock = threading.Lock()

    def add(self, sink: ConnectedSink, staged: StagedFile) -> None:
        """Confirm a file that was sent, now or together with the others of its project."""
        if isinstance(sink.sink, SupportsLook) or sink.confirm is Confirm.NONE:
            self._publisher.confirm(sink, [staged])
        elif self._publisher.is_published(sink, staged):
            delivery = self._publisher.await_confirmation(sink, staged)
            with self._lock:
                sinks = self._waiting.setdefault(staged.file.project, {})
                waiting = sinks.setdefault(sink.name, _Waiting(sink))
                waiting.files.append(replace(staged, metadata=b""))  # not needed, and it may be large
                waiting.before[staged.filename] = delivery

    def end_file(self, project: NormalizedName) -> None:
        """Confirm the files of a project if the one that ends now is its last one."""
        with self._lock:
            self._remaining[project] -= 1
            is_last = not self._remaining[project]
            sinks = self._waiting.pop(project, {}) if is_last else {}
        for waiting in sinks.values():
            self._publisher.confirm_sent(waiting.sink, waiting.files, waiting.before)


@dataclass
class _Waiting:
    """Files of a project that await confirmation at a sink."""

    sink: ConnectedSink
    files: list[StagedFile] = field(default_factory=list)
    before: dict[str, Delivery] = field(default_factory=dict)


def _batches(files: Sequence[StagedFile], order: Order) -> list[Sequence[StagedFile]]:
    """Return the files in the groups that are published one after the other."""
    if order is Order.ANY:
        batches = [list(files)]
    else:
        kinds = ((Kind.VARIANTS, Kind.WHEEL), (Kind.SDIST,))
        batches = [[staged for staged in files if staged.file.kind in batch] for batch in kinds]
    return [batch for batch in batches if batch]
