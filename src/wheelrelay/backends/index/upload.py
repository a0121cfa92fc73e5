"""The legacy upload API: what twine knows of it, and our own way of sending.

Taken from twine, here alone: the metadata of a distribution, the form's fields, and the addresses of PyPI
and TestPyPI. The sending is ours: one pass over the bytes, in large blocks, from a file whose digest is
known already.
"""

import tarfile
import uuid
import zipfile
import zlib
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from packaging.metadata import RawMetadata
from pypi_simple import PYPI_SIMPLE_ENDPOINT
from twine import exceptions
from twine.package import PackageFile
from twine.repository import TEST_WAREHOUSE, Repository
from twine.utils import DEFAULT_REPOSITORY, TEST_REPOSITORY
from urllib3.filepost import encode_multipart_formdata

from wheelrelay.errors import AlreadyExists, Rejected
from wheelrelay.http import HttpClient, Response, raise_for, shown
from wheelrelay.model import Companion
from wheelrelay.staged import StagedFile, StagedStream

UNREADABLE = (ValueError, KeyError, EOFError, OSError, zlib.error, zipfile.BadZipFile, tarfile.TarError)
"""What twine lets through when an archive is damaged or holds no metadata."""


class Presets:
    """The addresses of PyPI and TestPyPI."""

    PYPI_SIMPLE = PYPI_SIMPLE_ENDPOINT
    PYPI_UPLOAD = DEFAULT_REPOSITORY
    TESTPYPI_SIMPLE = urljoin(TEST_WAREHOUSE, "simple/")
    TESTPYPI_UPLOAD = TEST_REPOSITORY


class _KnownDigest(PackageFile):
    """What twine says of a file, without reading the file once more for digests that are known."""

    def __init__(  # twine calls it with these five; its own would hash the file
        self, filename: str, comment: str | None, metadata: RawMetadata, python_version: str, filetype: str
    ) -> None:
        self.filename = filename
        self.basefilename = Path(filename).name
        self.comment = comment
        self.metadata = metadata
        self.python_version = python_version
        self.filetype = filetype
        self.safe_name = metadata["name"]
        self.version = metadata["version"]
        self.gpg_signature: tuple[str, bytes] | None = None
        self.attestations = None
        self.sha2_digest: str | None = None
        self.blake2_256_digest: str | None = None


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


def upload(http: HttpClient, url: str, staged: StagedFile) -> None:
    """Send one file with its signature to an index.

    Raises:
        AlreadyExists: the index says so by its status (409); others answer 400 or 403, and mean many things.
        ChangedWhileReading: the local file was touched.
        Rejected: the index refuses the file, in its own words; or the file is no distribution.
        BackendError: as `wheelrelay.http.raise_for` maps the answer.
        Unavailable: also when no answer came; the index may have taken the file all the same.
    """
    with staged.open():  # a file that was touched must not be taken for one that was built badly
        fields = form_fields(staged)
    answer = _send(http, url, fields, staged)
    if answer.status_code in (401, 403) and http.renew_credentials(answer):  # PyPI: 403 if one has expired
        answer = _send(http, url, fields, staged)
    _raise_for_upload(answer, staged.filename)


def form_fields(staged: StagedFile) -> list[tuple[str, Any]]:
    """The fields of the upload form for a file, apart from its content.

    Raises:
        Rejected: its metadata cannot be read, or is not valid.
    """
    try:
        package = _KnownDigest.from_filename(str(staged.path), None)
    except (exceptions.TwineException, *UNREADABLE) as error:
        reason = str(error).strip().rstrip(".")
        raise Rejected(f"{staged.filename} cannot be uploaded: {reason}.", hint="Build it again.") from error
    package.sha2_digest = staged.sha256
    package.gpg_signature = _signature(staged)
    fields = Repository._convert_metadata_to_list_of_tuples(package.metadata_dictionary())  # noqa: SLF001
    if not any(name == "requires_python" for name, _ in fields):
        fields.append(("requires_python", ""))  # GitLab's index refuses a form without it
    return [(":action", "file_upload"), ("protocol_version", "1"), *fields]


def _send(http: HttpClient, url: str, fields: list[tuple[str, Any]], staged: StagedFile) -> Response:
    with staged.open() as stream:
        body = FormBody(fields, staged.filename, stream)
        return http.post(url, body=body, headers={"Content-Type": body.content_type})


def _signature(staged: StagedFile) -> tuple[str, bytes] | None:
    signature = next((found for found in staged.companions if found.suffix == ".asc"), None)
    return (_name(staged, signature), signature.content) if signature else None


def _name(staged: StagedFile, companion: Companion) -> str:
    return staged.filename + companion.suffix


def _raise_for_upload(answer: Response, filename: str) -> None:
    if answer.status_code == 409:
        raise AlreadyExists(f"{shown(answer.url)} has a file {filename} already.")
    if answer.is_redirect:
        target = urljoin(answer.url, answer.headers["Location"])
        raise Rejected(
            f"{shown(answer.url)} redirects uploads to {shown(target)}.",
            status=answer.status_code,
            hint="Give that address as upload_url if you trust it.",
        )
    raise_for(answer)
