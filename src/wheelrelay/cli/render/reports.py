"""The results of a preflight as a table and as Markdown."""

from itertools import groupby

from wheelrelay.cli.option_names import with_option_names
from wheelrelay.cli.render.blocks import Blocks, Column, Line, Table
from wheelrelay.cli.render.markdown import code, escaped, head, row, text_of
from wheelrelay.records import Finding, Severity
from wheelrelay.reports import PreflightItem, PreflightReport, Verdict

VERDICT_STYLES = {Verdict.PASS: "green", Verdict.FAIL: "bold red", Verdict.UNKNOWN: "yellow"}


def preflight_table(report: PreflightReport) -> Blocks:
    """Return a table for each remote and project, and the verdict."""
    parts: list[Line | Table] = []
    for subject, items in groupby(report.items, _subject):
        table = Table([Column("", can_wrap=False), Column("check", can_wrap=False), Column(subject)])
        for item in items:
            table.add(Line(item.verdict.value, VERDICT_STYLES[item.verdict]), item.check, _reason(item))
        parts += [table, Line()]
    style = "green" if report.may_publish else "bold red"
    return Blocks(*parts, Line(preflight_summary(report), style))


def preflight_summary(report: PreflightReport) -> str:
    """Return the verdict and the number of checks with each result."""
    verdict = "Nothing prevents publishing" if report.may_publish else "The release would be refused"
    counts = (
        f"{len(report.having(Verdict.PASS))} passed, {len(report.failures)} failed, "
        f"{len(report.having(Verdict.UNKNOWN))} unknown"
    )
    return f"{verdict}: {counts}."


def preflight_markdown(report: PreflightReport) -> str:
    """Return a heading with the verdict, and a table, with failures first."""
    lines = [f"### Preflight: {escaped(preflight_summary(report).rstrip('.'))}", ""]
    lines += head("", "check", "where", "reason")
    order = (Verdict.FAIL, Verdict.UNKNOWN, Verdict.PASS)
    for item in sorted(report.items, key=lambda item: order.index(item.verdict)):
        verdict = f"**{item.verdict.value}**" if item.verdict is Verdict.FAIL else item.verdict.value
        lines.append(row(verdict, code(item.check), escaped(_subject(item)), escaped(_reason(item))))
    return text_of(lines)


def preflight_findings(report: PreflightReport) -> list[Finding]:
    """Return the failures as findings, for annotations."""
    return [
        Finding(item.check, Severity.ERROR, f"{_subject(item)}: {item.reason}", hint=item.hint)
        for item in report.failures
    ]


def _subject(item: PreflightItem) -> str:
    return f"{item.remote}, {item.project}" if item.project else item.remote


def _reason(item: PreflightItem) -> str:
    has_hint = item.hint and item.verdict is not Verdict.PASS
    return with_option_names(f"{item.reason} {item.hint}" if has_hint else item.reason)
