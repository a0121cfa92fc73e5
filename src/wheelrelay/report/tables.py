"""Plans and receipts for people: tables that fit the terminal."""

from rich.console import Group, RenderableType
from rich.filesize import decimal
from rich.markup import escape
from rich.text import Text

from wheelrelay.records import (
    NOT_THERE,
    Action,
    Intent,
    Outcome,
    Plan,
    PlannedFile,
    Receipt,
    ReceiptFile,
)
from wheelrelay.report.files import bare_table, size_text
from wheelrelay.report.findings import findings_lines
from wheelrelay.report.words import counted

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


def plan_table(plan: Plan, *, every_file: bool = True) -> RenderableType:
    """What will happen to each file at each sink, and the totals.

    Args:
        plan: what to show.
        every_file: show also the files that are in place everywhere.
    """
    shown = [planned for planned in plan.files if every_file or not _all_skipped(planned)]
    table = bare_table()
    table.add_column("file", overflow="fold")
    table.add_column("size", justify="right", no_wrap=True)
    for sink in plan.sinks:
        table.add_column(Text(sink), overflow="fold")
    for planned in shown:
        cells = [_intent(planned.sinks[sink]) for sink in plan.sinks]
        table.add_row(escape(planned.file.filename), size_text(planned.file.size), *cells)
    return Group(*([table] if shown else []), *_plan_totals(plan), *findings_lines(plan.findings))


def receipt_table(receipt: Receipt, *, every_file: bool = False) -> RenderableType:
    """What became of the files: those that are not in place, or all of them, and the totals."""
    shown = [file for file in receipt.files if every_file or not _in_place(file)]
    parts: list[RenderableType] = []
    if shown:
        table = bare_table()
        table.add_column("file", overflow="fold")
        for sink in receipt.sinks:
            table.add_column(Text(sink), overflow="fold")
        for file in shown:
            cells = []
            for sink in receipt.sinks:
                delivery = file.sinks[sink]
                why = f": {delivery.reason}" if delivery.reason and not delivery.in_place else ""
                cells.append(Text(f"{delivery.outcome.value}{why}", style=OUTCOME_STYLES[delivery.outcome]))
            table.add_row(escape(file.filename), *cells)
        parts.append(table)
    return Group(*parts, *findings_lines(receipt.findings), *_receipt_totals(receipt))


def _intent(intent: Intent) -> Text:
    said = intent.action.value
    if intent.reason != NOT_THERE:
        said += f": {intent.reason}"
    return Text(said, style=ACTION_STYLES[intent.action])


def _plan_totals(plan: Plan) -> list[RenderableType]:
    size = sum(planned.file.size or 0 for planned in plan.files)
    total = f", {decimal(size)}" if size else ""  # some places tell no sizes
    lines: list[RenderableType] = [Text(f"{counted(len(plan.files))} from {plan.source}{total}.")]
    for sink in plan.sinks:
        counts = [_counted_at(plan, sink, action) for action in Action if plan.count(sink, action)]
        lines.append(Text(f"{sink}: {', '.join(counts)}."))
    lines += [Text(f"missing: {expected}", style="red") for expected in plan.missing]
    lines += [Text(f"unexpected: {filename}", style="red") for filename in plan.unexpected]
    if not plan.to_do() and not any(plan.count(sink, Action.CONFLICT) for sink in plan.sinks):
        lines.append(Text("Nothing is left to do.", style="green"))
    return lines


def _counted_at(plan: Plan, sink: str, action: Action) -> str:
    """How many files meet one action at a sink; of uploads also how much that is, where sizes are told."""
    files = [planned.file for planned in plan.files if planned.sinks[sink].action is action]
    total = sum(file.size or 0 for file in files)
    size = f" ({decimal(total)})" if action is Action.UPLOAD and total else ""
    return f"{len(files)} {action.value}{size}"


def _receipt_totals(receipt: Receipt) -> list[RenderableType]:
    seconds = (receipt.finished - receipt.started).total_seconds()
    lines: list[RenderableType] = []
    for sink in receipt.sinks:
        counts = [
            f"{receipt.count(outcome, sink)} {outcome.value}"
            for outcome in Outcome
            if receipt.count(outcome, sink)
        ]
        style = "green" if all(file.sinks[sink].in_place for file in receipt.files) else "red"
        lines.append(Text(f"{sink}: {', '.join(counts)}.", style=style))
    lines.append(
        Text(f"{counted(len(receipt.files))} from {receipt.source} in {seconds:.1f} s.", style="dim")
    )
    return lines


def _all_skipped(planned: PlannedFile) -> bool:
    return all(intent.action is Action.SKIP for intent in planned.sinks.values())


def _in_place(file: ReceiptFile) -> bool:
    return all(delivery.in_place for delivery in file.sinks.values())
