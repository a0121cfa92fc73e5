"""One relay from end to end: list, select, plan, stage, check, gate, publish, confirm, receipt.

`release` moves files that stand or fall together: nothing is published before all of them are staged
and the gate is open. `mirror` moves each file by itself.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from wheelrelay.engine.context import RelayContext
from wheelrelay.engine.findings import CheckedFile
from wheelrelay.engine.gate import Each, blocking_findings, refuse, replacing, resolve_unknown
from wheelrelay.engine.planning import plan_of
from wheelrelay.engine.publishing import bound_for, finalizing, publish_all, publish_one, read_back
from wheelrelay.engine.recording import ReceiptRecorder
from wheelrelay.engine.signing import prepare, sign_all, sign_files, with_companions
from wheelrelay.engine.staging import import_checks_meanwhile, stage_all, stage_one
from wheelrelay.errors import RelayFailed, ReleaseRefused, WheelrelayError
from wheelrelay.events import Planned, Step, StepBegan, StepEnded
from wheelrelay.records import Action, Delivery, Finding, Outcome, Plan, PlannedFile, Receipt, Severity
from wheelrelay.staged import StagedFile
from wheelrelay.transfer.staging_area import StagingArea, temporary_staging_area
from wheelrelay.transfer.thread_pool import one_by_one


def release(context: RelayContext, *, one_version: bool = True) -> Receipt:
    """Move all files or, if anything can be known to be wrong with any of them, none.

    Args:
        context: both sides, connected.
        one_version: whether each project must come down to exactly one version.

    Raises:
        ReleaseRefused: the gate stayed shut; nothing was published.
        RelayFailed: publishing began and did not come to its end; carries the receipt.
        WheelrelayError: anything else that ends a relay before it publishes anything.
    """
    import_checks_meanwhile(context)
    plan = plan_of(context, one_version=one_version)
    context.tell(Planned(plan))
    recorder = ReceiptRecorder(plan, "release", context.settings)
    context.recorder = recorder
    with _recorded(recorder), temporary_staging_area() as staging_area:
        prepare(context, plan)
        checked = stage_all(context, plan, staging_area)
        plan = _settle(context, plan, checked, recorder, each=context.workers.each)
        _refuse(context, plan, recorder, context.find(list(checked.values())))
        signatures = sign_all(context, plan, checked)
        context.make_ready(plan)
        _ask(context, plan)
        for destination in context.destinations:
            files = with_companions(destination, bound_for(plan, destination, checked), signatures)
            last = destination is context.destinations[-1]
            with finalizing(context, [destination], plan, recorder):
                publish_all(context, destination, files, recorder, sent=staging_area.drop if last else _keep)
        recorder.ended = True
    return recorder.receipt()


def mirror(context: RelayContext) -> Receipt:
    """Move each file by itself as soon as it can; a bad one is reported, and the rest go on.

    Raises:
        RelayFailed: some files are not in place; carries the receipt.
        WheelrelayError: the relay could not begin.
    """
    import_checks_meanwhile(context)
    plan = plan_of(context, one_version=False)
    context.tell(Planned(plan))
    recorder = ReceiptRecorder(plan, "mirror", context.settings)
    context.recorder = recorder
    for finding in plan.findings:
        recorder.found(finding)
    with _recorded(recorder), temporary_staging_area() as staging_area:
        prepare(context, plan)
        context.make_ready(plan)
        _ask(context, plan)
        with finalizing(context, context.destinations, plan, recorder):
            _mirror_all(context, plan, staging_area, recorder)
        recorder.ended = True
        if not recorder.receipt().is_complete:
            raise RelayFailed(recorder.tally(), receipt=recorder.receipt(), hint=recorder.advice())
    return recorder.receipt()


def after_interrupt(context: RelayContext) -> Receipt:
    """The receipt of a relay whose end an interrupt met; called while that is handled.

    Raises:
        RelayFailed: it met the end of a relay that did not do all; carries the receipt.
        KeyboardInterrupt: nothing was published.
    """
    recorder = context.recorder
    if recorder is not None:
        receipt = recorder.receipt()
        wrong = any(finding.severity is Severity.ERROR for finding in receipt.findings)
        if recorder.ended and receipt.is_complete and not wrong:
            return receipt
        if receipt.has_changes:
            told = f"It was interrupted: {recorder.tally()}"
            raise RelayFailed(told, receipt=receipt, hint=recorder.advice())
    raise


def _mirror_all(
    context: RelayContext, plan: Plan, staging_area: StagingArea, recorder: ReceiptRecorder
) -> None:
    """Move the files of a plan, each by itself, and note what becomes of them."""
    moving = [planned for planned in plan.files if planned.needs_staging]
    if not moving:
        return
    size = sum(planned.file.size or 0 for planned in moving)
    context.tell(StepBegan(Step.PUBLISH, ", ".join(plan.sinks), len(moving), size))
    done = context.workers.each(
        moving,
        lambda planned: _mirror_one(context, planned, staging_area, recorder),
        moved=lambda one: one.item.file.size or 1,
    )
    for one in done:
        if one.error is not None:
            _enter_failure(one.item, str(one.error), recorder, lasting=not one.error.retryable)
    context.tell(StepEnded(Step.PUBLISH, ", ".join(plan.sinks)))


def _mirror_one(
    context: RelayContext, planned: PlannedFile, staging_area: StagingArea, recorder: ReceiptRecorder
) -> None:
    """Stage one file and publish it wherever it is not yet; what goes wrong is its own affair."""
    checked = stage_one(context, planned, staging_area)
    files = {planned.file.filename: checked}
    try:
        findings = context.find([checked])
        for finding in findings:
            recorder.found(finding)
        errors = [finding.message for finding in findings if finding.severity is Severity.ERROR]
        if errors:
            _enter_failure(planned, " ".join(errors), recorder, lasting=True)
            return
        alone = Plan(context.origin.name, tuple(planned.sinks), (planned,))
        settled = _settle(context, alone, files, recorder)
        signatures = sign_files(context, settled, files)
        for destination in context.destinations:
            for staged in with_companions(destination, bound_for(settled, destination, files), signatures):
                publish_one(context, destination, staged, recorder)
                read_back(context, destination, [staged], recorder)
    finally:
        staging_area.drop(checked.staged)


def _settle(
    context: RelayContext,
    plan: Plan,
    checked: Mapping[str, CheckedFile],
    recorder: ReceiptRecorder,
    *,
    each: Each = one_by_one,
) -> Plan:
    """Decide what the plan left open, and note what was staged and what comes of it."""
    for file in checked.values():
        recorder.staged(file.staged)
    staged = {name: file.staged for name, file in checked.items()}
    fetch = context.fetched_sha256
    settled = resolve_unknown(plan, staged, context.sinks, fetch, making=context.making, each=each)
    if context.settings.replace:
        settled = replacing(settled, context.sinks)
    recorder.settled(settled)
    return settled


def _refuse(context: RelayContext, plan: Plan, recorder: ReceiptRecorder, found: Sequence[Finding]) -> None:
    """Shut the gate on what is wrong with the plan or was found in the files; the receipt keeps it all.

    Both are told at once, so that one run shows everything that has to be put right.
    """
    findings = [*blocking_findings(plan, allow_unexpected=context.settings.allow_unexpected), *found]
    for finding in findings:
        recorder.found(finding)
    refuse(findings)


def _enter_failure(planned: PlannedFile, reason: str, recorder: ReceiptRecorder, *, lasting: bool) -> None:
    """Note that a file cannot be published wherever it was not sent yet."""
    for name, intent in planned.sinks.items():
        before = recorder.delivery(name, planned.file.filename)
        if intent.action is not Action.SKIP and before.outcome is Outcome.PENDING:
            failed = Delivery(Outcome.FAILED, reason=reason, lasting=lasting)
            recorder.enter(name, planned.file.filename, failed)
        elif before.outcome is Outcome.UNCONFIRMED:  # it was being sent, or read back
            recorder.enter(name, planned.file.filename, replace(before, reason=reason))


def _keep(_: StagedFile) -> None:
    """Leave a staged file where it lies, for another sink."""


def _ask(context: RelayContext, plan: Plan) -> None:
    if plan.has_work and not context.settings.approve(plan):
        raise ReleaseRefused(
            "It was not approved; nothing was published.", hint="Run it again to be asked again."
        )


@contextmanager
def _recorded(recorder: ReceiptRecorder) -> Iterator[None]:
    """Keep the receipt from the beginning, and however it ends.

    Once anything is in, an end before the end tells what is in and what is not; until then the cause speaks.
    """
    recorder.keep()
    try:
        yield
    except RelayFailed:
        raise
    except (KeyboardInterrupt, Exception) as error:
        if recorder.ended and isinstance(error, KeyboardInterrupt):
            return  # it came too late to interrupt anything
        receipt = recorder.receipt()
        if isinstance(error, ReleaseRefused):
            error.receipt = receipt
        if not receipt.has_changes:
            raise
        hint = recorder.advice()
        raise RelayFailed(f"{_cause(error)}: {recorder.tally()}", receipt=receipt, hint=hint) from error
    finally:
        recorder.keep()


def _cause(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return "It was interrupted"
    told = str(error).rstrip(".")
    return told if isinstance(error, WheelrelayError) else f"Unforeseen {type(error).__name__}: {told}"
