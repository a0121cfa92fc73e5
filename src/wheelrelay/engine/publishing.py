"""Bring staged files into one sink, have it confirm them, and let it finish."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from wheelrelay.engine.confirming import Each, confirm
from wheelrelay.engine.context import Destination, Journey
from wheelrelay.engine.findings import CheckedFile
from wheelrelay.engine.recording import AGAIN, CORRECT_FIRST, Ledger
from wheelrelay.engine.upload import deliver
from wheelrelay.errors import RelayFailed, WheelrelayError
from wheelrelay.events import FileBegan, FileEnded, Step, StepBegan, StepEnded
from wheelrelay.model import Confirm, Kind, Order
from wheelrelay.protocols import SupportsFinalize
from wheelrelay.records import Action, Delivery, Finding, Outcome, Plan, Severity
from wheelrelay.staged import StagedFile
from wheelrelay.transfer.thread_pool import one_by_one, unforeseen


def bound_for(plan: Plan, destination: Destination, checked: Mapping[str, CheckedFile]) -> list[StagedFile]:
    """The staged files that the plan wants to be published to a sink."""
    return [
        checked[planned.file.filename].staged
        for planned in plan.files
        if planned.sinks[destination.name].action is Action.UPLOAD
    ]


def publish_all(
    journey: Journey,
    destination: Destination,
    files: Sequence[StagedFile],
    ledger: Ledger,
    *,
    sent: Callable[[StagedFile], None] = lambda _: None,
) -> None:
    """Publish files to a sink in parallel: the wheels and, when they are confirmed, the sdists.

    Installers that find an sdist without its wheels build from source: so it comes last, unless the order
    is ``any``. A refusal stops what has not begun; what is under way ends, and is entered.

    Args:
        journey: both sides, connected.
        destination: the sink.
        files: what it is to get.
        ledger: where it is entered.
        sent: called with each file of which no byte is read any more, whatever became of it.

    Raises:
        RelayFailed: not all files are in place; carries the receipt.
    """

    def publish(staged: StagedFile) -> Delivery:
        delivery = publish_one(journey, destination, staged, ledger)
        sent(staged)
        return delivery

    for batch in _batches(files, journey.settings.order):
        size = sum(staged.size for staged in batch)
        journey.tell(StepBegan(Step.PUBLISH, destination.name, len(batch), size))
        done = journey.workers.each(
            batch,
            publish,
            enough=lambda one: one.result is None or not one.result.in_place,
            moved=lambda one: one.item.size,
        )
        for one in done:
            if one.error is not None:  # a foreign backend's slip: nobody knows whether the file arrived
                entry = Delivery(Outcome.UNCONFIRMED, 1, reason=str(one.error))
                ledger.enter(destination.name, one.item.filename, entry)
        journey.tell(StepEnded(Step.PUBLISH, destination.name))
        confirm_all(journey, destination, batch, ledger)
        _demand_in_place(destination, batch, ledger)


def publish_one(journey: Journey, destination: Destination, staged: StagedFile, ledger: Ledger) -> Delivery:
    """Publish one file to a sink, and enter what became of it."""
    replacing = ledger.replaces(destination.name, staged.filename)
    began = FileBegan(Step.PUBLISH, staged.filename, staged.size)
    ledger.sending(destination.name, staged.filename)
    delivery = deliver(
        destination.sink,
        staged.watched_by(journey.counter(Step.PUBLISH, staged.filename)),
        journey.persistence,
        source=journey.origin.source,
        replacing=replacing,
        begin=lambda: journey.tell(began),
    )
    ledger.enter(destination.name, staged.filename, delivery)
    error = None if delivery.in_place else delivery.reason
    journey.tell(FileEnded(Step.PUBLISH, staged.filename, delivery, error))
    return delivery


def confirm_all(
    journey: Journey, destination: Destination, files: Sequence[StagedFile], ledger: Ledger
) -> None:
    """Read the sink back, unless its word is taken, and tell those who watch."""
    sent = _sent(destination, files, ledger)
    if sent and destination.confirm is not Confirm.NONE:
        journey.tell(StepBegan(Step.CONFIRM, destination.name, len(sent), 0))
        read_back(journey, destination, sent, ledger, each=journey.workers.each)
        journey.tell(StepEnded(Step.CONFIRM, destination.name))


def read_back(
    journey: Journey,
    destination: Destination,
    files: Sequence[StagedFile],
    ledger: Ledger,
    *,
    each: Each = one_by_one,
) -> None:
    """Read the sink back; what it does not show, or shows with other bytes, is entered as such."""
    sent = {
        staged.filename: ledger.delivery(destination.name, staged.filename)
        for staged in _sent(destination, files, ledger)
    }
    for filename, before in sent.items():  # should this come to no end, the receipt says so
        entry = replace(before, outcome=Outcome.UNCONFIRMED, reason="It was not read back yet.")
        ledger.enter(destination.name, filename, entry)
    doubts = confirm(
        destination.sink,
        [staged for staged in files if staged.filename in sent],
        destination.confirm,
        within=journey.settings.confirm_within,
        stopped=journey.stopped,
        each=each,
        replaced=ledger.replaced(destination.name),
    )
    doubted = {doubt.filename: doubt for doubt in doubts}
    for filename, before in sent.items():
        if doubt := doubted.get(filename):
            before = replace(before, outcome=Outcome.UNCONFIRMED, reason=doubt.reason, lasting=doubt.lasting)
        ledger.enter(destination.name, filename, before)


def _sent(destination: Destination, files: Sequence[StagedFile], ledger: Ledger) -> list[StagedFile]:
    return [
        staged
        for staged in files
        if ledger.delivery(destination.name, staged.filename).outcome is Outcome.PUBLISHED
    ]


@contextmanager
def finalizing(
    journey: Journey, destinations: Sequence[Destination], plan: Plan, ledger: Ledger
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
        changed = [each for each in destinations if ledger.has_changed(each.name)]
        problems = _finalize(journey, changed, plan, ledger)
        if problems and isinstance(error, RelayFailed):
            told = " ".join([error.message, *problems])
            raise RelayFailed(told, receipt=ledger.receipt(), hint=ledger.advice()) from error
        raise
    if problems := _finalize(journey, destinations, plan, ledger):
        told = " ".join([ledger.tally(), *problems])
        raise RelayFailed(told, receipt=ledger.receipt(), hint=ledger.advice())


def _finalize(journey: Journey, destinations: Iterable[Destination], plan: Plan, ledger: Ledger) -> list[str]:
    """Finalize sinks one after the other; a sentence for each that failed, which is a finding as well."""
    projects = sorted({planned.file.project for planned in plan.files})
    problems = []
    for each in destinations:
        if not isinstance(each.sink, SupportsFinalize):
            continue
        finish = partial(each.sink.finalize, projects)
        try:
            journey.persistence.insist(f"the pages of {each.name}", finish)
        except Exception as error:  # noqa: BLE001  (of a foreign backend; the next sink has its turn all the same)
            ours = error if isinstance(error, WheelrelayError) else unforeseen(error)
            ours.at(f"sink {each.name!r}")
            hint = AGAIN if ours.retryable else CORRECT_FIRST
            ledger.found(Finding("finalize", Severity.ERROR, str(ours), hint=hint))
            problems.append(f"The pages of {each.name} were not brought up to date: {ours}")
    return problems


def _batches(files: Sequence[StagedFile], order: Order) -> list[Sequence[StagedFile]]:
    if order is Order.ANY:
        batches = [list(files)]
    else:
        kinds = ((Kind.VARIANTS, Kind.WHEEL), (Kind.SDIST,))
        batches = [[staged for staged in files if staged.file.kind in batch] for batch in kinds]
    return [batch for batch in batches if batch]


def _demand_in_place(destination: Destination, files: Sequence[StagedFile], ledger: Ledger) -> None:
    """End the relay if a file is not in place, so that nothing further begins."""
    if not all(ledger.delivery(destination.name, staged.filename).in_place for staged in files):
        raise RelayFailed(ledger.tally(), receipt=ledger.receipt(), hint=ledger.advice())
