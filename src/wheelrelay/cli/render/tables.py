"""Files, plans and receipts as tables, findings as text."""

from collections.abc import Iterable, Iterator, Sequence

from rich.filesize import decimal

from wheelrelay.cli.option_names import with_option_names
from wheelrelay.cli.render.blocks import Blocks, Column, Line, Table, counted
from wheelrelay.model import DistFile
from wheelrelay.records import (
    NOT_PUBLISHED_YET,
    Action,
    Delivery,
    Finding,
    Intent,
    Outcome,
    Plan,
    PlannedFile,
    Receipt,
    ReceiptFile,
    Severity,
)
from wheelrelay.select import releases_of

MAX_FINDINGS, MAX_FILES = 10, 3
"""Findings of one rule, and files that break the same rules, that are listed; JSON has all of them."""

STYLES = {Severity.ERROR: "red", Severity.WARNING: "yellow"}
INDENT = " " * 6


def findings_lines(
    findings: Iterable[Finding], *, include_demoted: bool = False, has_json: bool = True
) -> list[Line]:
    """Return a paragraph for each rule, errors first, and then the rules that each file breaks.

    Args:
        findings: the findings, in any order.
        include_demoted: whether to list findings that are warnings only because the remote is not strict;
            otherwise one line counts them.
        has_json: whether the command has the option ``--json``, which long lists refer to.
    """
    findings = list(findings)
    see_all = "; use `--json` to see all" if has_json else ""
    demoted = [] if include_demoted else [finding for finding in findings if finding.demoted]
    lines = _by_rule((finding for finding in findings if include_demoted or not finding.demoted), see_all)
    return [*lines, _demoted_line(demoted, see_all)] if demoted else lines


def _demoted_line(demoted: Sequence[Finding], see_all: str) -> Line:
    line = Line(f"{Severity.WARNING.value} ", STYLES[Severity.WARNING])
    files = {finding.filename for finding in demoted if finding.filename}
    rules = ", ".join(sorted({finding.check for finding in demoted}))
    line.append(f"A stricter index would refuse {counted(len(files))}: {rules}.")
    line.append(f"\n{INDENT}{counted(len(demoted), 'finding')}{see_all}.", "dim")
    return line


def _by_rule(findings: Iterable[Finding], see_all: str) -> list[Line]:
    rules: dict[tuple[Severity, str, str | None], list[Finding]] = {}
    for finding in findings:
        rules.setdefault((finding.severity, finding.check, finding.hint), []).append(finding)
    groups = sorted(rules.values(), key=lambda group: group[0].severity is not Severity.ERROR)
    return [_rule(group, see_all) for group in groups] + _by_file(groups, see_all)


def _rule(group: Sequence[Finding], see_all: str) -> Line:
    """Return the paragraph of findings with the same rule and the same hint."""
    first = group[0]
    line = Line(f"{first.severity.value} ", STYLES[first.severity])
    link = f"link {first.url}" if first.url else ""
    if len(group) == 1:
        line.append(f"{_sentence(first)} ").append(f"[{first.check}]", link)
    elif len({finding.message for finding in group}) == 1:
        line.append(f"{first.message} ").append(f"[{first.check}]", link).append(f" {len(group)} files:")
        _itemize(line, [finding.filename or "" for finding in group], see_all)
    else:
        line.append(f"[{first.check}]", link).append(f" {len(group)} findings:")
        _itemize(line, [_sentence(finding) for finding in group], see_all)
    if first.hint:
        line.append(f"\n{INDENT}{with_option_names(first.hint)}", "dim")
    return line


def _itemize(line: Line, items: Sequence[str], see_all: str, max_items: int = MAX_FINDINGS) -> None:
    for item in items[:max_items]:
        line.append(f"\n{INDENT}- {item}")
    if len(items) > max_items:
        line.append(f"\n{INDENT}- and {len(items) - max_items} more{see_all}", "dim")


def _sentence(finding: Finding) -> str:
    message = with_option_names(finding.message)
    return f"{finding.filename}: {message}" if finding.filename else message


def _by_file(groups: Iterable[Sequence[Finding]], see_all: str) -> list[Line]:
    """Return the files with the rules that they break, if some break several and others do not."""
    broken: dict[str, set[str]] = {}
    for finding in (finding for group in groups for finding in group):
        if finding.filename:
            broken.setdefault(finding.filename, set()).add(finding.check)
    files_by_rules: dict[tuple[str, ...], list[str]] = {}
    for filename in sorted(broken):
        files_by_rules.setdefault(tuple(sorted(broken[filename])), []).append(filename)
    if len(files_by_rules) < 2 or all(len(rules) == 1 for rules in files_by_rules):
        return []
    lines = [Line("By file:", "bold")]
    for rules, names in files_by_rules.items():
        line = Line(f"{', '.join(rules)} in {counted(len(names))}:")
        _itemize(line, names, see_all, MAX_FILES)
        lines.append(line)
    return lines


ACTION_STYLES = {
    Action.UPLOAD: "green",
    Action.UPDATE: "green",
    Action.SKIP: "dim",
    Action.CONFLICT: "bold red",
    Action.UNKNOWN: "yellow",
}
OUTCOME_STYLES = {
    Outcome.PUBLISHED: "green",
    Outcome.UPDATED: "green",
    Outcome.SKIPPED: "dim",
    Outcome.FAILED: "bold red",
    Outcome.UNCONFIRMED: "yellow",
    Outcome.PENDING: "yellow",
}

MIN_GROUP_SIZE = 6
"""The number of files with the same failure from which on they are shown as one row."""

_FILE = Column("file", has_filenames=True)
_SIZE = Column("size", align_right=True, can_wrap=False)


def files_table(files: Sequence[DistFile]) -> Blocks:
    """Return a table of files, by release."""
    releases = releases_of(files)
    has_python = any(file.requires_python for file in files)
    python = [Column("python", can_wrap=False)] if has_python else []
    table = Table([_FILE, _SIZE, Column("sha256", can_wrap=False), *python, Column("", can_wrap=False)])
    for release in releases:
        for file in sorted(release.files, key=lambda file: file.filename):
            note = ", ".join([*(["yanked"] if file.yanked is not None else []), *file.companions])
            sha256 = f"{file.sha256[:12]}..." if file.sha256 else "unknown"
            required = [file.requires_python or ""] if has_python else []
            table.add(file.filename, _size(file.size), sha256, *required, note)
    return Blocks(table, _files_total(files))


def files_details(files: Sequence[DistFile]) -> Blocks:
    """Return a paragraph for each file, with everything that the remote declares about it."""
    paragraphs = [_details(file) for file in sorted(files, key=lambda file: file.filename)]
    return Blocks(*paragraphs, _files_total(files))


def _details(file: DistFile) -> Line:
    """Return a filename and, below it, one line for each detail; a SHA-256 digest fits into 80 columns."""
    details = {
        "project": f"{file.project} {file.version}",
        "kind": file.kind.value,
        "tags": " ".join(sorted(map(str, file.tags))),
        "size": f"{decimal(file.size)} ({file.size:,} bytes)" if file.size is not None else "unknown",
        "sha256": file.sha256 or "unknown",
        "url": file.url or "",
        "python": file.requires_python or "",
        "uploaded": file.upload_time.isoformat(" ", "seconds") if file.upload_time else "",
        "yanked": (file.yanked or "no reason given") if file.yanked is not None else "",
        "companions": " ".join(file.companions),
        "build": ", ".join(f"{key} {value}" for key, value in file.build.items()),
    }
    line = Line(file.filename, "bold")
    for name, value in details.items():
        if value:
            line.append(f"\n  {name:<12}", "dim").append(value)
    return line


def _files_total(files: Sequence[DistFile]) -> Line:
    return Line(f"{counted(len(files))} in {counted(len(releases_of(files)), 'release')}.")


def plan_table(plan: Plan, *, every_file: bool = True, findings: bool = True) -> Blocks:
    """Return a table with the planned action for each file at each sink, and the totals.

    Args:
        plan: the plan.
        every_file: whether to include files that every sink has already.
        findings: whether to add the findings of the plan; a relay shows them with its result.
    """
    rows = [planned for planned in plan.files if every_file or not _all_skipped(planned)]
    table = Table([_FILE, _SIZE, *map(Column, plan.sinks)])
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
    table = Table([_FILE, *map(Column, receipt.sinks)])
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
    size = plan.size
    total = f", {decimal(size)}" if size else ""  # some remotes do not declare sizes
    lines: list[Line] = [Line(f"{counted(plan.total)} from {plan.source}{total}.")]
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
    return f"{plan.count(sink, action)} {action.value}{size}"


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
        lines.append(Line(f"{sink}: {', '.join(counts) or 'no files'}.", style))
    if receipt.error:
        lines.append(Line(f"failed: {with_option_names(receipt.error)}", "red"))
    lines.append(Line(f"{counted(len(receipt.files))} from {receipt.source} in {seconds:.1f} s.", "dim"))
    return lines


def _all_skipped(planned: PlannedFile) -> bool:
    return all(intent.action is Action.SKIP for intent in planned.sinks.values())


def _in_place(file: ReceiptFile) -> bool:
    return all(delivery.is_in_place for delivery in file.sinks.values())
