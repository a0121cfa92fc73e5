"""Plans and receipts for people, as tables."""

from collections.abc import Iterable, Iterator

from rich.filesize import decimal

from wheelrelay.cli.render.files import SIZE, size_text
from wheelrelay.cli.render.findings import findings_lines
from wheelrelay.cli.render.sheet import Column, Grid, Line, Sheet
from wheelrelay.cli.render.wording import counted
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


MANY = 6
"""From how many files on those that failed alike are shown as one line."""


def plan_table(plan: Plan, *, every_file: bool = True, findings: bool = True) -> Sheet:
    """What will happen to each file at each sink, and the totals.

    Args:
        plan: what to show.
        every_file: show also the files that are in place everywhere.
        findings: show the plan's findings below; a relay shows them with its result.
    """
    shown = [planned for planned in plan.files if every_file or not _all_skipped(planned)]
    table = Grid([Column("file"), SIZE, *map(Column, plan.sinks)])
    for planned in shown:
        cells = [_intent(planned.sinks[sink]) for sink in plan.sinks]
        table.add(planned.file.filename, size_text(planned.file.size), *cells)
    found = findings_lines(plan.findings) if findings else ()
    return Sheet(*([table] if shown else []), *_plan_totals(plan), *found)


def receipt_table(receipt: Receipt, *, every_file: bool = False) -> Sheet:
    """What became of the files: those that are not in place, or all of them, and the totals."""
    shown = [file for file in receipt.files if every_file or not _in_place(file)]
    table = Grid([Column("file"), *map(Column, receipt.sinks)])
    for first, *others in _alike(shown, at_least=None if every_file else MANY):
        names = f"{first.filename} and {len(others)} more" if others else first.filename
        table.add(names, *(_delivery(first.sinks[sink]) for sink in receipt.sinks))
    return Sheet(*([table] if shown else []), *findings_lines(receipt.findings), *_receipt_totals(receipt))


def _alike(files: Iterable[ReceiptFile], *, at_least: int | None) -> Iterator[list[ReceiptFile]]:
    """The files in groups: those that fared alike together if there are many, every other one on its own."""
    groups: dict[tuple[tuple[str, str], ...], list[ReceiptFile]] = {}
    for file in files:
        fate = tuple(
            (delivery.outcome.value, (delivery.reason or "").replace(file.filename, ""))
            for delivery in file.sinks.values()
        )
        groups.setdefault(fate, []).append(file)
    for group in groups.values():
        yield from [group] if at_least and len(group) >= at_least else [[file] for file in group]


def _delivery(delivery: Delivery) -> Line:
    why = f": {delivery.reason}" if delivery.reason and not delivery.is_in_place else ""
    return Line(f"{delivery.outcome.value}{why}", OUTCOME_STYLES[delivery.outcome])


def _intent(intent: Intent) -> Line:
    said = intent.action.value
    if intent.reason != NOT_PUBLISHED_YET:
        said += f": {intent.reason}"
    return Line(said, ACTION_STYLES[intent.action])


def _plan_totals(plan: Plan) -> list[Line]:
    size = sum(planned.file.size or 0 for planned in plan.files)
    total = f", {decimal(size)}" if size else ""  # some places tell no sizes
    lines: list[Line] = [Line(f"{counted(len(plan.files))} from {plan.source}{total}.")]
    for sink in plan.sinks:
        counts = [_counted_at(plan, sink, action) for action in Action if plan.count(sink, action)]
        lines.append(Line(f"{sink}: {', '.join(counts)}."))
    lines += [Line(f"missing: {expected}", "red") for expected in plan.missing]
    lines += [Line(f"unexpected: {filename}", "red") for filename in plan.unexpected]
    if not plan.has_work and not any(plan.count(sink, Action.CONFLICT) for sink in plan.sinks):
        lines.append(Line("Nothing is left to do.", "green"))
    return lines


def _counted_at(plan: Plan, sink: str, action: Action) -> str:
    """How many files meet one action at a sink; of uploads also how much that is, where sizes are told."""
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
