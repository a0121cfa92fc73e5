"""Files, plans and receipts as tables."""

from collections.abc import Iterable, Iterator, Sequence

from rich.filesize import decimal

from wheelrelay.cli.option_names import with_option_names
from wheelrelay.cli.render.blocks import Blocks, Column, Line, Table, counted
from wheelrelay.cli.render.findings import findings_lines
from wheelrelay.model import DistFile
from wheelrelay.records import (
    NOT_PUBLISHED_YET,
    Action,
    Delivery,
    Intent,
    Outcome,
    Plan,
    PlannedFile,
    Receipt,
    ReceiptFile,
)
from wheelrelay.select import releases_of

ACTION_STYLES = {
    Action.UPLOAD: "green",
    Action.SKIP: "dim",
    Action.CONFLICT: "bold red",
    Action.UNKNOWN: "yellow",
}
OUTCOME_STYLES = {
    Outcome.PUBLISHED: "green",
    Outcome.SKIPPED: "dim",
    Outcome.FAILED: "bold red",
    Outcome.UNCONFIRMED: "yellow",
    Outcome.PENDING: "yellow",
}

MIN_GROUP_SIZE = 6
"""The number of files with the same failure from which on they are shown as one row."""

_SIZE = Column("size", align_right=True, can_wrap=False)


def files_table(files: Sequence[DistFile]) -> Blocks:
    """Return a table of files, by release."""
    releases = releases_of(files)
    table = Table([Column("file"), _SIZE, Column("sha256", can_wrap=False), Column("", can_wrap=False)])
    for release in releases:
        for file in sorted(release.files, key=lambda file: file.filename):
            note = "yanked" if file.yanked is not None else ", ".join(file.companions)
            sha256 = f"{file.sha256[:12]}..." if file.sha256 else "unknown"
            table.add(file.filename, _size(file.size), sha256, note)
    return Blocks(table, Line(f"{counted(len(files))} in {counted(len(releases), 'release')}."))


def plan_table(plan: Plan, *, every_file: bool = True, findings: bool = True) -> Blocks:
    """Return a table with the planned action for each file at each sink, and the totals.

    Args:
        plan: the plan.
        every_file: whether to include files that every sink has already.
        findings: whether to add the findings of the plan; a relay shows them with its result.
    """
    rows = [planned for planned in plan.files if every_file or not _all_skipped(planned)]
    table = Table([Column("file"), _SIZE, *map(Column, plan.sinks)])
    for planned in rows:
        cells = [_intent(planned.sinks[sink]) for sink in plan.sinks]
        table.add(planned.file.filename, _size(planned.file.size), *cells)
    findings_below = findings_lines(plan.findings) if findings else ()
    return Blocks(*([table] if rows else []), *_plan_totals(plan), *findings_below)


def receipt_table(receipt: Receipt, *, every_file: bool = False, has_json: bool = True) -> Blocks:
    """Return a table of the files that are not in place, the findings and the totals.

    Args:
        receipt: the receipt.
        every_file: whether to include files that are in place.
        has_json: whether the command has the option ``--json``, which long lists refer to.
    """
    rows = [file for file in receipt.files if every_file or not _in_place(file)]
    table = Table([Column("file"), *map(Column, receipt.sinks)])
    for first, *others in _grouped(rows, min_size=None if every_file else MIN_GROUP_SIZE):
        names = f"{first.filename} and {len(others)} more" if others else first.filename
        table.add(names, *(_delivery(first.sinks[sink]) for sink in receipt.sinks))
    findings = findings_lines(receipt.findings, has_json=has_json)
    return Blocks(*([table] if rows else []), *findings, *_receipt_totals(receipt))


def _grouped(files: Iterable[ReceiptFile], *, min_size: int | None) -> Iterator[list[ReceiptFile]]:
    """Yield groups of files with the same outcome if they are large enough, and other files one by one."""
    groups: dict[tuple[tuple[str, str], ...], list[ReceiptFile]] = {}
    for file in files:
        outcome = tuple(
            (delivery.outcome.value, (delivery.reason or "").replace(file.filename, ""))
            for delivery in file.sinks.values()
        )
        groups.setdefault(outcome, []).append(file)
    for group in groups.values():
        yield from [group] if min_size and len(group) >= min_size else [[file] for file in group]


def _delivery(delivery: Delivery) -> Line:
    has_reason = delivery.reason and not delivery.is_in_place
    reason = f": {with_option_names(delivery.reason or '')}" if has_reason else ""
    return Line(f"{delivery.outcome.value}{reason}", OUTCOME_STYLES[delivery.outcome])


def _intent(intent: Intent) -> Line:
    text = intent.action.value
    if intent.reason != NOT_PUBLISHED_YET:
        text += f": {intent.reason}"
    return Line(text, ACTION_STYLES[intent.action])


def _size(size: int | None) -> str:
    return "" if size is None else decimal(size)


def _plan_totals(plan: Plan) -> list[Line]:
    size = sum(planned.file.size or 0 for planned in plan.files)
    total = f", {decimal(size)}" if size else ""  # some remotes do not declare sizes
    lines: list[Line] = [Line(f"{counted(len(plan.files))} from {plan.source}{total}.")]
    for sink in plan.sinks:
        counts = [_action_count(plan, sink, action) for action in Action if plan.count(sink, action)]
        lines.append(Line(f"{sink}: {', '.join(counts)}."))
    lines += [Line(f"missing: {expected}", "red") for expected in plan.missing]
    lines += [Line(f"unexpected: {filename}", "red") for filename in plan.unexpected]
    if not plan.has_work and not any(plan.count(sink, Action.CONFLICT) for sink in plan.sinks):
        lines.append(Line("Nothing to do.", "green"))
    return lines


def _action_count(plan: Plan, sink: str, action: Action) -> str:
    """Return the number of files with an action at a sink; for uploads with their size, if it is known."""
    files = [planned.file for planned in plan.files if planned.sinks[sink].action is action]
    total = sum(file.size or 0 for file in files)
    size = f" ({decimal(total)})" if action is Action.UPLOAD and total else ""
    return f"{len(files)} {action.value}{size}"


def _receipt_totals(receipt: Receipt) -> list[Line]:
    seconds = (receipt.finished - receipt.started).total_seconds()
    lines: list[Line] = []
    for sink in receipt.sinks:
        counts = [
            f"{receipt.count(outcome, sink)} {outcome.value}"
            for outcome in Outcome
            if receipt.count(outcome, sink)
        ]
        style = "green" if all(file.sinks[sink].is_in_place for file in receipt.files) else "red"
        lines.append(Line(f"{sink}: {', '.join(counts)}.", style))
    lines.append(Line(f"{counted(len(receipt.files))} from {receipt.source} in {seconds:.1f} s.", "dim"))
    return lines


def _all_skipped(planned: PlannedFile) -> bool:
    return all(intent.action is Action.SKIP for intent in planned.sinks.values())


def _in_place(file: ReceiptFile) -> bool:
    return all(delivery.is_in_place for delivery in file.sinks.values())
