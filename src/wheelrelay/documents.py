"""The JSON documents that wheelrelay prints and writes, and their JSON Schemas.

Scripts depend on them: keys may be added, but changed or removed only after a deprecation.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal, cast

from typing_extensions import TypedDict  # pydantic requires this one before Python 3.12

from wheelrelay.comparison_document import ComparisonDocument
from wheelrelay.errors import ConfigError
from wheelrelay.findings import Severity
from wheelrelay.model import DistFile, Kind, Shard
from wheelrelay.records import Delivery, Finding, Outcome, Plan, PlannedFile, Receipt, ReceiptFile
from wheelrelay.redaction import redact
from wheelrelay.report_documents import AuditDocument, PreflightDocument
from wheelrelay.version import PROJECT

JSON_SCHEMA_DIALECT = "https://json-schema.org/draft/2020-12/schema"


class FileDocument(TypedDict):
    """A file in a list of files."""

    filename: str
    project: str
    version: str
    kind: Literal["wheel", "sdist", "variants"]
    tags: list[str]
    size: int | None
    sha256: str | None
    url: str | None
    requires_python: str | None
    yanked: str | None
    upload_time: str | None
    companions: list[str]
    build: dict[str, str]


class FindingDocument(TypedDict):
    """A finding."""

    check: str
    severity: Literal["error", "warning"]
    filename: str | None
    message: str
    hint: str | None
    url: str | None


class IntentDocument(TypedDict):
    """The planned action for a file at a sink."""

    action: Literal["upload", "update", "skip", "conflict", "unknown"]
    reason: str


class PlannedFileDocument(TypedDict):
    """A file of a plan."""

    filename: str
    project: str
    version: str
    size: int | None
    sha256: str | None
    sinks: dict[str, IntentDocument]


class PlanDocument(TypedDict):
    """A plan."""

    source: str
    files: list[PlannedFileDocument]
    missing: list[str]
    unexpected: list[str]
    findings: list[FindingDocument]


class DeliveryDocument(TypedDict):
    """The delivery of a file to a sink."""

    outcome: Literal["published", "updated", "skipped", "failed", "pending", "unconfirmed"]
    attempts: int
    seconds: float
    reason: str | None


class ReceiptFileDocument(TypedDict):
    """A file of a receipt."""

    filename: str
    project: str
    version: str
    size: int | None
    sha256: str | None
    source_url: str | None
    sinks: dict[str, DeliveryDocument]


class ReceiptDocument(TypedDict):
    """The receipt of a relay."""

    format: Literal[1]
    source: str
    sinks: list[str]
    mode: Literal["release", "mirror"]
    started: str
    finished: str
    complete: bool
    error: str | None
    files: list[ReceiptFileDocument]
    findings: list[FindingDocument]
    versions: dict[str, str]
    shards: list[str]


DOCUMENT_TYPES: dict[str, Any] = {
    "audit": AuditDocument,
    "comparison": ComparisonDocument,
    "list": list[FileDocument],
    "plan": PlanDocument,
    "preflight": PreflightDocument,
    "findings": list[FindingDocument],
    "receipt": ReceiptDocument,
}
"""Types of documents by the name of their schema."""

_Action = tuple[Literal["upload", "update", "skip", "conflict", "unknown"], str]
"""A planned action, and its reason."""

RECEIPT_FORMAT: Literal[1] = 1
"""The format of receipts; a document with a higher one cannot be read."""


def document_schema(name: str) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a document.

    Args:
        name: A key of `DOCUMENT_TYPES`.
    """
    from pydantic import TypeAdapter

    return {"$schema": JSON_SCHEMA_DIALECT, **TypeAdapter(DOCUMENT_TYPES[name]).json_schema()}


def files_document(files: Iterable[DistFile]) -> list[FileDocument]:
    """Return the document for a list of files, sorted by name."""
    return [_file(file) for file in sorted(files, key=lambda file: file.filename)]


def plan_document(plan: Plan) -> PlanDocument:
    """Return the document for a plan."""
    unchanged: dict[str, _Action] = dict.fromkeys(plan.sinks, ("skip", "the same bytes exist"))
    return {
        "source": plan.source,
        "files": [
            *(_planned_file(file.file, _actions(file)) for file in plan.files),
            *(_planned_file(file, unchanged) for file in plan.unchanged),
        ],
        "missing": list(plan.missing),
        "unexpected": list(plan.unexpected),
        "findings": findings_document(plan.findings),
    }


def findings_document(findings: Iterable[Finding]) -> list[FindingDocument]:
    """Return the document for findings."""
    return [
        {
            "check": finding.check,
            "severity": finding.severity.value,
            "filename": finding.filename,
            "message": finding.message,
            "hint": finding.hint,
            "url": finding.url,
        }
        for finding in findings
    ]


def receipt_document(receipt: Receipt) -> ReceiptDocument:
    """Return the document for a receipt."""
    return {
        "format": RECEIPT_FORMAT,
        "source": receipt.source,
        "sinks": list(receipt.sinks),
        "mode": cast("Literal['release', 'mirror']", receipt.mode),
        "started": receipt.started.isoformat(timespec="milliseconds"),
        "finished": receipt.finished.isoformat(timespec="milliseconds"),
        "complete": receipt.is_complete,
        "error": receipt.error,
        "files": [
            {
                "filename": file.filename,
                "project": file.project,
                "version": file.version,
                "size": file.size,
                "sha256": file.sha256,
                "source_url": file.source_url,
                "sinks": {sink: _delivery(delivery) for sink, delivery in file.sinks.items()},
            }
            for file in receipt.files
        ],
        "findings": findings_document(receipt.findings),
        "versions": dict(receipt.versions),
        "shards": [str(shard) for shard in receipt.shards],
    }


def parse_receipt(text: str | bytes) -> Receipt:
    """Return the receipt that a JSON document describes; the inverse of `receipt_document`.

    Raises:
        ConfigError: The text is not a receipt, is incomplete, or was written by a later version.
    """
    from pydantic import TypeAdapter, ValidationError

    try:
        document = json.loads(text)
        written = document.get("format") if isinstance(document, dict) else None
        if isinstance(written, int) and written > RECEIPT_FORMAT:
            raise ConfigError(
                f"A later version of wheelrelay wrote this receipt (format {written}).",
                hint="Update wheelrelay to read it.",
            )
        return _receipt(TypeAdapter(ReceiptDocument).validate_python(document, strict=True))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        location = ".".join(map(str, first["loc"]))
        problem = f"{location}: {first['msg']}" if location else first["msg"]
    except (ValueError, RecursionError) as error:
        problem = str(error)
    raise ConfigError(
        f"This is not a complete receipt: {problem.rstrip('.')}.",
        hint="The file may be damaged. Run the relay again to write it.",
    )


def sums_text(receipt: Receipt) -> str:
    """Return the SHA-256 digest of every file in the format of ``sha256sum``, sorted by name."""
    return redact(
        "".join(
            f"{file.sha256}  {file.filename}\n"
            for file in sorted(receipt.files, key=lambda file: file.filename)
            if file.sha256
        )
    )


def _planned_file(file: DistFile | ReceiptFile, actions: Mapping[str, _Action]) -> PlannedFileDocument:
    return {
        "filename": file.filename,
        "project": file.project,
        "version": str(file.version),
        "size": file.size,
        "sha256": file.sha256,
        "sinks": {sink: {"action": action, "reason": reason} for sink, (action, reason) in actions.items()},
    }


def _actions(planned: PlannedFile) -> dict[str, _Action]:
    return {sink: (intent.action.value, intent.reason) for sink, intent in planned.sinks.items()}


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
        "build": dict(file.build),
    }


def _receipt(document: ReceiptDocument) -> Receipt:
    """Return the receipt for a valid document.

    Raises:
        ValueError: A time or a shard is malformed, or a file lacks the delivery to a sink.
    """
    sinks = tuple(document["sinks"])
    for file in document["files"]:
        if set(file["sinks"]) != set(sinks):
            raise ValueError(f"{file['filename']} does not have one outcome for each sink")
    return Receipt(
        source=document["source"],
        sinks=sinks,
        mode=document["mode"],
        started=datetime.fromisoformat(document["started"]),
        finished=datetime.fromisoformat(document["finished"]),
        files=tuple(_receipt_file(file, sinks) for file in document["files"]),
        findings=tuple(
            Finding(
                finding["check"],
                Severity(finding["severity"]),
                finding["message"],
                finding["filename"],
                finding["hint"],
                provider=PROJECT if finding["url"] else "",
            )
            for finding in document["findings"]
        ),
        versions=document["versions"],
        shards=tuple(Shard.parse(text) for text in document["shards"]),
        error=document["error"],
    )


def _receipt_file(document: ReceiptFileDocument, sinks: Iterable[str]) -> ReceiptFile:
    deliveries = {sink: document["sinks"][sink] for sink in sinks}
    return ReceiptFile(
        filename=document["filename"],
        project=document["project"],
        version=document["version"],
        size=document["size"],
        sha256=document["sha256"],
        source_url=document["source_url"],
        sinks={
            sink: Delivery(
                Outcome(delivery["outcome"]), delivery["attempts"], delivery["seconds"], delivery["reason"]
            )
            for sink, delivery in deliveries.items()
        },
    )


def _delivery(delivery: Delivery) -> DeliveryDocument:
    return {
        "outcome": delivery.outcome.value,
        "attempts": delivery.attempts,
        "seconds": round(delivery.seconds, 3),
        "reason": delivery.reason,
    }
