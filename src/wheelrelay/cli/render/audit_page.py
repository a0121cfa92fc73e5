"""The results of an audit as one HTML page, in the style of the index pages; it loads nothing else."""

import hashlib
from base64 import b64encode
from html import escape
from itertools import groupby

from wheelrelay.cli.render.reports import audit_summary
from wheelrelay.containers.index_pages.style import STYLE
from wheelrelay.findings import Severity
from wheelrelay.redaction import redact
from wheelrelay.reports import AuditIssue, AuditReport

_STYLE = f"{STYLE}.files th,.files td:not(:last-child){{white-space:nowrap}}\n"

_DIGEST = b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

POLICY = f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; form-action 'none'"
"""The Content Security Policy of the page: its own style sheet, and nothing else."""

_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
<h1>{title}</h1>
<p>{summary} <span class="soft">{time:%Y-%m-%d %H:%M %Z}</span></p>
{body}</main>
</body>
</html>
"""


def audit_html(report: AuditReport) -> bytes:
    """Return the page: the projects with issues, each with a table, and the names of the others."""
    by_project = groupby(report.issues, key=lambda issue: issue.project)
    sections = {project: _section(project, list(issues)) for project, issues in by_project}
    others = [project for project in report.projects if project not in sections]
    body = "".join(sections.values())
    if others:
        names = "".join(f"<li>{escape(name)}</li>\n" for name in others)
        body += f'<h2>Without issues</h2>\n<ul class="projects">\n{names}</ul>\n'
    page = _PAGE.format(
        policy=escape(POLICY),
        title=escape(f"Audit of {report.remote}"),
        style=_STYLE,
        summary=escape(audit_summary(report)),
        time=report.time,
        body=body,
    )
    return redact(page).encode("utf-8", "replace")


def _section(project: str, issues: list[AuditIssue]) -> str:
    rows = "".join(map(_row, issues))
    heads = "".join(f'<th scope="col">{text}</th>' for text in ("Version", "Check", "Issue"))
    return (
        f'<h2>{escape(project)}</h2>\n<table class="files" aria-label="Issues of {escape(project)}">\n'
        f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n"
    )


def _row(issue: AuditIssue) -> str:
    severity = ' class="bad"' if issue.severity is Severity.ERROR else ""
    files = "".join(f"<li>{escape(name)}</li>" for name in issue.files)
    count = "1 file" if len(issue.files) == 1 else f"{len(issue.files)} files"
    listed = f"<details><summary>{count}</summary><ul>{files}</ul></details>" if files else ""
    return (
        f"<tr><td>{escape(issue.version or '')}</td>"
        f'<td data-label="Check"><strong{severity}>{escape(issue.check)}</strong></td>'
        f'<td data-label="Issue">{escape(issue.message)}{listed}</td></tr>\n'
    )
