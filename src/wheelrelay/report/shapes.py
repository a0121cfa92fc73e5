"""The shapes of the JSON documents that wheelrelay prints and writes, and their JSON Schemas.

Scripts lean on them: a key is added freely, and changed or taken away only with a deprecation.
"""

from typing import Any, Literal

from typing_extensions import TypedDict  # pydantic reads the one of typing from Python 3.12 on

SCHEMA = "https://json-schema.org/draft/2020-12/schema"


class FileDocument(TypedDict):
    """One file of ``list --json``."""

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
    origin: dict[str, str]


class FindingDocument(TypedDict):
    """One finding."""

    check: str
    severity: Literal["error", "warning"]
    filename: str | None
    message: str
    hint: str | None


class IntentDocument(TypedDict):
    """What would be done with a file at a sink."""

    action: Literal["upload", "skip", "conflict", "unknown"]
    reason: str


class PlannedFileDocument(TypedDict):
    """One file of a plan."""

    filename: str
    project: str
    version: str
    size: int | None
    sha256: str | None
    sinks: dict[str, IntentDocument]


class PlanDocument(TypedDict):
    """The answer of ``plan --json``."""

    source: str
    files: list[PlannedFileDocument]
    missing: list[str]
    unexpected: list[str]
    findings: list[FindingDocument]


class DeliveryDocument(TypedDict):
    """What became of a file at a sink."""

    outcome: Literal["published", "skipped", "failed", "pending", "unconfirmed"]
    attempts: int
    seconds: float
    reason: str | None


class ReceiptFileDocument(TypedDict):
    """One file of a receipt."""

    filename: str
    project: str
    version: str
    size: int | None
    sha256: str | None
    origin: str | None
    sinks: dict[str, DeliveryDocument]


class ReceiptDocument(TypedDict):
    """The receipt of a relay."""

    source: str
    sinks: list[str]
    mode: Literal["release", "mirror"]
    started: str
    finished: str
    complete: bool
    files: list[ReceiptFileDocument]
    findings: list[FindingDocument]
    versions: dict[str, str]


SHAPES: dict[str, Any] = {
    "list": list[FileDocument],
    "plan": PlanDocument,
    "findings": list[FindingDocument],
    "receipt": ReceiptDocument,
}
"""What a document is called on the command line, and its shape."""


def document_schema(name: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of one kind of document.

    Args:
        name: one of `SHAPES`.
    """
    from pydantic import TypeAdapter

    return {"$schema": SCHEMA, **TypeAdapter(SHAPES[name]).json_schema()}
