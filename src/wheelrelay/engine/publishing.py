"""Bring staged files into one sink, have it confirm them, and let it finish."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from wheelrelay.engine.confirming import Each, confirm
from wheelrelay.engine.context import ConnectedSink, RelayContext
from wheelrelay.engine.findings import CheckedFile
from wheelrelay.engine.recording import AGAIN, CORRECT_FIRST, ReceiptRecorder
from wheelrelay.engine.upload import deliver
from wheelrelay.errors import RelayFailed, WheelrelayError
from wheelrelay.events import FileBegan, FileEnded, Step, StepBegan, StepEnded
from wheelrelay.model import Confirm, Kind, Order
from wheelrelay.protocols import SupportsFinalize
from wheelrelay.records import Action, Delivery, Finding, Outcome, Plan, Severity
from wheelrelay.staged import StagedFile
from wheelrelay.transfer.thread_pool import one_by_one, unforeseen


def bound_for(plan: Plan, destination: ConnectedSink, checked: Mapping[str, CheckedFile]) -> list[StagedFile]:
    """The staged files that the plan wants to be published to a sink."""
    return [
        checked[planned.file.filename].staged
        for planned in plan.files
        if planned.sinks[destination.name].action is Action.UPLOAD
    ]


def publish_all(
    context: RelayContext,
    destination: ConnectedSink,
    files: Sequence[StagedFile],
    recorder: ReceiptRecorder,
    *,
    sent: Callable[[StagedFile], None] = lambda _: None,
) -> None:
    """Publish files to a sink in parallel: the wheels and, when they are confirmed, the sdists.

    Installers that find an sdist without its wheels build from source: so it comes last, unless the order
    is ``any``. A refusal stops what has not begun; what is under way ends, and is entered.

    Args:
        context: both sides, connected.
        destination: the sink.
        files: what it is to get.
        recorder: where it is entered.
        sent: called with each file of which no byte is read any more, whatever became of it.

    Raises:
        RelayFailed: not all files are in place; carries the receipt.
    """

    def publish(staged: StagedFile) -> Delivery:
        delivery = publish_one(context, destination, staged, recorder)
        sent(staged)
        return delivery

    for batch in _batches(files, context.settings.order):
        size = sum(staged.size for staged in batch)
        context.tell(StepBegan(Step.PUBLISH, destination.name, len(batch), size))
        done = context.workers.each(
            batch,
            publish,
            enough=lambda one: one.result is None or not one.result.is_in_place,
            moved=lambda one: one.item.size,
        )
        for one in done:
            if one.error is not None:  # a foreign backend's slip: nobody knows whether the file arrived
                entry = Delivery(Outcome.UNCONFIRMED, 1, reason=str(one.error))
                recorder.enter(destination.name, one.item.filename, entry)
        context.tell(StepEnded(Step.PUBLISH, destination.name))
        confirm_all(context, destination, batch, recorder)
        _demand_in_place(destination, batch, recorder)


def publish_one(
    context: RelayContext, destination: ConnectedSink, staged: StagedFile, recorder: ReceiptRecorder
) -> Delivery:
    """Publish one file to a sink, and enter what became of it."""
    replacing = recorder.replaces(destination.name, staged.filename)
    began = FileBegan(Step.PUBLISH, staged.filename, staged.size)
    recorder.sending(destination.name, staged.filename)
    delivery = deliver(
        destination.sink,
        staged.watched_by(context.counter(Step.PUBLISH, staged.filename), stopped=context.stopped),
        context.retrier,
        source=context.origin.source,
        replacing=replacing,
        begin=lambda: context.tell(began),
    )
    recorder.enter(destination.name, staged.filename, delivery)
    error = None if delivery.is_in_place else delivery.reason
    context.tell(FileEnded(Step.PUBLISH, staged.filename, delivery, error))
    return delivery


def confirm_all(
    context: RelayContext, destination: ConnectedSink, files: Sequence[StagedFile], recorder: ReceiptRecorder
) -> None:
    """Read the sink back, unless its word is taken, and tell those who watch."""
    sent = _sent(destination, files, recorder)
    if sent and destination.confirm is not Confirm.NONE:
        context.tell(StepBegan(Step.CONFIRM, destination.name, len(sent), 0))
        read_back(context, destination, sent, recorder, each=context.workers.each)
        context.tell(StepEnded(Step.CONFIRM, destination.name))


def read_back(
    context: RelayContext,
    destination: ConnectedSink,
    files: Sequence[StagedFile],
    recorder: ReceiptRecorder,
    *,
    each: Each = one_by_one,
) -> None:
    """Read the sink back; what it does not show, or shows with other bytes, is entered as such."""
    sent = {
        staged.filename: recorder.delivery(destination.name, staged.filename)
        for staged in _sent(destination, files, recorder)
    }
    for filename, before in sent.items():  # should this come to no end, the receipt says so
        entry = replace(before, outcome=Outcome.UNCONFIRMED, reason="It was not read back yet.")
        recorder.enter(destination.name, filename, entry)
    doubts = confirm(
        destination.sink,
        [staged for staged in files if staged.filename in sent],
        destination.confirm,
        within=destination.confirm_timeout,
        stopped=context.stopped,
        each=each,
        replaced=recorder.replaced(destination.name),
    )
    doubted = {doubt.filename: doubt for doubt in doubts}
    for filename, before in sent.items():
        if doubt := doubted.get(filename):
            before = replace(before, outcome=Outcome.UNCONFIRMED, reason=doubt.reason, lasting=doubt.lasting)
        recorder.enter(destination.name, filename, before)


def _sent(
    destination: ConnectedSink, files: Sequence[StagedFile], recorder: ReceiptRecorder
) -> list[StagedFile]:
    return [
        staged
        for staged in files
        if recorder.delivery(destination.name, staged.filename).outcome is Outcome.PUBLISHED
    ]


@contextmanager
def finalizing(
    context: RelayContext, destinations: Sequence[ConnectedSink], plan: Plan, recorder: ReceiptRecorder
) -> Iterator[None]:
    """Let sinks make visible what was put, when publishing to them has ended, and however it ended.

    After a failure, those are finalized that were changed: pages that list what is not there any more are
    worse than pages that list a part of a release. After success all are, for an earlier run may have died.

    Raises:
        RelayFailed: a sink failed to; carries the receipt. The others were finalized all the same.
    """
    try:
        yield
    except (KeyboardInterrupt, Exception) as error:
        changed = [each for each in destinations if recorder.has_changed(each.name)]
        problems = _finalize(context, changed, plan, recorder)
        if problems and isinstance(error, RelayFailed):
            told = " ".join([error.message, *problems])
            raise RelayFailed(told, receipt=recorder.receipt(), hint=recorder.advice()) from error
        raise
    if problems := _finalize(context, destinations, plan, recorder):
        told = " ".join([recorder.tally(), *problems])
        raise RelayFailed(told, receipt=recorder.receipt(), hint=recorder.advice())


def _finalize(
    context: RelayContext, destinations: Iterable[ConnectedSink], plan: Plan, recorder: ReceiptRecorder
) -> list[str]:
    """Finalize sinks one after the other; a sentence for each that failed, which is a finding as well."""
    projects = sorted({planned.file.project for planned in plan.files})
    problems = []
    for each in destinations:
        if not isinstance(each.sink, SupportsFinalize):
            continue
        finish = partial(each.sink.finalize, projects)
        try:
            context.retrier.call(f"the pages of {each.name}", finish)
        except Exception as error:  # noqa: BLE001  (of a foreign backend; the next sink has its turn all the same)
            ours = error if isinstance(error, WheelrelayError) else unforeseen(error)
            ours.at(f"sink {each.name!r}")
            hint = AGAIN if ours.retryable else CORRECT_FIRST
            recorder.found(Finding("finalize", Severity.ERROR, str(ours), hint=hint))
            problems.append(f"The pages of {each.name} were not brought up to date: {ours}")
    return problems


def _batches(files: Sequence[StagedFile], order: Order) -> list[Sequence[StagedFile]]:
    if order is Order.ANY:
        batches = [list(files)]
    else:
        kinds = ((Kind.VARIANTS, Kind.WHEEL), (Kind.SDIST,))
        batches = [[staged for staged in files if staged.file.kind in batch] for batch in kinds]
    return [batch for batch in batches if batch]


def _demand_in_place(
    destination: ConnectedSink, files: Sequence[StagedFile], recorder: ReceiptRecorder
) -> None:
    """End the relay if a file is not in place, so that nothing further begins."""
    if not all(recorder.delivery(destination.name, staged.filename).is_in_place for staged in files):
        raise RelayFailed(recorder.tally(), receipt=recorder.receipt(), hint=recorder.advice())
