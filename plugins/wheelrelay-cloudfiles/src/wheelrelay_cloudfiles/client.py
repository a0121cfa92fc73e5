"""Send requests about objects to Swift: read, write, inspect and delete them, one request each."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urljoin

from wheelrelay.errors import AuthenticationFailed, NotFound, PermissionDenied, Rejected, Unavailable
from wheelrelay.http import HttpClient, Response, display_url
from wheelrelay_cloudfiles.account import Access, Account
from wheelrelay_cloudfiles.errors import raise_for
from wheelrelay_cloudfiles.streams import Body, CheckedBeforeEnd

_IDENTITY = {"Accept-Encoding": "identity"}
"""Sent with every request: answers must be the object's own bytes, without compression."""

_UNDISCLOSED = (NotFound, PermissionDenied, AuthenticationFailed, Rejected)
"""Answers of clusters that do not publish their limits."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a cluster; by default those of Swift's own default configuration.

    Attributes:
        max_size: Largest object in bytes.
        has_large_objects: Whether larger objects can be composed of segments.
        has_archives: Whether an archive can be uploaded whose members become objects.
    """

    max_size: int = 5 * 2**30 + 2
    has_large_objects: bool = True
    has_archives: bool = False


class SwiftClient:
    """Sends requests about objects, with the account's token.

    Paths follow the account's address and are not quoted: ``/container/name``.

    Args:
        account: The account.
        http: The HTTP client.
    """

    def __init__(self, account: Account, http: HttpClient) -> None:
        self._account = account
        self._http = http
        self._lock = threading.Lock()
        self._limits: Limits | None = None

    def clock_offset(self) -> float | None:
        """Return the seconds by which the local clock is ahead of the server's."""
        return self._http.clock.offset()

    def request(
        self,
        stack: ExitStack,
        method: str,
        path: str,
        *,
        query: str = "",
        headers: Mapping[str, str] | None = None,
        body: Body | None = None,
        last_check: Callable[[], None] | None = None,
    ) -> Response:
        """Send one request; the answer's body can be read until ``stack`` is closed.

        Args:
            stack: Closes the connection.
            method: HTTP method, such as ``GET``.
            path: Path of the object.
            query: Query of the address, without the question mark.
            headers: Headers in addition to the token.
            body: Bytes to send; opened again if the token is renewed.
            last_check: Called before the last bytes are sent. If it raises, nothing is written.

        Raises:
            WheelrelayError: The answer is not a success; see `wheelrelay_cloudfiles.errors`.
        """
        address = quote(path) + (f"?{query}" if query else "")

        def send(access: Access) -> Response:
            with ExitStack() as attempt:
                stream: Any = attempt.enter_context(body.open()) if body else None
                answer = attempt.enter_context(
                    self._http.send(
                        method,
                        access.storage_url + address,
                        headers={**_IDENTITY, **(headers or {}), "X-Auth-Token": access.token},
                        body=CheckedBeforeEnd(stream, last_check) if body and last_check else stream,
                    )
                )
                if method != "GET" or not answer.is_success:
                    # Read the short body: a connection with unread bytes cannot be reused.
                    answer.content  # noqa: B018
                raise_for(answer)
                stack.push(attempt.pop_all())
                return answer

        return self._account.call(send)

    def head(self, path: str, *, newest: bool = False) -> Mapping[str, str]:
        """Return the headers of an object.

        Args:
            path: Path of the object.
            newest: Compare all replicas and return the newest; an old replica may answer otherwise.

        Raises:
            NotFound: There is no such object.
        """
        with ExitStack() as stack:
            return self.request(stack, "HEAD", path, headers=newest_headers(newest=newest)).headers

    def put(
        self,
        path: str,
        body: Body,
        headers: Mapping[str, str],
        *,
        last_check: Callable[[], None] | None = None,
    ) -> str:
        """Write an object, and return its ETag; Swift shows the object only if its md5 matches.

        Raises:
            AlreadyExists: A condition in ``headers`` is not met.
            DigestMismatch: Other bytes arrived; nothing was written.
            Unavailable: The cluster does not find the container, although it exists.
        """
        return self._write(path, body, {**headers, "ETag": body.md5()}, last_check=last_check)

    def put_manifest(self, path: str, manifest: Body, headers: Mapping[str, str]) -> str:
        """Compose an object of existing segments, and return the ETag of the whole.

        Args:
            path: Path of the object.
            manifest: The list of segments, as Swift's static large objects define it.
            headers: Headers of the object.

        Raises:
            WheelrelayError: As for `put`.
        """
        return self._write(path, manifest, headers, query="multipart-manifest=put")

    def _write(self, path: str, body: Body, headers: Mapping[str, str], **options: Any) -> str:
        with ExitStack() as stack, self._container_must_exist(path):
            answer = self.request(stack, "PUT", path, headers=headers, body=body, **options)
            return answer.headers.get("Etag", "")

    @contextmanager
    def _container_must_exist(self, path: str) -> Iterator[None]:
        """Map a 404 to a temporary failure.

        A proxy answers 404 to a PUT if it cannot find the container at the moment, for example while the
        container servers are slow.
        """
        try:
            yield
        except NotFound as error:
            raise Unavailable(
                f"{display_url(self._account.access().storage_url + quote(path))} cannot be written: "
                "the cluster does not find the container at the moment."
            ) from error

    def put_archive(self, folder: str, archive: bytes, content_type: str) -> Mapping[str, Any]:
        """Upload a tar archive whose members become objects, and return the cluster's report.

        Args:
            folder: Path of the folder for the objects.
            archive: The archive.
            content_type: Media type of all objects.

        Raises:
            BackendError: The cluster refused or failed.
            ValueError: The report is malformed.
        """
        headers = {"Accept": "application/json", "Content-Type": content_type}
        with ExitStack() as stack:
            answer = self.request(
                stack, "PUT", folder, query="extract-archive=tar", headers=headers, body=Body.of(archive)
            )
            report: Mapping[str, Any] = answer.json()
            return report

    def delete(self, path: str) -> None:
        """Delete an object if it exists."""
        with ExitStack() as stack:
            try:
                self.request(stack, "DELETE", path)
            except NotFound:
                return

    def limits(self) -> Limits:
        """Return the limits of the cluster; requested once."""
        with self._lock:
            if self._limits is None:
                self._limits = self._request_limits()
            return self._limits

    def _request_limits(self) -> Limits:
        with self._http.send("GET", urljoin(self._account.access().storage_url, "/info")) as answer:
            try:
                raise_for(answer)
                info = answer.json()
                return Limits(
                    int(info["swift"]["max_file_size"]),
                    has_large_objects="slo" in info,
                    has_archives="bulk_upload" in info,
                )
            except (*_UNDISCLOSED, ValueError, KeyError, TypeError):
                return Limits()


def newest_headers(*, newest: bool) -> dict[str, str]:
    """Return the header that makes Swift compare all replicas, if requested."""
    return {"X-Newest": "true"} if newest else {}
