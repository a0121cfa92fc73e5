"""The multipart form of the legacy upload API: the fields that describe a file, and the body with its bytes.

The fields are those that twine sends. The archive is not read again if its metadata is already known.
"""

import json
import re
import uuid
from collections.abc import Iterator
from typing import Any

from packaging.metadata import RawMetadata
from urllib3.filepost import encode_multipart_formdata

from wheelrelay.core_metadata import is_older, metadata_of, parse_core_metadata
from wheelrelay.errors import Rejected
from wheelrelay.model import Kind, wheel_parts
from wheelrelay.signing import attestations_of
from wheelrelay.staged import StagedFile, StagedStream

RENAMED = {
    "platforms": "platform",
    "supported_platforms": "supported_platform",
    "license_files": "license_file",
    "import_names": "import_name",
    "import_namespaces": "import_namespace",
}
"""Form fields whose names differ from those of `packaging`."""

REQUIRED = {"metadata_version": "Metadata-Version", "name": "Name", "version": "Version"}
"""Fields that every index requires."""


class FormBody:
    """A multipart form whose last part is a staged file, which is read once while the form is sent.

    Args:
        fields: the other fields of the form.
        filename: the filename in the form.
        stream: the bytes of the file.
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
        """Return the number of bytes that have not been read yet."""
        return self._left

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, at most ``size`` and perhaps fewer; empty at the end."""
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
    """Return the fields of the upload form for a file, without its content.

    Invalid metadata fields are sent unchanged: the checks report them, and the index decides. Fields that
    cannot be parsed are omitted.

    Raises:
        Rejected: its metadata cannot be read, or lacks a required field.
    """
    if staged.file.kind is Kind.VARIANTS:
        raise Rejected(
            f"{staged.filename} cannot be uploaded: indexes do not accept lists of variants.",
            hint="Publish it to a directory or bucket, with its variant wheels (PEP 825).",
        )
    text = metadata_of(staged)
    if not text:
        raise _refused(staged, "its metadata is missing or cannot be read")
    raw = parse_core_metadata(text).raw
    if missing := [name for field, name in REQUIRED.items() if not raw.get(field)]:
        raise _refused(staged, f"its metadata has no valid {' and no '.join(missing)}")
    metadata_fields = [*_metadata_fields(raw)]
    if not any(name == "requires_python" for name, _ in metadata_fields):
        metadata_fields.append(("requires_python", ""))  # GitLab rejects a form without it
    return [
        (":action", "file_upload"),
        ("protocol_version", "1"),
        *metadata_fields,
        ("pyversion", _pyversion(staged)),
        ("filetype", "bdist_wheel" if staged.file.kind is Kind.WHEEL else "sdist"),
        ("sha256_digest", staged.sha256),
        *_signature(staged),
        *_attestations(staged),
    ]


def _metadata_fields(raw: RawMetadata) -> Iterator[tuple[str, str]]:
    predates_import_names = is_older(raw["metadata_version"], "2.5")
    for field, value in raw.items():
        name = RENAMED.get(field, field)
        if field.startswith("import_") and predates_import_names:
            continue  # in older metadata, these fields do not have the meaning of PEP 794
        if field == "name":
            yield name, display_name(str(value))
        elif isinstance(value, dict):
            yield from ((name, f"{label}, {url}") for label, url in value.items())
        elif isinstance(value, list):
            items = [", ".join(value)] if field == "keywords" else value
            yield from ((name, item) for item in items)
        else:
            yield name, str(value)


def display_name(name: str) -> str:
    """Return the project's name as twine sends it; PyPI displays the name of the latest upload.

    >>> display_name("Foo_bar.baz")
    'Foo-bar.baz'
    """
    return re.sub("[^A-Za-z0-9.]+", "-", name)


def _pyversion(staged: StagedFile) -> str:
    """Return the Python tag of a wheel's filename."""
    return wheel_parts(staged.filename).tags.partition("-")[0] if staged.file.kind is Kind.WHEEL else "source"


def _signature(staged: StagedFile) -> Iterator[tuple[str, Any]]:
    for companion in staged.companions:
        if companion.suffix == ".asc":
            yield "gpg_signature", (staged.filename + companion.suffix, companion.content)
            return


def _attestations(staged: StagedFile) -> Iterator[tuple[str, str]]:
    """Yield the field with the attestations as one JSON list (PEP 740)."""
    if attestations := attestations_of(staged):
        yield "attestations", json.dumps([json.loads(file.content) for file in attestations])


def _refused(staged: StagedFile, reason: str) -> Rejected:
    return Rejected(f"{staged.filename} cannot be uploaded: {reason}.", hint="Build it again.")
