"""The results of preflights and audits as tables and as Markdown."""

from itertools import groupby

from wheelrelay.cli.option_names import with_option_names
from wheelrelay.cli.render.blocks import Blocks, Column, Line, Table, counted
from wheelrelay.cli.render.markdown import code, escaped, head, row, text_of
from wheelrelay.records import Finding, Severity
from wheelrelay.reports import AuditIssue, AuditReport, PreflightItem, PreflightReport, Verdict

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


SEVERITY_STYLES = {Severity.ERROR: "red", Severity.WARNING: "yellow"}

MAX_FILES = 2
"""Filenames of an issue that a table shows; JSON and HTML have all of them."""


def audit_table(report: AuditReport) -> Blocks:
    """Return a table of the issues, and the number of audited projects and releases."""
    table = Table(
        [
            *(Column("", can_wrap=False), Column("check", can_wrap=False)),
            *(Column("release", can_wrap=False), Column("issue")),
        ]
    )
    for issue in report.issues:
        severity = Line(issue.severity.value, SEVERITY_STYLES[issue.severity])
        table.add(severity, issue.check, release_of(issue), _issue_text(issue))
    return Blocks(*([table] if report.issues else []), Line(audit_summary(report)))


def audit_summary(report: AuditReport) -> str:
    """Return the number of issues, projects and releases."""
    errors = sum(issue.severity is Severity.ERROR for issue in report.issues)
    warnings = len(report.issues) - errors
    found = f"{counted(errors, 'error')}, {counted(warnings, 'warning')}" if report.issues else "No issues"
    projects, releases = counted(len(report.projects), "project"), counted(report.releases, "release")
    return f"{found} in {releases} of {projects} at {report.remote}."


def audit_markdown(report: AuditReport) -> str:
    """Return a heading with the summary, and a table of the issues."""
    lines = [f"### Audit: {escaped(audit_summary(report).rstrip('.'))}", ""]
    if report.issues:
        lines += head("", "check", "release", "issue")
    lines += [
        row(issue.severity.value, code(issue.check), escaped(release_of(issue)), escaped(_issue_text(issue)))
        for issue in report.issues
    ]
    return text_of(lines)


def release_of(issue: AuditIssue) -> str:
    """Return the project of an issue, with the version if it concerns one."""
    return f"{issue.project} {issue.version}" if issue.version else issue.project


def _issue_text(issue: AuditIssue) -> str:
    more = len(issue.files) - MAX_FILES
    names = ", ".join(issue.files[:MAX_FILES]) + (f" and {more} more" if more > 0 else "")
    return f"{issue.message} {names}".strip()
