"""Run a relay: list, select, plan, stage, check, gate, publish, confirm, receipt.

`release` publishes all files or none: all are staged and checked before the first upload. `mirror` moves
each file as soon as it can.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from wheelrelay.engine.comparing import replacing, resolve_unknown
from wheelrelay.engine.context import RelayRequest, Runtime, running
from wheelrelay.engine.gate import CheckedFile, ReleaseChecker, blocking_findings, refuse
from wheelrelay.engine.installability import find_uninstallable
from wheelrelay.engine.planned_coverage import with_coverage
from wheelrelay.engine.planning import PlannedRelay, plan_relay
from wheelrelay.engine.publishing import Confirmations, Publisher, files_for, make_ready
from wheelrelay.engine.recording import CORRECT_FIRST, ReceiptRecorder
from wheelrelay.engine.release_files import HandleFiles, local_files, sinks_with_pages
from wheelrelay.engine.signing import CompanionMaker, with_companions
from wheelrelay.engine.staging import InspectionRules, Stager, copies_provenance, preload_checks
from wheelrelay.engine.unchanged import find_unchanged, remember_run
from wheelrelay.engine.upstream import record_upstream
from wheelrelay.errors import EngineFailed, RelayFailed, ReleaseRefused, WheelrelayError, describe_unexpected
from wheelrelay.events import Planned, Step, StepBegan, StepEnded
from wheelrelay.records import Action, Delivery, Finding, Outcome, Plan, PlannedFile, Receipt, Severity
from wheelrelay.transfer.staging_area import StagingArea, temporary_staging_area
from wheelrelay.transfer.thread_pool import RunAll, run_sequentially


def release(
    request: RelayRequest,
    recorder: ReceiptRecorder,
    *,
    one_version: bool = True,
    handle_files: HandleFiles = local_files,
) -> Receipt:
    """Publish all files; or none, if a problem with any of them can be known beforehand.

    Args:
        request: The source, the sinks and the options.
        recorder: Records the outcomes.
        one_version: Whether the selection must contain exactly one version of each project.
        handle_files: Returns what stages and sends the files: this process, or others.

    Raises:
        ReleaseRefused: A check failed, or the release was not approved; nothing was published.
        RelayFailed: Publishing began and did not succeed; has the receipt.
        WheelrelayError: Any other error before publishing began.
    """
    source, sinks, options = request.source, request.sinks, request.options
    with running(options) as runtime:
        preload_checks(source, runtime)
        planned = plan_relay(request, runtime, one_version=one_version)
        plan = with_coverage(planned.plan, source.source, sinks, planned.inventories)
        recorder.record_plan(plan)
        runtime.report(Planned(plan))
        with _recorded(recorder), handle_files(request, runtime) as handler:
            _require_approval(plan, request, is_release=True)
            handler.prepare(plan)
            checked = handler.stage_all(plan)
            plan = _decide(plan, checked, request, recorder, runtime, run_all=runtime.workers.run_all)
            checker = ReleaseChecker(
                sinks, planned.inventories, request.policy, runtime.retrier, has_all_files=True
            )
            findings = checker.find(list(checked.values()))
            findings += find_uninstallable(list(checked.values()), planned.inventories, request, runtime)
            _refuse(plan, findings, request, recorder)
            made = handler.make_companions(plan, checked)
            make_ready(
                sinks if handler.uses_credentials_here else sinks_with_pages(sinks), plan, runtime.retrier
            )
            publisher = Publisher(source, recorder, options.order, runtime)
            for sink in sinks:
                files = with_companions(sink, files_for(plan, sink, checked), made)
                with publisher.updating_pages([sink] if options.finalize else [], plan):
                    publisher.publish_all(sink, files, send=partial(handler.send_all, plan, publisher))
            recorder.ended = True
    return recorder.receipt()


def mirror(
    request: RelayRequest,
    recorder: ReceiptRecorder,
    *,
    move: Callable[[PlannedRelay, Runtime], None] | None = None,
) -> Receipt:
    """Move each file as soon as it can; a file that fails is reported, and the others continue.

    Args:
        request: The source, the sinks and the options.
        recorder: Records the outcomes.
        move: Moves the files of the plan in other processes, with `mirror_part`, and records the outcomes;
            by default, this process moves them.

    Raises:
        RelayFailed: Some files are not in place; has the receipt.
        WheelrelayError: Any other error before the first file.
    """
    source, sinks, options = request.source, request.sinks, request.options
    with running(options) as runtime:
        preload_checks(source, runtime)
        unchanged = find_unchanged(request, runtime)
        planned = plan_relay(request, runtime, one_version=False, is_mirror=True, unchanged=unchanged)
        plan = planned.plan
        recorder.record_plan(plan)
        runtime.report(Planned(plan))
        recorder.record_findings(plan.findings)
        with _recorded(recorder, at_start=plan.has_work), temporary_staging_area() as staging_area:
            _require_approval(plan, request, is_release=False)
            if move is None:
                mover = _Mover(request, planned, staging_area, recorder, runtime)
                mover.prepare(plan)
            make_ready(sinks if move is None else sinks_with_pages(sinks), plan, runtime.retrier)
            publisher = Publisher(source, recorder, options.order, runtime)
            with publisher.updating_pages(unchanged.others(sinks, plan) if options.finalize else (), plan):
                if move is None:
                    mover.move_all(plan)
                else:
                    move(planned, runtime)
                if request.selection.files is None:  # else the source is not listed
                    record_upstream(
                        plan, source, sinks, recorder, runtime, provenance=copies_provenance(request)
                    )
            remember_run(request, plan, recorder, unchanged)
            recorder.ended = True
            _require_complete(plan, recorder)
    return recorder.receipt()


def mirror_part(request: RelayRequest, recorder: ReceiptRecorder, planned: PlannedRelay | None) -> None:
    """Move some files of a mirror, without updating pages; other processes move the other files.

    Args:
        request: The source, the sinks and the options; the selection has exactly the files.
        recorder: Records the outcomes.
        planned: The plan for the files; without one, the sinks are read first.

    Raises:
        WheelrelayError: No file was moved, for example because a signing key is missing.
    """
    with running(request.options) as runtime, temporary_staging_area() as staging_area:
        planned = planned or plan_relay(request, runtime, one_version=False, is_mirror=True)
        recorder.record_plan(planned.plan)
        mover = _Mover(request, planned, staging_area, recorder, runtime)
        mover.prepare(planned.plan)
        mover.move_all(planned.plan)


def after_interrupt(recorder: ReceiptRecorder) -> Receipt:
    """Return the receipt of a relay that was interrupted after its work was done.

    To be called while the ``KeyboardInterrupt`` is handled.

    Raises:
        RelayFailed: The relay changed a sink and did not succeed; has the receipt.
        KeyboardInterrupt: Nothing was published.
    """
    receipt = recorder.receipt()
    has_errors = any(finding.severity is Severity.ERROR for finding in receipt.findings)
    if recorder.ended and receipt.is_complete and not has_errors:
        recorder.save()  # the interrupt may have come before the last receipt was saved
        return receipt
    if receipt.has_changes:
        message = f"Interrupted: {recorder.summary()}"
        raise RelayFailed(message, receipt=receipt, hint=recorder.advice())
    raise


def _require_complete(plan: Plan, recorder: ReceiptRecorder) -> None:
    """Fail a mirror if files are not in place, or if the source does not have the files of the lock.

    Raises:
        RelayFailed: It has the receipt.
    """
    receipt = recorder.receipt()
    errors = [finding for finding in plan.findings if finding.severity is Severity.ERROR]
    if receipt.is_complete and not errors:
        return
    if not errors:
        raise RelayFailed(recorder.summary(), receipt=receipt, hint=recorder.advice())
    summary = "The mirror is incomplete." if receipt.is_complete else recorder.summary()
    name = f"{errors[0].filename}: " if errors[0].filename else ""
    more = f" (And {len(errors) - 1} more.)" if len(errors) > 1 else ""
    problem = " ".join(filter(None, (f"{name}{errors[0].message}", errors[0].hint)))
    raise RelayFailed(f"{summary} {problem}{more}", receipt=receipt, hint=CORRECT_FIRST)


class _Mover:
    """Moves the files of a mirror, each on its own; safe for threads."""

    def __init__(
        self,
        request: RelayRequest,
        planned: PlannedRelay,
        staging_area: StagingArea,
        recorder: ReceiptRecorder,
        runtime: Runtime,
    ) -> None:
        sinks, options = request.sinks, request.options
        self._request = request
        self._checker = ReleaseChecker(sinks, planned.inventories, request.policy, runtime.retrier)
        self._companions = CompanionMaker(sinks, options.signer, options.attester, runtime)
        self._publisher = Publisher(request.source, recorder, options.order, runtime)
        self._staging_area = staging_area
        rules = InspectionRules.of(request, is_mirror=True)
        self._stager = Stager(request.source, staging_area, rules, runtime)
        self._recorder = recorder
        self._runtime = runtime

    def prepare(self, plan: Plan) -> None:
        """Verify that signing and attesting will work; see `CompanionMaker.prepare`."""
        self._companions.prepare(plan)

    def move_all(self, plan: Plan) -> None:
        """Move all files that any sink needs, and record the outcomes."""
        needed = [planned for planned in plan.files if planned.needs_staging]
        if not needed:
            return
        size = sum(planned.file.size or 0 for planned in needed)
        names = ", ".join(plan.sinks)
        self._runtime.report(StepBegan(Step.PUBLISH, names, len(needed), size))
        confirmations = Confirmations(self._publisher, needed)

        def move(planned: PlannedFile) -> None:
            try:
                self._move(planned, confirmations)
            finally:
                confirmations.end_file(planned.file.project)

        done = self._runtime.workers.run_all(needed, move, bytes_moved=lambda one: one.item.file.size or 1)
        for one in done:
            if one.error is not None:
                self._record_failure(one.item, str(one.error), lasting=not one.error.retryable)
        self._runtime.report(StepEnded(Step.PUBLISH, names))

    def _move(self, planned: PlannedFile, confirmations: Confirmations) -> None:
        """Stage, check and publish one file to all sinks that need it."""
        request, recorder = self._request, self._recorder
        checked = self._stager.stage(planned)
        files = {planned.file.filename: checked}
        try:
            findings = self._checker.find([checked])
            recorder.record_findings(findings)
            errors = [finding.message for finding in findings if finding.severity is Severity.ERROR]
            if errors:
                self._record_failure(planned, " ".join(errors), lasting=True)
                return
            plan = Plan(request.source.name, tuple(planned.sinks), (planned,))
            plan = _decide(plan, files, request, recorder, self._runtime)
            made = self._companions.make(plan, files)
            for sink in request.sinks:
                for staged in with_companions(sink, files_for(plan, sink, files), made):
                    self._publisher.publish(sink, staged)
                    confirmations.add(sink, staged)
        finally:
            self._staging_area.drop(checked.staged)

    def _record_failure(self, planned: PlannedFile, reason: str, *, lasting: bool) -> None:
        """Record that a file failed at the sinks to which it was not sent yet."""
        for name, intent in planned.sinks.items():
            delivery = self._recorder.delivery(name, planned.file.filename)
            if intent.action is not Action.SKIP and delivery.outcome is Outcome.PENDING:
                failed = Delivery(Outcome.FAILED, reason=reason, lasting=lasting)
                self._recorder.record(name, planned.file.filename, failed)
            elif delivery.outcome is Outcome.UNCONFIRMED:  # it was being sent or confirmed
                self._recorder.record(name, planned.file.filename, replace(delivery, reason=reason))


def _decide(
    plan: Plan,
    checked: Mapping[str, CheckedFile],
    request: RelayRequest,
    recorder: ReceiptRecorder,
    runtime: Runtime,
    *,
    run_all: RunAll = run_sequentially,
) -> Plan:
    """Decide the actions that the plan left open, and record the staged files and the decisions."""
    for file in checked.values():
        recorder.record_staged(file.staged)
    staged = {name: file.staged for name, file in checked.items()}
    decided = resolve_unknown(plan, staged, request.sinks, runtime.retrier, run_all=run_all)
    if request.options.replace:
        decided = replacing(decided, request.sinks)
    recorder.record_plan(decided)
    return decided


def _refuse(
    plan: Plan, findings: Sequence[Finding], request: RelayRequest, recorder: ReceiptRecorder
) -> None:
    """Refuse the release for errors in the plan or in the files, all reported together."""
    blocking = blocking_findings(plan, allow_unexpected=request.options.allow_unexpected)
    everything = list(dict.fromkeys([*blocking, *findings]))  # the plan knows some of the gate's findings
    recorder.record_findings(everything)
    refuse(everything)


def _require_approval(plan: Plan, request: RelayRequest, *, is_release: bool) -> None:
    """Ask the caller, unless nothing is to be published, or the release is going to be refused anyway.

    Raises:
        ReleaseRefused: The caller declined.
    """
    if not plan.has_work:
        return
    blocking = blocking_findings(plan, allow_unexpected=request.options.allow_unexpected)
    if is_release and any(finding.severity is Severity.ERROR for finding in blocking):
        return
    if not request.options.approve(plan):
        raise ReleaseRefused(
            "The release was not approved; nothing was published.", hint="Run it again to publish it."
        )


@contextmanager
def _recorded(recorder: ReceiptRecorder, *, at_start: bool = True) -> Iterator[None]:
    """Save the receipt at the end, however the relay ends, and at the start unless there is nothing to do.

    Once a sink may have been changed, an error becomes `RelayFailed`, which has the receipt.
    """
    if at_start:
        recorder.save()
    try:
        yield
    except RelayFailed:
        raise
    except (KeyboardInterrupt, Exception) as error:
        if recorder.ended and isinstance(error, KeyboardInterrupt):
            return  # all work was done, so nothing was interrupted
        receipt = recorder.receipt()
        if isinstance(error, ReleaseRefused):
            error.receipt = receipt
        if not receipt.has_changes:
            raise
        message = f"{_cause(error)}: {recorder.summary()}"
        raise RelayFailed(message, receipt=receipt, hint=recorder.advice()) from error
    finally:
        recorder.save()


def _cause(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return "Interrupted"
    if isinstance(error, EngineFailed):  # its hint is that of the whole relay
        return error.message.rstrip(".")
    return str(error).rstrip(".") if isinstance(error, WheelrelayError) else describe_unexpected(error)
