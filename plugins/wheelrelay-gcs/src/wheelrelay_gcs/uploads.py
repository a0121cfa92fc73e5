"""Write an object: in one request if it is small, in parts if it is large; whole or not at all, and verified.

Google compares the CRC32C that is sent with a small object, and with the last part of a large one, and
refuses other bytes. Its CRC32C of the whole is also compared here. Memory holds one part at a time.

The condition applies when the object becomes visible, also to an upload in parts.
"""

import base64
import hashlib
import json
import re
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from google_crc32c import Checksum

from wheelrelay import StagedFile
from wheelrelay.containers import send_part
from wheelrelay.errors import BackendError, DigestMismatch, NotFound, Unavailable, WheelrelayError
from wheelrelay.http import Response, is_same_host, is_secure
from wheelrelay_gcs.bucket import Bucket
from wheelrelay_gcs.errors import RESUME, parsing

PART = 8 << 20
"""Bytes in a part; Google requires a multiple of 256 KiB."""

_RANGE = re.compile(r"bytes=0-(\d+)")


def upload(
    bucket: Bucket,
    name: str,
    content: StagedFile | bytes,
    resource: Mapping[str, Any],
    *,
    condition: Mapping[str, str],
) -> Mapping[str, Any]:
    """Write an object, and return its resource.

    Args:
        bucket: Where to write.
        name: Name of the object, below the prefix.
        content: The bytes.
        resource: Content type and metadata of the object, in the form of the API.
        condition: Parameters with the condition for the write.

    Raises:
        AlreadyExists: The condition is not met; nothing changed.
        DigestMismatch: Other bytes arrived than were staged; nothing changed.
        ChangedWhileReading: The staged file was modified; nothing changed.
        BackendError: The server refused or failed.
    """
    if isinstance(content, StagedFile) and content.size > PART:
        return _upload_in_parts(bucket, name, content, resource, condition)
    if isinstance(content, StagedFile):
        with content.open() as stream:
            body = stream.read(PART)
    else:
        body = content
    checksum = Checksum(body)
    described = {**resource, "name": bucket.key(name), "crc32c": _as_base64(checksum)}
    boundary = uuid.uuid4().hex
    answer = bucket.client.call(
        "POST",
        bucket.upload_url("multipart", condition),
        headers={**bucket.headers(), "Content-Type": f"multipart/related; boundary={boundary}"},
        body=_multipart(boundary, described, str(resource["contentType"]), body),
    )
    return _verified(bucket, name, answer, checksum)


def _multipart(boundary: str, described: Mapping[str, Any], content_type: str, body: bytes) -> bytes:
    """Return the description of an object and its bytes as one body (RFC 2387)."""
    head = (
        f"--{boundary}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n{json.dumps(described)}\r\n"
        f"--{boundary}\r\nContent-Type: {content_type}\r\n\r\n"
    )
    return b"".join((head.encode(), body, f"\r\n--{boundary}--\r\n".encode()))


def _upload_in_parts(
    bucket: Bucket,
    name: str,
    staged: StagedFile,
    resource: Mapping[str, Any],
    condition: Mapping[str, str],
) -> Mapping[str, Any]:
    session = _Session.begin(bucket, name, staged.size, resource, condition)
    try:
        answer, checksum = _send_parts(session, staged)
    except BaseException:
        session.cancel()
        raise
    return _verified(bucket, name, answer, checksum)


def _send_parts(session: "_Session", staged: StagedFile) -> tuple[Response, Checksum]:
    """Send the file part by part, and return the last answer and the digest of the whole.

    Raises:
        DigestMismatch: The file does not have the bytes that were staged.
    """
    checksum, sha256 = Checksum(), hashlib.sha256()
    with staged.open() as stream:
        for start in range(0, staged.size, PART):
            part = stream.read(PART)
            checksum.update(part)
            sha256.update(part)
            is_last = start + len(part) == staged.size
            if is_last and sha256.hexdigest() != staged.sha256:
                break
            hashes = {"X-Goog-Hash": f"crc32c={_as_base64(checksum)}"} if is_last else {}
            answer = send_part(staged, partial(session.send, start, part, hashes))
            del part  # free the memory before the next part is read
            if is_last:
                return answer, checksum
    raise DigestMismatch(f"{staged.path} does not have the bytes that were staged; nothing was written.")


@dataclass(slots=True)
class _Session:
    """One upload in parts.

    Attributes:
        bucket: Where to write.
        name: Name of the object.
        url: Address of the session, which permits writing, so that no credentials are sent with it.
        size: Bytes of the whole object.
        stored: Bytes that the server has.
        is_unknown: Whether the last request failed, so that the server must tell what it has.
    """

    bucket: Bucket
    name: str
    url: str
    size: int
    stored: int = 0
    is_unknown: bool = False

    @classmethod
    def begin(
        cls,
        bucket: Bucket,
        name: str,
        size: int,
        resource: Mapping[str, Any],
        condition: Mapping[str, str],
    ) -> "_Session":
        """Begin an upload; a name that is taken is refused here or at the end."""
        described = json.dumps({**resource, "name": bucket.key(name)}).encode()
        answer = bucket.client.call(
            "POST",
            bucket.upload_url("resumable", condition),
            headers={
                **bucket.headers(),
                "Content-Type": "application/json; charset=UTF-8",
                "X-Upload-Content-Type": str(resource["contentType"]),
                "X-Upload-Content-Length": str(size),
            },
            body=described,
        )
        with parsing(answer.url):
            url = answer.headers["Location"]
            if not (is_secure(url) or is_same_host(bucket.endpoint, url)):
                raise ValueError(url)
        return cls(bucket, name, url, size)

    def send(self, start: int, part: bytes, headers: Mapping[str, str]) -> Response:
        """Send the bytes of a part that the server does not have yet.

        Args:
            start: Offset of the part in the object.
            part: The bytes.
            headers: Headers of the request.
        """
        if self.is_unknown:
            answer = self._request(b"", f"bytes */{self.size}", {})
            if answer.status_code != RESUME:
                return answer  # an earlier request completed the upload, and its answer was lost
        while self.stored < start + len(part):
            body = part[self.stored - start :] if self.stored > start else part
            span = f"bytes {self.stored}-{start + len(part) - 1}/{self.size}"
            before = self.stored
            answer = self._request(body, span, headers)
            if answer.status_code != RESUME:
                break
            if self.stored <= before:
                raise Unavailable(
                    f"{self.bucket.address_of(self.name)}: the server stored nothing of a part."
                )
        return answer

    def cancel(self) -> None:
        """Discard what the server has; it does so itself after a week."""
        with suppress(WheelrelayError):  # the first error is the one to report
            self._call("DELETE", None, {})

    def _request(self, body: bytes, span: str, headers: Mapping[str, str]) -> Response:
        self.is_unknown = True
        answer = self._call("PUT", body, {**headers, "Content-Range": span})
        if answer.status_code == RESUME:
            found = _RANGE.fullmatch(answer.headers.get("Range", ""))
            self.stored = int(found[1]) + 1 if found else 0
        self.is_unknown = False
        return answer

    def _call(self, method: str, body: bytes | None, headers: Mapping[str, str]) -> Response:
        try:
            return self.bucket.client.without_credentials().call(method, self.url, headers=headers, body=body)
        except NotFound as error:
            raise Unavailable(
                f"{self.bucket.address_of(self.name)}: the upload has to start again: {error}"
            ) from error


def _verified(bucket: Bucket, name: str, answer: Response, checksum: Checksum) -> Mapping[str, Any]:
    """Return the resource of a new object; delete the object if the server received other bytes."""
    with parsing(answer.url):
        stored: Mapping[str, Any] = answer.json()
        generation = str(stored["generation"])
        is_same = stored["crc32c"] == _as_base64(checksum)
    if not is_same:
        with suppress(BackendError):
            bucket.delete(name, generation)
        raise DigestMismatch(f"{bucket.address_of(name)}: the server received other bytes than were sent.")
    return stored


def _as_base64(checksum: Checksum) -> str:
    return base64.b64encode(checksum.digest()).decode("ascii")
