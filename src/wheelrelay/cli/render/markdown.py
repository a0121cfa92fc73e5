"""Plans, receipts and findings as GitHub's Markdown."""

import re
from collections.abc import Iterable, Iterator, Sequence

from rich.filesize import decimal

from wheelrelay.cli.option_names import with_option_names
from wheelrelay.cli.render.blocks import counted
from wheelrelay.records import (
    Action,
    Delivery,
    Finding,
    Intent,
    Outcome,
    Plan,
    Receipt,
    ReceiptFile,
    Severity,
)

_PUNCTUATION = re.compile(r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]")
_PLAIN = re.compile(r"[\w.+!=@:/, -]+")
_INVISIBLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]+")


def escaped(text: str) -> str:
    """Return text as one line that Markdown shows unchanged."""
    return _PUNCTUATION.sub(r"\\\g<0>", _INVISIBLE.sub(" ", text))


def code(name: str) -> str:
    """Return a name as inline code, or escaped if it has special characters."""
    return f"`{name}`" if _PLAIN.fullmatch(name) else escaped(name)


def plan_markdown(plan: Plan) -> str:
    """Return the planned action for each file at each sink."""
    size = plan.size
    total = f", {decimal(size)}," if size else ""
    lines = [f"### Plan: {counted(plan.total)}{total} from {code(plan.source)}", ""]
    lines += [
        f"- {code(sink)}: {_counts((plan.count(sink, action), action.value) for action in Action)}"
        for sink in plan.sinks
    ]
    lines += [f"- **missing:** {escaped(expectation)}" for expectation in plan.missing]
    lines += [f"- **unexpected:** {escaped(filename)}" for filename in plan.unexpected]
    lines += ["", *_findings(plan.findings), *head("file", "size", *map(code, plan.sinks))]
    for planned in plan.files:
        cells = [_intent(planned.sinks[sink]) for sink in plan.sinks]
        file_size = "" if planned.file.size is None else decimal(planned.file.size)
        lines.append(row(code(planned.file.filename), file_size, *cells))
    return text_of(lines)


def receipt_markdown(receipt: Receipt) -> str:
    """Return the outcome for each file at each sink, with the files that are not in place first."""
    seconds = (receipt.finished - receipt.started).total_seconds()
    lines = [f"### {_verdict(receipt)}: {counted(len(receipt.files))} from {code(receipt.source)}", ""]
    lines += [
        f"- {code(sink)}: {_counts((receipt.count(outcome, sink), outcome.value) for outcome in Outcome)}"
        for sink in receipt.sinks
    ]
    lines += [f"- in {seconds:.1f} s", "", *_findings(receipt.findings)]
    lines += head("file", *map(code, receipt.sinks), "sha256")
    for file in sorted(receipt.files, key=_in_place):
        cells = [_delivery(file.sinks[sink]) for sink in receipt.sinks]
        lines.append(row(code(file.filename), *cells, code(file.sha256 or " ")))
    return text_of(lines)


def findings_markdown(title: str, findings: Sequence[Finding]) -> str:
    """Return findings, errors first.

    Args:
        title: a heading, as Markdown.
        findings: the findings.
    """
    errors = sum(finding.severity is Severity.ERROR for finding in findings)
    warnings = counted(len(findings) - errors, "warning")
    counts = f"{counted(errors, 'error')}, {warnings}" if findings else "no problems found"
    return text_of([f"### {title}: {counts}", "", *_findings(findings)])


def truncated(text: str, size: int) -> str:
    """Return the whole lines of a text that fit into ``size`` bytes, with a note if some are missing."""
    encoded = text.encode("utf-8", "replace")
    if len(encoded) <= size:
        return encoded.decode()
    note = b"\n\nTruncated; the receipt is complete.\n"
    kept = encoded[: max(size - len(note), 0)].rpartition(b"\n")[0]
    return (kept + note).decode() if len(kept) + len(note) <= size else ""


def _findings(findings: Iterable[Finding]) -> Iterator[str]:
    ordered = sorted(findings, key=lambda finding: (finding.severity is not Severity.ERROR, finding.check))
    if not ordered:
        return
    yield from head("", "check", "file", "problem", "solution")
    for finding in ordered:
        yield row(
            f"**{finding.severity.value}**",
            f"[{code(finding.check)}]({finding.url})" if finding.url else code(finding.check),
            code(finding.filename) if finding.filename else "",
            escaped(with_option_names(finding.message)),
            escaped(with_option_names(finding.hint or "")),
        )
    yield ""


def _verdict(receipt: Receipt) -> str:
    if receipt.is_complete:
        return "Published"
    return "Partly published" if receipt.has_changes else "Not published"


def _in_place(file: ReceiptFile) -> bool:
    return all(delivery.is_in_place for delivery in file.sinks.values())


def _intent(intent: Intent) -> str:
    if intent.action is Action.UPLOAD and intent.existing is None:
        return intent.action.value
    return f"{intent.action.value}: {escaped(intent.reason)}"


def _delivery(delivery: Delivery) -> str:
    if delivery.is_in_place:
        return delivery.outcome.value
    return f"**{delivery.outcome.value}**" + (f": {escaped(delivery.reason)}" if delivery.reason else "")


def _counts(counts: Iterable[tuple[int, str]]) -> str:
    return ", ".join(f"{number} {noun}" for number, noun in counts if number) or "no files"


def head(*titles: str) -> list[str]:
    """Return the first two rows of a table."""
    return [row(*titles), row(*("---" for _ in titles))]


def row(*cells: str) -> str:
    """Return a row of a table; its cells are Markdown."""
    return f"| {' | '.join(cells)} |"


def text_of(lines: Iterable[str]) -> str:
    """Return lines as text that more Markdown may follow."""
    return "\n".join(lines) + "\n\n"
