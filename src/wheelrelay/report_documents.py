"""The JSON documents of reports; see `wheelrelay.documents`."""

import json
from datetime import datetime
from typing import Literal

from typing_extensions import TypedDict  # pydantic requires this one before Python 3.12

from wheelrelay.errors import ConfigError
from wheelrelay.findings import Severity
from wheelrelay.reports import AuditedFile, AuditIssue, AuditReport, PreflightReport

AUDIT_FORMAT: Literal[1] = 1
"""The format of audits; a document with a higher one cannot be read."""


class PreflightItemDocument(TypedDict):
    """The result of one check of a preflight."""

    check: str
    verdict: Literal["pass", "fail", "unknown"]
    remote: str
    project: str | None
    reason: str
    hint: str | None


class PreflightDocument(TypedDict):
    """The results of a preflight."""

    may_publish: bool
    items: list[PreflightItemDocument]


def preflight_document(report: PreflightReport) -> PreflightDocument:
    """Return the document for the results of a preflight."""
    return {
        "may_publish": report.may_publish,
        "items": [
            {
                "check": item.check,
                "verdict": item.verdict.value,
                "remote": item.remote,
                "project": item.project,
                "reason": item.reason,
                "hint": item.hint,
            }
            for item in report.items
        ],
    }


class AuditIssueDocument(TypedDict):
    """A problem of a published release, or of one project."""

    check: str
    severity: Literal["error", "warning"]
    project: str
    version: str | None
    message: str
    files: list[str]


class AuditedFileDocument(TypedDict):
    """A file that an audit found."""

    filename: str
    project: str
    version: str
    sha256: str | None


class AuditDocument(TypedDict):
    """The results of an audit of one remote."""

    format: Literal[1]
    remote: str
    time: str
    projects: list[str]
    releases: int
    issues: list[AuditIssueDocument]
    files: list[AuditedFileDocument]


def audit_document(report: AuditReport) -> AuditDocument:
    """Return the document for the results of an audit."""
    return {
        "format": AUDIT_FORMAT,
        "remote": report.remote,
        "time": report.time.isoformat(timespec="seconds"),
        "projects": list(report.projects),
        "releases": report.releases,
        "issues": [
            {
                "check": issue.check,
                "severity": issue.severity.value,
                "project": issue.project,
                "version": issue.version,
                "message": issue.message,
                "files": list(issue.files),
            }
            for issue in report.issues
        ],
        "files": [
            {
                "filename": file.filename,
                "project": file.project,
                "version": file.version,
                "sha256": file.sha256,
            }
            for file in report.files
        ],
    }


def parse_audit(text: str | bytes) -> AuditReport:
    """Return the audit that a JSON document describes; the inverse of `audit_document`.

    Raises:
        ConfigError: The text is not an audit, or was written by a later version.
    """
    from pydantic import TypeAdapter, ValidationError

    try:
        written = json.loads(text)
        version = written.get("format") if isinstance(written, dict) else None
        if isinstance(version, int) and version > AUDIT_FORMAT:
            raise ConfigError(
                f"A later version of wheelrelay wrote this audit (format {version}).",
                hint="Update wheelrelay to read it.",
            )
        document: AuditDocument = TypeAdapter(AuditDocument).validate_python(written, strict=True)
        time = datetime.fromisoformat(document["time"])
    except (ValidationError, ValueError, RecursionError) as error:
        raise ConfigError(
            "This is not the JSON of an audit.", hint="Write one with `wheelrelay audit --json`."
        ) from error
    return AuditReport(
        remote=document["remote"],
        time=time,
        projects=tuple(document["projects"]),
        releases=document["releases"],
        files=tuple(AuditedFile(**file) for file in document["files"]),
        issues=tuple(
            AuditIssue(
                issue["check"],
                Severity(issue["severity"]),
                issue["project"],
                issue["version"],
                issue["message"],
                tuple(issue["files"]),
            )
            for issue in document["issues"]
        ),
    )
