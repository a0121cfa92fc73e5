"""One relay from end to end: list, select, plan, stage, gate, publish, confirm, receipt.

`release` moves files that stand or fall together: nothing is published before all of them are staged
and the gate is open. `mirror` moves each file by itself.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from wheelrelay.errors import RelayFailed, ReleaseRefused, WheelrelayError
from wheelrelay.model import Kind
from wheelrelay.protocols import SupportsFinalize
from wheelrelay.records import Action, Delivery, Finding, Outcome, Plan, PlannedFile, Receipt, Severity
from wheelrelay.staged import StagedFile
from wheelrelay.steps.confirm import confirm
from wheelrelay.steps.events import FileBegan, FileEnded, Planned, Step, StepBegan, StepEnded
from wheelrelay.steps.gate import objections, refuse, settle
from wheelrelay.steps.journey import Destination, Journey
from wheelrelay.steps.ledger import Ledger
from wheelrelay.steps.publish import deliver
from wheelrelay.steps.stage import Wheelhouse, stage


def release(journey: Journey, *, one_version: bool = True, versions: Mapping[str, str]) -> Receipt:
    """Move all files or, if anything can be known to be wrong with any of them, none.

    Args:
        journey: both sides, connected.
        one_version: whether each project must come down to exactly one version.
        versions: of the distributions that take part, for the receipt.

    Raises:
        ReleaseRefused: the gate stayed shut; nothing was published.
        RelayFailed: publishing began and did not come to its end; carries the receipt.
        WheelrelayError: anything else that ends a relay before it publishes anything.
    """
    plan = journey.plan(one_version=one_version)
    journey.tell(Planned(plan))
    refuse(_objections(journey, plan))
    with _wheelhouse() as wheelhouse:
        staged = _stage_all(journey, plan, wheelhouse)
        sinks = {each.name: each.sink for each in journey.destinations}
        plan = settle(plan, staged, sinks)
        refuse(_objections(journey, plan))
        _ask(journey, plan)
        ledger = Ledger(plan, "release", versions)
        for file in staged.values():
            ledger.staged(file)
        with _receipt_on_failure(ledger):
            for destination in journey.destinations:
                _publish_all(journey, destination, _bound_for(plan, destination, staged), ledger)
                _finalize(journey, destination, plan, ledger)
                _demand_complete(destination, ledger)
    return ledger.receipt()


def mirror(journey: Journey, *, versions: Mapping[str, str]) -> Receipt:
    """Move each file by itself as soon as it can; a bad one is reported, and the rest go on.

    Raises:
        RelayFailed: some files are not in place; carries the receipt.
        WheelrelayError: the relay could not begin.
    """
    plan = journey.plan(one_version=False)
    journey.tell(Planned(plan))
    ledger = Ledger(plan, "mirror", versions)
    with _wheelhouse() as wheelhouse, _receipt_on_failure(ledger):
        _ask(journey, plan)
        moving = [planned for planned in plan.files if planned.needs_staging()]
        size = sum(planned.file.size or 0 for planned in moving)
        journey.tell(StepBegan(Step.PUBLISH, ", ".join(plan.sinks), len(moving), size))
        journey.workers.each(moving, lambda planned: _mirror_one(journey, planned, wheelhouse, ledger))
        journey.tell(StepEnded(Step.PUBLISH, ", ".join(plan.sinks)))
        for destination in journey.destinations:
            _enter_conflicts(plan, destination, ledger)
            _finalize(journey, destination, plan, ledger)
    receipt = ledger.receipt()
    if not receipt.complete():
        raise RelayFailed(_tally(receipt), receipt=receipt, hint="Run it again to move the rest.")
    return receipt


@contextmanager
def _wheelhouse() -> Iterator[Wheelhouse]:
    with tempfile.TemporaryDirectory(prefix="wheelrelay-") as folder:
        yield Wheelhouse(Path(folder))


def _objections(journey: Journey, plan: Plan) -> list[Finding]:
    return objections(plan, allow_unexpected=journey.settings.allow_unexpected)


def _ask(journey: Journey, plan: Plan) -> None:
    if plan.to_do() and not journey.settings.approve(plan):
        raise ReleaseRefused("It was not approved; nothing was published.")


# Staging


def _stage_all(journey: Journey, plan: Plan, wheelhouse: Wheelhouse) -> dict[str, StagedFile]:
    """Stage every file that any sink needs.

    A damaged file does not keep the others from being looked at, so that one run tells all that is wrong;
    a source that fails ends the step.
    """
    needed = [planned for planned in plan.files if planned.needs_staging()]
    if not needed:
        return {}
    size = sum(planned.file.size or 0 for planned in needed)
    journey.tell(StepBegan(Step.STAGE, journey.origin.name, len(needed), size))
    done = journey.workers.each(
        needed,
        lambda planned: _stage_one(journey, planned, wheelhouse),
        enough=lambda one: one.error is not None and one.error.retryable,
    )
    journey.tell(StepEnded(Step.STAGE, journey.origin.name))
    _raise_first([one.error for one in done if one.error is not None])
    return {one.item.file.filename: one.unwrap() for one in done}


def _stage_one(journey: Journey, planned: PlannedFile, wheelhouse: Wheelhouse) -> StagedFile:
    file = planned.file

    def attempt() -> StagedFile:
        journey.tell(FileBegan(Step.STAGE, file.filename, file.size))
        watcher = journey.counter(Step.STAGE, file.filename)
        return stage(journey.origin.source, file, wheelhouse, watcher=watcher, stopped=journey.stopped)

    try:
        staged = journey.persistence.insist(file.filename, attempt)
    except WheelrelayError as error:
        error.at(f"source {journey.origin.name!r}")
        journey.tell(FileEnded(Step.STAGE, file.filename, error=str(error)))
        raise
    journey.tell(FileEnded(Step.STAGE, file.filename))
    return staged


def _raise_first(errors: Sequence[WheelrelayError]) -> None:
    """Raise the first error, telling of the others too: one run shows everything that is wrong."""
    if not errors:
        return
    first = errors[0]
    if len(errors) > 1:
        first.message += f" Likewise: {' '.join(error.message for error in errors[1:])}"
    raise first


# Publishing


def _bound_for(plan: Plan, destination: Destination, staged: Mapping[str, StagedFile]) -> list[StagedFile]:
    return [
        staged[planned.file.filename]
        for planned in plan.files
        if planned.sinks[destination.name].action is Action.UPLOAD
    ]


def _publish_all(
    journey: Journey, destination: Destination, files: Sequence[StagedFile], ledger: Ledger
) -> None:
    """Publish the wheels in parallel and, when they are confirmed, the sdists.

    Installers that find an sdist without its wheels build from source: so it comes last. A refusal stops
    what has not begun; what is under way ends, and is entered.
    """
    wheels = [staged for staged in files if staged.file.kind is Kind.WHEEL]
    sdists = [staged for staged in files if staged.file.kind is Kind.SDIST]
    for batch in (wheels, sdists):
        if not batch:
            continue
        journey.tell(
            StepBegan(Step.PUBLISH, destination.name, len(batch), sum(staged.size for staged in batch))
        )
        done = journey.workers.each(
            batch,
            lambda staged: _publish_one(journey, destination, staged, ledger),
            enough=lambda one: one.result is None or not one.result.in_place,
        )
        for one in done:
            if one.error is not None:  # a foreign backend's slip: nobody knows whether the file arrived
                entry = Delivery(Outcome.UNCONFIRMED, 1, reason=str(one.error))
                ledger.enter(destination.name, one.item.filename, entry)
        journey.tell(StepEnded(Step.PUBLISH, destination.name))
        _confirm_all(journey, destination, batch, ledger)
        _demand_complete(destination, ledger, of=batch)


def _publish_one(journey: Journey, destination: Destination, staged: StagedFile, ledger: Ledger) -> Delivery:
    journey.tell(FileBegan(Step.PUBLISH, staged.filename, staged.size))
    # Entered before the first byte: should this thread never come back, the receipt says so.
    ledger.enter(
        destination.name, staged.filename, Delivery(Outcome.UNCONFIRMED, reason="It was being sent.")
    )
    watched = staged.watched_by(journey.counter(Step.PUBLISH, staged.filename))
    delivery = deliver(destination.sink, watched, journey.persistence)
    ledger.enter(destination.name, staged.filename, delivery)
    journey.tell(
        FileEnded(Step.PUBLISH, staged.filename, delivery, None if delivery.in_place else delivery.reason)
    )
    return delivery


def _confirm_all(
    journey: Journey, destination: Destination, files: Sequence[StagedFile], ledger: Ledger
) -> None:
    """Read the sink back; what it does not show, or shows with other bytes, is entered as such."""
    sent = [
        staged
        for staged in files
        if ledger.delivery(destination.name, staged.filename).outcome is Outcome.PUBLISHED
    ]
    if not sent:
        return
    journey.tell(StepBegan(Step.CONFIRM, destination.name, len(sent), 0))
    doubts = confirm(
        destination.sink,
        sent,
        destination.confirm,
        within=journey.settings.confirm_within,
        stopped=journey.stopped,
    )
    for doubt in doubts:
        outcome = Outcome.FAILED if doubt.wrong else Outcome.UNCONFIRMED
        before = ledger.delivery(destination.name, doubt.filename)
        entry = Delivery(outcome, before.attempts, before.seconds, doubt.reason)
        ledger.enter(destination.name, doubt.filename, entry)
    journey.tell(StepEnded(Step.CONFIRM, destination.name))


def _finalize(journey: Journey, destination: Destination, plan: Plan, ledger: Ledger) -> None:
    """Let the sink make visible what was put; also when all was there, for an earlier run may have died."""
    sink = destination.sink
    if not isinstance(sink, SupportsFinalize):
        return
    projects = sorted({planned.file.project for planned in plan.files})
    try:
        journey.persistence.insist(f"the pages of {destination.name}", lambda: sink.finalize(projects))
    except WheelrelayError as error:
        error.at(f"sink {destination.name!r}")
        ledger.found(Finding("finalize", Severity.ERROR, str(error), hint="Run the same command again."))
        raise RelayFailed(
            f"All files are in place, but the sink was not brought up to date: {error}",
            receipt=ledger.receipt(),
            hint="Run the same command again.",
        ) from error


def _demand_complete(
    destination: Destination, ledger: Ledger, *, of: Sequence[StagedFile] | None = None
) -> None:
    """End the relay if a file is not in place at a sink, so that nothing further begins."""
    receipt = ledger.receipt()
    names = {staged.filename for staged in of} if of is not None else None
    for file in receipt.files:
        if (names is None or file.filename in names) and not file.sinks[destination.name].in_place:
            raise RelayFailed(
                _tally(receipt), receipt=receipt, hint="Run the same command again to complete it."
            )


# Mirroring


def _mirror_one(journey: Journey, planned: PlannedFile, wheelhouse: Wheelhouse, ledger: Ledger) -> None:
    """Stage one file and publish it wherever it is not yet; what goes wrong is entered for it alone."""
    filename = planned.file.filename
    try:
        staged = _stage_one(journey, planned, wheelhouse)
    except WheelrelayError as error:
        for name, intent in planned.sinks.items():
            if intent.action is not Action.SKIP:
                ledger.enter(name, filename, Delivery(Outcome.FAILED, reason=str(error)))
        return
    ledger.staged(staged)
    alone = Plan(journey.origin.name, tuple(planned.sinks), (planned,))
    sinks = {each.name: each.sink for each in journey.destinations}
    settled = settle(alone, {filename: staged}, sinks)
    for destination in journey.destinations:
        _enter_conflicts(settled, destination, ledger)
        for bound in _bound_for(settled, destination, {filename: staged}):
            _publish_one(journey, destination, bound, ledger)
            _confirm_all(journey, destination, [bound], ledger)
    wheelhouse.drop(staged)


def _enter_conflicts(plan: Plan, destination: Destination, ledger: Ledger) -> None:
    for planned in plan.files:
        intent = planned.sinks[destination.name]
        if intent.action is Action.CONFLICT:
            ledger.enter(
                destination.name, planned.file.filename, Delivery(Outcome.FAILED, reason=intent.reason)
            )
        elif intent.action is Action.SKIP:
            ledger.enter(
                destination.name, planned.file.filename, Delivery(Outcome.SKIPPED, reason=intent.reason)
            )


# The end


@contextmanager
def _receipt_on_failure(ledger: Ledger) -> Iterator[None]:
    """However publishing ends, tell what is in and what is not; without anything in, the cause speaks."""
    try:
        yield
    except RelayFailed:
        raise
    except (KeyboardInterrupt, WheelrelayError) as error:
        receipt = ledger.receipt()
        if not receipt.touched():
            raise
        cause = "It was interrupted" if isinstance(error, KeyboardInterrupt) else str(error).rstrip(".")
        raise RelayFailed(
            f"{cause}: {_tally(receipt)}", receipt=receipt, hint="Run the same command again to complete it."
        ) from error


def _tally(receipt: Receipt) -> str:
    """How many files are where, in a sentence for each sink that lacks any."""
    sentences = []
    for sink in receipt.sinks:
        there = receipt.count(Outcome.PUBLISHED, sink) + receipt.count(Outcome.SKIPPED, sink)
        if there < len(receipt.files):
            sentences.append(f"{sink} has {there} of {len(receipt.files)} files.")
    reasons = {
        delivery.reason: None
        for file in receipt.files
        for delivery in file.sinks.values()
        if delivery.reason and not delivery.in_place and delivery.outcome is not Outcome.PENDING
    }
    return " ".join([*sentences, *list(reasons)[:3]])
