"""The form of the legacy upload API: the fields that describe a file, and the body that carries it.

The fields are those that twine sends, made without reading the archive if it was looked into already.
"""

import json
import uuid
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from packaging.metadata import Metadata
from urllib3.filepost import encode_multipart_formdata

from wheelrelay.core_metadata import REMEMBERED, CoreMetadata, metadata_of, parse_core_metadata
from wheelrelay.errors import Rejected
from wheelrelay.model import Companion, Kind
from wheelrelay.signing import attestations_of
from wheelrelay.staged import StagedFile, StagedStream

RENAMED = {
    "platforms": "platform",
    "supported_platforms": "supported_platform",
    "license_files": "license_file",
}
"""Fields that the form calls otherwise than `packaging` does; all others have one name."""

NOT_SENT = frozenset({"import_names", "import_namespaces"})
"""Fields that the upload API does not have."""


class FormBody:
    """A multipart form whose last part is a staged file, read once while it is sent.

    Args:
        fields: the form's other fields.
        filename: the name that the file is sent under.
        stream: the file's bytes.
    """

    def __init__(self, fields: list[tuple[str, Any]], filename: str, stream: StagedStream) -> None:
        boundary = uuid.uuid4().hex
        content = ("content", (filename, b"", "application/octet-stream"))
        form, self.content_type = encode_multipart_formdata([*fields, content], boundary=boundary)
        self._tail = f"\r\n--{boundary}--\r\n".encode()
        self._head = form.removesuffix(self._tail)
        self._stream = stream
        self._left = len(self._head) + len(stream) + len(self._tail)

    def __len__(self) -> int:
        """Bytes that are still to come."""
        return self._left

    def read(self, size: int = -1) -> bytes:
        """The next bytes, at most ``size``, perhaps fewer; empty at the end."""
        if self._head:
            block, self._head = self._split(self._head, size)
        else:
            block = self._stream.read(size)
            if not block:
                block, self._tail = self._split(self._tail, size)
        self._left -= len(block)
        return block

    @staticmethod
    def _split(text: bytes, size: int) -> tuple[bytes, bytes]:
        return (text, b"") if size < 0 else (text[:size], text[size:])


def form_fields(staged: StagedFile) -> list[tuple[str, Any]]:
    """The fields of the upload form for a file, apart from its content.

    Raises:
        Rejected: its metadata cannot be read, or are not valid.
    """
    text = metadata_of(staged)
    if text is None:
        raise _refused(staged, "it holds no metadata that can be read")
    if wrong := _wrong_in(text):
        raise _refused(staged, f"its metadata are not valid: {wrong}")
    described = [*_metadata_fields(parse_core_metadata(text))]
    if not any(name == "requires_python" for name, _ in described):
        described.append(("requires_python", ""))  # GitLab's index refuses a form without it
    return [
        (":action", "file_upload"),
        ("protocol_version", "1"),
        *described,
        ("pyversion", _pyversion(staged)),
        ("filetype", "bdist_wheel" if staged.file.kind is Kind.WHEEL else "sdist"),
        ("sha256_digest", staged.sha256),
        *_signature(staged),
        *_attestations(staged),
    ]


def _metadata_fields(metadata: CoreMetadata) -> Iterator[tuple[str, str]]:
    for field, value in metadata.raw.items():
        if field in NOT_SENT:
            continue
        name = RENAMED.get(field, field)
        if isinstance(value, dict):
            yield from ((name, f"{label}, {url}") for label, url in value.items())
        elif isinstance(value, list):
            yield from ((name, one) for one in ([", ".join(value)] if field == "keywords" else value))
        else:
            yield name, str(value)


@lru_cache(maxsize=REMEMBERED)
def _wrong_in(text: bytes) -> str:
    """What makes metadata invalid; empty if nothing does."""
    metadata = parse_core_metadata(text)
    if metadata.unparsed:
        return f"unrecognized or malformed: {', '.join(metadata.unparsed)}"
    try:
        Metadata.from_raw(metadata.raw)
    except ExceptionGroup as group:
        return "; ".join(sorted(str(error).rstrip(".") for error in group.exceptions))
    return ""


def _pyversion(staged: StagedFile) -> str:
    """The tag of a wheel's Python, as it stands in the filename."""
    return staged.filename.split("-")[-3] if staged.file.kind is Kind.WHEEL else "source"


def _signature(staged: StagedFile) -> Iterator[tuple[str, Any]]:
    for companion in staged.companions:
        if companion.suffix == ".asc":
            yield "gpg_signature", (_name(staged, companion), companion.content)
            return


def _attestations(staged: StagedFile) -> Iterator[tuple[str, str]]:
    """The attestations as one JSON list (PEP 740)."""
    if found := attestations_of(staged):
        yield "attestations", json.dumps([json.loads(attestation.content) for attestation in found])


def _name(staged: StagedFile, companion: Companion) -> str:
    return staged.filename + companion.suffix


def _refused(staged: StagedFile, reason: str) -> Rejected:
    return Rejected(f"{staged.filename} cannot be uploaded: {reason}.", hint="Build it again.")
