"""Send small uploads without botocore, which needs more CPU time for a request than the server does.

botocore sends the first upload into a bucket. It knows endpoints, regions, kinds of signatures and much
more. Its request is then made again here. If both are equal, byte by byte, later uploads are made here alone;
otherwise botocore sends all of them.

botocore also repeats a request that was answered with a redirect or with status 400, such as for another
region.
"""

import re
import threading
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from time import gmtime, strftime
from typing import Any
from urllib.parse import quote, urlsplit

from botocore.awsrequest import AWSResponse
from botocore.endpoint import convert_to_response_dict
from botocore.exceptions import ClientError
from botocore.parsers import create_parser

from wheelrelay_s3.sigv4 import Keys, sign
from wheelrelay_s3.transport import Transport

_OPERATION = "PutObject"

_HEADERS = {
    "ChecksumSHA256": "x-amz-checksum-sha256",
    "ContentType": "content-type",
    "IfMatch": "if-match",
    "IfNoneMatch": "if-none-match",
    "RequestPayer": "x-amz-request-payer",
}
"""Headers by parameter. botocore sends uploads with other parameters."""

_PARAMETERS = {*_HEADERS, "Body", "Bucket", "Key", "Metadata"}

_ANSWERED = {"ETag": "etag", "ChecksumSHA256": "x-amz-checksum-sha256"}
"""Headers of an answer, by botocore's name."""

_TIME_FORMAT = "%Y%m%dT%H%M%SZ"

_UNSIGNED = {"amz-sdk-invocation-id", "amz-sdk-request", "content-length", "expect", "user-agent"}
"""Headers of botocore's requests that are not signed, and that the HTTP client adds or no server needs."""

_SCOPE = re.compile(r"AWS4-HMAC-SHA256 Credential=[^/]+/\d{8}/([^/]+)/s3/aws4_request, ")
"""The start of a signature that can be made here; the group is the region."""

_DOUBTFUL_KEY = re.compile(r"(^|/)(/|\.{1,2}(/|$))")
"""Keys whose path some HTTP clients would change."""


@dataclass(frozen=True, slots=True)
class BucketAddress:
    """Where uploads into a bucket are sent, and for which region they are signed.

    Attributes:
        origin: The scheme and the host of the URL.
        folder: The path of the URL up to the key.
        region: The region.
    """

    origin: str
    folder: str
    region: str

    def signed(self, keys: Keys, parameters: Mapping[str, Any], time: str) -> tuple[str, dict[str, str]]:
        """Return the URL and the headers of an upload; the HTTP client adds ``Host``.

        Args:
            keys: The keys that sign.
            parameters: The parameters of ``put_object``.
            time: The time in UTC, such as ``20261129T083000Z``.
        """
        key = quote(parameters["Key"], safe="/~")
        headers = {header: parameters[name] for name, header in _HEADERS.items() if name in parameters}
        for name, value in parameters.get("Metadata", {}).items():
            headers[f"x-amz-meta-{name.lower()}"] = value
        headers["host"] = self.origin.partition("://")[2]
        body_sha256 = b64decode(parameters["ChecksumSHA256"]).hex()
        path = f"{self.folder}{key}"
        signed = sign(keys, self.region, "PUT", path, headers, body_sha256, time)
        del signed["host"]
        return f"{self.origin}{path}", signed


class DirectUploads:
    """Sends the uploads of one session; any number of threads can use it.

    Args:
        client: The client of botocore.
        transport: Sends the requests of both.
        keys: Returns the keys that are valid now; ``None`` if requests are not signed.
    """

    def __init__(self, client: Any, transport: Transport, keys: Callable[[], Keys] | None) -> None:
        self._client = client
        self._transport = transport
        self._keys = keys
        self._addresses: dict[str, BucketAddress | None] = {}
        self._last = threading.local()
        client.meta.events.register_first(f"before-send.s3.{_OPERATION}", self._remember)

    def put(self, **parameters: Any) -> Mapping[str, Any]:
        """Write an object, and return the answer, both with botocore's names.

        Raises:
            ClientError: The server refused.
            WheelrelayError: No answer arrived.
        """
        if self._keys is None or not _is_plain(parameters):
            return self._put_by_botocore(parameters)
        bucket: str = parameters["Bucket"]
        address = self._addresses.get(bucket)
        if address is not None:
            answer = self._send(address, self._keys(), parameters)
            if answer is not None:
                return answer
        answer = self._put_by_botocore(parameters)
        if address is not None or bucket not in self._addresses:
            self._learn(bucket, address, parameters)
        return answer

    def _learn(self, bucket: str, failed: BucketAddress | None, parameters: Mapping[str, Any]) -> None:
        """Find out from the last request of botocore how to send the next upload."""
        assert self._keys is not None
        keys, request = self._keys(), self._last.request
        if f"Credential={keys.access_key}/" in _text(request.headers.get("Authorization", "")):
            address = _address_of(request, keys, parameters)
            # Where only botocore succeeds, there is something that is not known here.
            self._addresses[bucket] = None if address == failed else address

    def _put_by_botocore(self, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        answer: Mapping[str, Any] = self._client.put_object(**parameters)
        return answer

    def _remember(self, request: Any, **_: object) -> None:
        """Remember the last request of botocore in this thread."""
        self._last.request = request

    def _send(
        self, address: BucketAddress, keys: Keys, parameters: Mapping[str, Any]
    ) -> Mapping[str, Any] | None:
        """Send an upload, and return the answer; ``None`` if botocore has to repeat it."""
        url, headers = address.signed(keys, parameters, strftime(_TIME_FORMAT, gmtime()))
        answer = self._transport.exchange(_OPERATION, "PUT", url, headers, parameters["Body"])
        if 300 <= answer.status_code <= 400:
            return None
        if not 200 <= answer.status_code < 300:
            raise self._refusal(AWSResponse(url, answer.status_code, answer.headers, _Body(answer.body)))
        return {
            name: answer.headers[header] for name, header in _ANSWERED.items() if header in answer.headers
        }

    def _refusal(self, answer: AWSResponse) -> ClientError:
        """Return the exception that botocore raises for an answer."""
        model = self._client.meta.service_model
        operation = model.operation_model(_OPERATION)
        parsed = create_parser(model.metadata["protocol"]).parse(
            convert_to_response_dict(answer, operation), operation.output_shape
        )
        return ClientError(parsed, _OPERATION)


class _Body:
    """A body that was read, as botocore reads it."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self) -> Iterator[bytes]:
        """Yield the whole body."""
        yield self._content


def _is_plain(parameters: Mapping[str, Any]) -> bool:
    """Whether all parameters of an upload are known here."""
    return (
        isinstance(parameters["Body"], bytes)
        and "ChecksumSHA256" in parameters
        and parameters.keys() <= _PARAMETERS
        and not _DOUBTFUL_KEY.search(parameters["Key"])
    )


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _address_of(request: Any, keys: Keys, parameters: Mapping[str, Any]) -> BucketAddress | None:
    """Return how to make a request of botocore; ``None`` if it cannot be made here."""
    headers = {name.lower(): _text(value) for name, value in request.headers.items()}
    scope = _SCOPE.match(headers.get("authorization", ""))
    key = quote(parameters["Key"], safe="/~")
    if scope is None or not request.url.endswith(f"/{key}"):
        return None
    parts = urlsplit(request.url)
    address = BucketAddress(f"{parts.scheme}://{parts.netloc}", parts.path.removesuffix(key), scope[1])
    made = address.signed(keys, parameters, headers["x-amz-date"])
    expected = {name: value for name, value in headers.items() if name not in _UNSIGNED}
    return address if made == (request.url, expected) else None
