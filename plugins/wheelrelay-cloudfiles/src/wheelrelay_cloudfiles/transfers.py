"""Ask Swift for objects: read, write, look at and remove them, one request each."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urljoin

from wheelrelay.errors import AuthenticationFailed, NotFound, PermissionDenied, Rejected, Unavailable
from wheelrelay.http import HttpClient, Response, display_url
from wheelrelay_cloudfiles.account import Access, Account
from wheelrelay_cloudfiles.bodies import Body, WithLastLook
from wheelrelay_cloudfiles.errors import raise_for

_PLAIN = {"Accept-Encoding": "identity"}
"""Sent with every request: what comes is to be the object's own bytes."""


_NOT_SAID = (NotFound, PermissionDenied, AuthenticationFailed, Rejected)
"""What a cluster answers that does not tell everybody about itself."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a cluster takes; by default, where the cluster does not say, what Swift comes with.

    Attributes:
        size: the most bytes that an object may have.
        joins: whether larger objects can be made of segments.
    """

    size: int = 5 * 2**30 + 2
    joins: bool = True


class Transfers:
    """Requests about objects, with the account's token.

    A path here is what follows the account's address, as it is named: ``/container/name``.

    Args:
        account: whose token is sent.
        http: what it is sent with.
    """

    def __init__(self, account: Account, http: HttpClient) -> None:
        self._account = account
        self._http = http
        self._lock = threading.Lock()
        self._limits: Limits | None = None

    def ask(
        self,
        stack: ExitStack,
        method: str,
        path: str,
        *,
        query: str = "",
        headers: Mapping[str, str] | None = None,
        body: Body | None = None,
        last_look: Callable[[], None] | None = None,
    ) -> Response:
        """One request; its answer's body may be read until ``stack`` is closed.

        Args:
            stack: closes the connection.
            method: as ``GET``.
            path: of what.
            query: what follows the question mark, if anything does.
            headers: beyond the token.
            body: bytes to send, opened anew should the token be renewed.
            last_look: called before the last bytes are sent; what it raises leaves nothing written.

        Raises:
            WheelrelayError: the answer is not success; see `wheelrelay_cloudfiles.errors`.
        """
        address = quote(path) + (f"?{query}" if query else "")

        def once(access: Access) -> Response:
            with ExitStack() as attempt:
                stream: Any = attempt.enter_context(body.open()) if body else None
                answer = attempt.enter_context(
                    self._http.send(
                        method,
                        access.storage_url + address,
                        headers={**_PLAIN, **(headers or {}), "X-Auth-Token": access.token},
                        body=WithLastLook(stream, last_look) if body and last_look else stream,
                    )
                )
                if method != "GET" or not answer.is_success:
                    answer.content  # noqa: B018  (it is short, and a connection with unread bytes is not kept)
                raise_for(answer)
                stack.push(attempt.pop_all())
                return answer

        return self._account.using(once)

    def head(self, path: str) -> Mapping[str, str]:
        """The headers of an object.

        Raises:
            NotFound: it is not there.
        """
        with ExitStack() as stack:
            return self.ask(stack, "HEAD", path).headers

    def put(
        self,
        path: str,
        body: Body,
        headers: Mapping[str, str],
        *,
        last_look: Callable[[], None] | None = None,
    ) -> str:
        """Write an object; Swift compares the digest and shows the object only if it agrees.

        Returns:
            The ETag.

        Raises:
            AlreadyExists: a condition in ``headers`` does not hold.
            DigestMismatch: other bytes arrived; nothing was written.
            Unavailable: the cluster does not find the container, which must be there.
        """
        return self._write(path, body, {**headers, "ETag": body.md5()}, last_look=last_look)

    def join(self, path: str, manifest: Body, headers: Mapping[str, str]) -> str:
        """Make an object of segments that are there.

        Args:
            path: of the object.
            manifest: names the segments, as Swift's static large objects do.
            headers: of the object.

        Returns:
            The ETag of the whole.

        Raises:
            WheelrelayError: as for `put`.
        """
        return self._write(path, manifest, headers, query="multipart-manifest=put")

    def _write(self, path: str, body: Body, headers: Mapping[str, str], **how: Any) -> str:
        with ExitStack() as stack, self._expected_container(path):
            answer = self.ask(stack, "PUT", path, headers=headers, body=body, **how)
            return answer.headers.get("Etag", "")

    @contextmanager
    def _expected_container(self, path: str) -> Iterator[None]:
        """Read a 404 as a proxy means it: it did not hear about the container, for whatever reason."""
        try:
            yield
        except NotFound as error:
            raise Unavailable(
                f"{display_url(self._account.access().storage_url + quote(path))} cannot be written: "
                "the cluster does not find its container just now."
            ) from error

    def delete(self, path: str) -> None:
        """Remove an object, if it is there."""
        with ExitStack() as stack:
            try:
                self.ask(stack, "DELETE", path)
            except NotFound:
                return

    def limits(self) -> Limits:
        """What the cluster takes; it is asked once."""
        with self._lock:
            if self._limits is None:
                self._limits = self._ask_limits()
            return self._limits

    def _ask_limits(self) -> Limits:
        with self._http.send("GET", urljoin(self._account.access().storage_url, "/info")) as answer:
            try:
                raise_for(answer)
                said = answer.json()
                return Limits(int(said["swift"]["max_file_size"]), joins="slo" in said)
            except (*_NOT_SAID, ValueError, KeyError, TypeError):
                return Limits()
