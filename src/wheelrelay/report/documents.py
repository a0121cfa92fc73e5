"""Files, plans and receipts as JSON documents, in the shapes that scripts lean on."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from typing import Any, Literal, cast

from wheelrelay.model import DistFile, Kind
from wheelrelay.records import Delivery, Finding, Plan, Receipt
from wheelrelay.redaction import redacted, redacted_values
from wheelrelay.report.shapes import (
    DeliveryDocument,
    FileDocument,
    FindingDocument,
    PlanDocument,
    ReceiptDocument,
)

_NO_TEXT = re.compile("[\ud800-\udfff\x7f-\x9f]")
"""What stands in names for bytes that are no UTF-8, and control characters that JSON lets through."""


def files_document(files: Iterable[DistFile]) -> list[FileDocument]:
    """The answer of ``list --json``: one object a file, sorted by name."""
    return [_file(file) for file in sorted(files, key=lambda file: file.filename)]


def plan_document(plan: Plan) -> PlanDocument:
    """The answer of ``plan --json``."""
    return {
        "source": plan.source,
        "files": [
            {
                "filename": planned.file.filename,
                "project": planned.file.project,
                "version": str(planned.file.version),
                "size": planned.file.size,
                "sha256": planned.file.sha256,
                "sinks": {
                    sink: {"action": intent.action.value, "reason": intent.reason}
                    for sink, intent in planned.sinks.items()
                },
            }
            for planned in plan.files
        ],
        "missing": list(plan.missing),
        "unexpected": list(plan.unexpected),
        "findings": findings_document(plan.findings),
    }


def findings_document(findings: Iterable[Finding]) -> list[FindingDocument]:
    """Findings, one object each."""
    return [
        {
            "check": finding.check,
            "severity": finding.severity.value,
            "filename": finding.filename,
            "message": finding.message,
            "hint": finding.hint,
        }
        for finding in findings
    ]


def receipt_document(receipt: Receipt) -> ReceiptDocument:
    """The receipt of a relay."""
    return {
        "source": receipt.source,
        "sinks": list(receipt.sinks),
        "mode": cast("Literal['release', 'mirror']", receipt.mode),
        "started": receipt.started.isoformat(timespec="milliseconds"),
        "finished": receipt.finished.isoformat(timespec="milliseconds"),
        "complete": receipt.complete(),
        "files": [
            {
                "filename": file.filename,
                "project": file.project,
                "version": file.version,
                "size": file.size,
                "sha256": file.sha256,
                "origin": file.origin,
                "sinks": {sink: _delivery(delivery) for sink, delivery in file.sinks.items()},
            }
            for file in receipt.files
        ],
        "findings": findings_document(receipt.findings),
        "versions": dict(receipt.versions),
    }


def sums_text(receipt: Receipt) -> str:
    """The sha256 of every file in the form of ``sha256sum``, sorted by name."""
    return redacted(
        "".join(
            f"{file.sha256}  {file.filename}\n"
            for file in sorted(receipt.files, key=lambda file: file.filename)
            if file.sha256
        )
    )


def to_json(document: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> str:
    """The document as text, indented, with a line end; names that are not text are escaped.

    So is the beginning of what CI systems would take for a command, in the log that the text is printed on.
    """
    written = StringIO()  # pieces of a large document, all at once, would take several times its length
    json.dump(redacted_values(document), written, indent=2, ensure_ascii=False)
    written.write("\n")
    text = written.getvalue().replace("##", r"#\u0023").replace("section_", r"section\u005f")
    return _NO_TEXT.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _file(file: DistFile) -> FileDocument:
    return {
        "filename": file.filename,
        "project": file.project,
        "version": str(file.version),
        "kind": file.kind.value,
        "tags": sorted(str(tag) for tag in file.tags) if file.kind is Kind.WHEEL else [],
        "size": file.size,
        "sha256": file.sha256,
        "url": file.url,
        "requires_python": file.requires_python,
        "yanked": file.yanked,
        "upload_time": file.upload_time.isoformat() if file.upload_time else None,
        "companions": list(file.companions),
        "origin": dict(file.origin),
    }


def _delivery(delivery: Delivery) -> DeliveryDocument:
    return {
        "outcome": delivery.outcome.value,
        "attempts": delivery.attempts,
        "seconds": round(delivery.seconds, 3),
        "reason": delivery.reason,
    }
