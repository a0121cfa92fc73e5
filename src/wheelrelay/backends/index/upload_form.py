"""The form of the legacy upload API: the fields that describe a file, and the body that carries it.

The fields are those that twine sends, made without reading the archive if it was looked into already.
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
from wheelrelay.model import Companion, Kind, wheel_parts
from wheelrelay.signing import attestations_of
from wheelrelay.staged import StagedFile, StagedStream

RENAMED = {
    "platforms": "platform",
    "supported_platforms": "supported_platform",
    "license_files": "license_file",
    "import_names": "import_name",
    "import_namespaces": "import_namespace",
}
"""Fields that the form calls otherwise than `packaging` does; all others have one name."""

REQUIRED = {"metadata_version": "Metadata-Version", "name": "Name", "version": "Version"}
"""Fields without which no index accepts a form."""


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

    Fields of the metadata that are not valid are sent as they are: whether they are accepted is for the
    index to decide, and for the checks to know beforehand. Fields that cannot be read are left out.

    Raises:
        Rejected: its metadata cannot be read, or lack a field that every form needs.
    """
    if staged.file.kind is Kind.VARIANTS:
        raise Rejected(
            f"{staged.filename} cannot be uploaded: indexes take no lists of variants.",
            hint="Publish it to a directory or a bucket, with its variant wheels (PEP 825).",
        )
    text = metadata_of(staged)
    if not text:
        raise _refused(staged, "its metadata are missing or cannot be read")
    raw = parse_core_metadata(text).raw
    if missing := [name for field, name in REQUIRED.items() if not raw.get(field)]:
        raise _refused(staged, f"its metadata have no valid {' and no '.join(missing)}")
    described = [*_metadata_fields(raw)]
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


def _metadata_fields(raw: RawMetadata) -> Iterator[tuple[str, str]]:
    no_imports = is_older(raw["metadata_version"], "2.5")
    for field, value in raw.items():
        name = RENAMED.get(field, field)
        if field.startswith("import_") and no_imports:
            continue  # these metadata are older than the fields (PEP 794), which they cannot mean
        if field == "name":
            yield name, display_name(str(value))
        elif isinstance(value, dict):
            yield from ((name, f"{label}, {url}") for label, url in value.items())
        elif isinstance(value, list):
            yield from ((name, one) for one in ([", ".join(value)] if field == "keywords" else value))
        else:
            yield name, str(value)


def display_name(name: str) -> str:
    """The project's name as twine sends it; PyPI shows the project under the name that was sent last.

    >>> display_name("Foo_bar.baz")
    'Foo-bar.baz'
    """
    return re.sub("[^A-Za-z0-9.]+", "-", name)


def _pyversion(staged: StagedFile) -> str:
    """The tag of a wheel's Python, as it stands in the filename."""
    return wheel_parts(staged.filename).tags.partition("-")[0] if staged.file.kind is Kind.WHEEL else "source"


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
