"""One relay from end to end: list, select, plan, stage, check, gate, publish, confirm, receipt.

`release` moves files that stand or fall together: nothing is published before all of them are staged
and the gate is open. `mirror` moves each file by itself.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from wheelrelay.engine.context import Journey
from wheelrelay.engine.findings import CheckedFile
from wheelrelay.engine.gate import Each, objections, refuse, replacing, settle
from wheelrelay.engine.planning import plan_of
from wheelrelay.engine.publishing import bound_for, finalizing, publish_all, publish_one, read_back
from wheelrelay.engine.recording import Ledger
from wheelrelay.engine.signing import prepare, sign_all, sign_files, with_companions
from wheelrelay.engine.staging import import_checks_meanwhile, stage_all, stage_one
from wheelrelay.errors import RelayFailed, ReleaseRefused, WheelrelayError
from wheelrelay.events import Planned, Step, StepBegan, StepEnded
from wheelrelay.records import Action, Delivery, Finding, Outcome, Plan, PlannedFile, Receipt, Severity
from wheelrelay.staged import StagedFile
from wheelrelay.transfer.staging_area import Wheelhouse, temporary_wheelhouse
from wheelrelay.transfer.thread_pool import one_by_one


def release(journey: Journey, *, one_version: bool = True) -> Receipt:
    """Move all files or, if anything can be known to be wrong with any of them, none.

    Args:
        journey: both sides, connected.
        one_version: whether each project must come down to exactly one version.

    Raises:
        ReleaseRefused: the gate stayed shut; nothing was published.
        RelayFailed: publishing began and did not come to its end; carries the receipt.
        WheelrelayError: anything else that ends a relay before it publishes anything.
    """
    import_checks_meanwhile(journey)
    plan = plan_of(journey, one_version=one_version)
    journey.tell(Planned(plan))
    ledger = Ledger(plan, "release", journey.settings)
    journey.ledger = ledger
    with _recorded(ledger), temporary_wheelhouse() as wheelhouse:
        prepare(journey, plan)
        checked = stage_all(journey, plan, wheelhouse)
        plan = _settle(journey, plan, checked, ledger, each=journey.workers.each)
        _refuse(journey, plan, ledger, journey.find(list(checked.values())))
        signatures = sign_all(journey, plan, checked)
        journey.make_ready(plan)
        _ask(journey, plan)
        for destination in journey.destinations:
            files = with_companions(destination, bound_for(plan, destination, checked), signatures)
            last = destination is journey.destinations[-1]
            with finalizing(journey, [destination], plan, ledger):
                publish_all(journey, destination, files, ledger, sent=wheelhouse.drop if last else _keep)
        ledger.ended = True
    return ledger.receipt()


def mirror(journey: Journey) -> Receipt:
    """Move each file by itself as soon as it can; a bad one is reported, and the rest go on.

    Raises:
        RelayFailed: some files are not in place; carries the receipt.
        WheelrelayError: the relay could not begin.
    """
    import_checks_meanwhile(journey)
    plan = plan_of(journey, one_version=False)
    journey.tell(Planned(plan))
    ledger = Ledger(plan, "mirror", journey.settings)
    journey.ledger = ledger
    for finding in plan.findings:
        ledger.found(finding)
    with _recorded(ledger), temporary_wheelhouse() as wheelhouse:
        prepare(journey, plan)
        journey.make_ready(plan)
        _ask(journey, plan)
        with finalizing(journey, journey.destinations, plan, ledger):
            _mirror_all(journey, plan, wheelhouse, ledger)
        ledger.ended = True
        if not ledger.receipt().complete():
            raise RelayFailed(ledger.tally(), receipt=ledger.receipt(), hint=ledger.advice())
    return ledger.receipt()


def after_interrupt(journey: Journey) -> Receipt:
    """The receipt of a relay whose end an interrupt met; called while that is handled.

    Raises:
        RelayFailed: it met the end of a relay that did not do all; carries the receipt.
        KeyboardInterrupt: nothing was published.
    """
    ledger = journey.ledger
    if ledger is not None:
        receipt = ledger.receipt()
        wrong = any(finding.severity is Severity.ERROR for finding in receipt.findings)
        if ledger.ended and receipt.complete() and not wrong:
            return receipt
        if receipt.touched():
            told = f"It was interrupted: {ledger.tally()}"
            raise RelayFailed(told, receipt=receipt, hint=ledger.advice())
    raise


def _mirror_all(journey: Journey, plan: Plan, wheelhouse: Wheelhouse, ledger: Ledger) -> None:
    """Move the files of a plan, each by itself, and note what becomes of them."""
    moving = [planned for planned in plan.files if planned.needs_staging()]
    if not moving:
        return
    size = sum(planned.file.size or 0 for planned in moving)
    journey.tell(StepBegan(Step.PUBLISH, ", ".join(plan.sinks), len(moving), size))
    done = journey.workers.each(
        moving,
        lambda planned: _mirror_one(journey, planned, wheelhouse, ledger),
        moved=lambda one: one.item.file.size or 1,
    )
    for one in done:
        if one.error is not None:
            _enter_failure(one.item, str(one.error), ledger, lasting=not one.error.retryable)
    journey.tell(StepEnded(Step.PUBLISH, ", ".join(plan.sinks)))


def _mirror_one(journey: Journey, planned: PlannedFile, wheelhouse: Wheelhouse, ledger: Ledger) -> None:
    """Stage one file and publish it wherever it is not yet; what goes wrong is its own affair."""
    checked = stage_one(journey, planned, wheelhouse)
    files = {planned.file.filename: checked}
    try:
        findings = journey.find([checked])
        for finding in findings:
            ledger.found(finding)
        errors = [finding.message for finding in findings if finding.severity is Severity.ERROR]
        if errors:
            _enter_failure(planned, " ".join(errors), ledger, lasting=True)
            return
        alone = Plan(journey.origin.name, tuple(planned.sinks), (planned,))
        settled = _settle(journey, alone, files, ledger)
        signatures = sign_files(journey, settled, files)
        for destination in journey.destinations:
            for staged in with_companions(destination, bound_for(settled, destination, files), signatures):
                publish_one(journey, destination, staged, ledger)
                read_back(journey, destination, [staged], ledger)
    finally:
        wheelhouse.drop(checked.staged)


def _settle(
    journey: Journey,
    plan: Plan,
    checked: Mapping[str, CheckedFile],
    ledger: Ledger,
    *,
    each: Each = one_by_one,
) -> Plan:
    """Decide what the plan left open, and note what was staged and what comes of it."""
    for file in checked.values():
        ledger.staged(file.staged)
    staged = {name: file.staged for name, file in checked.items()}
    fetch = journey.fetched_sha256
    settled = settle(plan, staged, journey.sinks, fetch, making=journey.making, each=each)
    if journey.settings.replace:
        settled = replacing(settled, journey.sinks)
    ledger.settled(settled)
    return settled


def _refuse(journey: Journey, plan: Plan, ledger: Ledger, found: Sequence[Finding]) -> None:
    """Shut the gate on what is wrong with the plan or was found in the files; the receipt keeps it all.

    Both are told at once, so that one run shows everything that has to be put right.
    """
    findings = [*objections(plan, allow_unexpected=journey.settings.allow_unexpected), *found]
    for finding in findings:
        ledger.found(finding)
    refuse(findings)


def _enter_failure(planned: PlannedFile, reason: str, ledger: Ledger, *, lasting: bool) -> None:
    """Note that a file cannot be published wherever it was not sent yet."""
    for name, intent in planned.sinks.items():
        before = ledger.delivery(name, planned.file.filename)
        if intent.action is not Action.SKIP and before.outcome is Outcome.PENDING:
            failed = Delivery(Outcome.FAILED, reason=reason, lasting=lasting)
            ledger.enter(name, planned.file.filename, failed)
        elif before.outcome is Outcome.UNCONFIRMED:  # it was being sent, or read back
            ledger.enter(name, planned.file.filename, replace(before, reason=reason))


def _keep(_: StagedFile) -> None:
    """Leave a staged file where it lies, for another sink."""


def _ask(journey: Journey, plan: Plan) -> None:
    if plan.to_do() and not journey.settings.approve(plan):
        raise ReleaseRefused(
            "It was not approved; nothing was published.", hint="Run it again to be asked again."
        )


@contextmanager
def _recorded(ledger: Ledger) -> Iterator[None]:
    """Keep the receipt from the beginning, and however it ends.

    Once anything is in, an end before the end tells what is in and what is not; until then the cause speaks.
    """
    ledger.keep()
    try:
        yield
    except RelayFailed:
        raise
    except (KeyboardInterrupt, Exception) as error:
        if ledger.ended and isinstance(error, KeyboardInterrupt):
            return  # it came too late to interrupt anything
        receipt = ledger.receipt()
        if isinstance(error, ReleaseRefused):
            error.receipt = receipt
        if not receipt.touched():
            raise
        hint = ledger.advice()
        raise RelayFailed(f"{_cause(error)}: {ledger.tally()}", receipt=receipt, hint=hint) from error
    finally:
        ledger.keep()


def _cause(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return "It was interrupted"
    told = str(error).rstrip(".")
    return told if isinstance(error, WheelrelayError) else f"Unforeseen {type(error).__name__}: {told}"
