"""Upload a file: stage it, post it to the storage, and commit it."""

import hashlib
import re
import uuid
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from wheelrelay import StagedFile
from wheelrelay.errors import BackendError, Rejected, Unavailable
from wheelrelay.http import Response, display_url, retry_after, sanitized
from wheelrelay.protocols import ByteStream
from wheelrelay_anaconda.api import AnacondaApi
from wheelrelay_anaconda.documents import new_file

MAX_MESSAGE = 1 << 14
"""Bytes of the storage's response that are searched for a message."""

TEMPORARY = ("RequestTimeout", "SlowDown")
"""Codes with which S3 refuses a request that can be repeated."""

_FIELD = 'Content-Disposition: form-data; name="{}"'
_TAG = re.compile(r"<(Code|Message)>([^<]*)</\1>")


def upload(api: AnacondaApi, package: str, staged: StagedFile, labels: tuple[str, ...], md5: bytes) -> None:
    """Upload a file to a release that exists. It is visible only after the last step.

    Args:
        api: the API.
        package: the name of the package.
        staged: the file.
        labels: its labels.
        md5: the MD5 digest of its bytes, which the storage checks.

    Raises:
        Taken: the release has a file of this name.
        ChangedWhileReading: the local file was modified.
        BackendError: the server refused the file or failed.
    """
    parts = (package, str(staged.file.version), staged.filename)
    ticket = api.send("POST", api.url("stage", *parts), new_file(staged, labels))
    try:
        url, fields, dist_id = str(ticket["post_url"]), dict(ticket["form_data"]), ticket["dist_id"]
    except (KeyError, TypeError, ValueError) as error:
        raise BackendError("anaconda.org did not return where to upload the file.") from error
    fields |= {"Content-Length": str(staged.size), "Content-MD5": b64encode(md5).decode()}
    with staged.open() as stream:
        body = StorageForm(fields, staged.filename, stream, staged.size)
        with api.post_to_storage(url, body, body.content_type) as response:
            _raise_for_storage(response, staged.filename)
    api.send("POST", api.url("commit", *parts), {"dist_id": dist_id})


def md5_of(staged: StagedFile) -> bytes:
    """Return the MD5 digest of a file, which is read to its end.

    Raises:
        ChangedWhileReading: the file was modified.
    """
    digest = hashlib.md5(usedforsecurity=False)
    with staged.open() as stream:
        for block in stream:
            digest.update(block)
    return digest.digest()


class StorageForm:
    """A multipart form whose last part is a file, which is read once while the form is sent.

    Args:
        fields: the other fields.
        filename: the filename in the form.
        stream: the bytes of the file.
        size: the number of these bytes.
    """

    def __init__(self, fields: Mapping[str, Any], filename: str, stream: ByteStream, size: int) -> None:
        boundary = uuid.uuid4().hex
        parts = [
            f"--{boundary}\r\n{_FIELD.format(name)}\r\n\r\n{value}\r\n" for name, value in fields.items()
        ]
        parts.append(f'--{boundary}\r\n{_FIELD.format("file")}; filename="{filename}"\r\n\r\n')
        self.content_type = f"multipart/form-data; boundary={boundary}"
        self._head = "".join(parts).encode()
        self._tail = f"\r\n--{boundary}--\r\n".encode()
        self._stream = stream
        self._left = len(self._head) + size + len(self._tail)

    def __len__(self) -> int:
        """Return the number of bytes that have not been read yet."""
        return self._left

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, at most ``size`` and perhaps fewer; empty at the end."""
        limit = self._left if size < 0 else size
        if self._head:
            block, self._head = self._head[:limit], self._head[limit:]
        else:
            block = self._stream.read(limit)
            if not block:
                block, self._tail = self._tail[:limit], self._tail[limit:]
        self._left -= len(block)
        return block


def _raise_for_storage(response: Response, filename: str) -> None:
    """Raise the error for a form that the storage did not accept.

    Its 403 is about the form, which the API signed, and not about the token.
    """
    if response.is_success:
        return
    status = response.status_code
    body = response.peek(MAX_MESSAGE).decode("utf-8", "replace")
    found = {tag: sanitized(text) for tag, text in _TAG.findall(body)}
    reason = ": ".join(found[tag] for tag in ("Code", "Message") if found.get(tag)) or response.reason
    message = f"The storage at {display_url(response.url)} refused {filename} with {status}: {reason}."
    if status in (408, 425, 429) or status >= 500 or found.get("Code") in TEMPORARY:
        raise Unavailable(message, retry_after=retry_after(response))
    hint = "The file may be too large for anaconda.org." if "Large" in reason or status == 413 else ""
    raise Rejected(message, status=status, hint=hint)
