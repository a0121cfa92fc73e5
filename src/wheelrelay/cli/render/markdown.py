"""Plans, receipts and findings as GitHub's Markdown, with what is most important first."""

import re
from collections.abc import Iterable, Iterator, Sequence

from rich.filesize import decimal

from wheelrelay.cli.render.wording import counted
from wheelrelay.records import Action, Delivery, Finding, Intent, Outcome, Plan, Receipt, Severity

_PUNCTUATION = re.compile(r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]")
_PLAIN = re.compile(r"[\w.+!=@:/, -]+")
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]+")


def escaped(text: str) -> str:
    """Text that is shown as it is: in one line, with nothing of it taken for markup."""
    return _PUNCTUATION.sub(r"\\\g<0>", _UNSEEN.sub(" ", text))


def code(name: str) -> str:
    """A name in the type of code; escaped, if it is not a plain one."""
    return f"`{name}`" if _PLAIN.fullmatch(name) else escaped(name)


def plan_markdown(plan: Plan) -> str:
    """What will happen to each file at each sink."""
    size = sum(planned.file.size or 0 for planned in plan.files)
    total = f", {decimal(size)}," if size else ""
    lines = [f"### Plan: {counted(len(plan.files))}{total} from {code(plan.source)}", ""]
    lines += [
        f"- {code(sink)}: {_counts((plan.count(sink, one), one.value) for one in Action)}"
        for sink in plan.sinks
    ]
    lines += [f"- **missing:** {escaped(expectation)}" for expectation in plan.missing]
    lines += [f"- **unexpected:** {escaped(filename)}" for filename in plan.unexpected]
    lines += ["", *_findings(plan.findings), *_head("file", "size", *map(code, plan.sinks))]
    for planned in plan.files:
        cells = [_intent(planned.sinks[sink]) for sink in plan.sinks]
        size_told = "" if planned.file.size is None else decimal(planned.file.size)
        lines.append(_row(code(planned.file.filename), size_told, *cells))
    return _text(lines)


def receipt_markdown(receipt: Receipt) -> str:
    """What became of each file at each sink; of those that are in place with their sha256."""
    seconds = (receipt.finished - receipt.started).total_seconds()
    lines = [f"### {_verdict(receipt)}: {counted(len(receipt.files))} from {code(receipt.source)}", ""]
    lines += [
        f"- {code(sink)}: {_counts((receipt.count(one, sink), one.value) for one in Outcome)}"
        for sink in receipt.sinks
    ]
    lines += [f"- in {seconds:.1f} s", "", *_findings(receipt.findings)]
    lines += _head("file", *map(code, receipt.sinks), "sha256")
    for file in sorted(receipt.files, key=lambda file: all(one.is_in_place for one in file.sinks.values())):
        cells = [_delivery(file.sinks[sink]) for sink in receipt.sinks]
        lines.append(_row(code(file.filename), *cells, code(file.sha256 or " ")))
    return _text(lines)


def findings_markdown(title: str, findings: Sequence[Finding]) -> str:
    """Findings alone, errors first.

    Args:
        title: what was looked at, as Markdown.
        findings: what was found.
    """
    errors = sum(finding.severity is Severity.ERROR for finding in findings)
    warnings = counted(len(findings) - errors, "warning")
    said = f"{counted(errors, 'error')}, {warnings}" if findings else "nothing is wrong"
    return _text([f"### {title}: {said}", "", *_findings(findings)])


def fitting(text: str, size: int) -> str:
    """As many whole lines of a text as fit into ``size`` bytes, with a word on what was left out."""
    whole = text.encode("utf-8", "replace")
    if len(whole) <= size:
        return whole.decode()
    note = b"\n\nThe rest is too long to be shown here; the receipt has all.\n"
    kept = whole[: max(size - len(note), 0)].rpartition(b"\n")[0]
    return (kept + note).decode() if len(kept) + len(note) <= size else ""


def _findings(findings: Iterable[Finding]) -> Iterator[str]:
    ordered = sorted(findings, key=lambda finding: (finding.severity is not Severity.ERROR, finding.check))
    if not ordered:
        return
    yield from _head("", "check", "file", "what is wrong", "what to do")
    for finding in ordered:
        yield _row(
            f"**{finding.severity.value}**",
            code(finding.check),
            code(finding.filename) if finding.filename else "",
            escaped(finding.message),
            escaped(finding.hint or ""),
        )
    yield ""


def _verdict(receipt: Receipt) -> str:
    if receipt.is_complete:
        return "All is in place"
    return "Partly published" if receipt.has_changes else "Nothing was published"


def _intent(intent: Intent) -> str:
    if intent.action is Action.UPLOAD and intent.existing is None:
        return intent.action.value
    return f"{intent.action.value}: {escaped(intent.reason)}"


def _delivery(delivery: Delivery) -> str:
    if delivery.is_in_place:
        return delivery.outcome.value
    return f"**{delivery.outcome.value}**" + (f": {escaped(delivery.reason)}" if delivery.reason else "")


def _counts(counts: Iterable[tuple[int, str]]) -> str:
    return ", ".join(f"{number} {what}" for number, what in counts if number) or "nothing"


def _head(*titles: str) -> list[str]:
    return [_row(*titles), _row(*("---" for _ in titles))]


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _text(lines: Iterable[str]) -> str:
    return "\n".join(lines) + "\n\n"
