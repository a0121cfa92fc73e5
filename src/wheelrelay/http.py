"""The one place that makes HTTP sessions: pools, timeouts, proxies, CA bundles, block sizes, errors.

Each thread has a session of its own, kept open between files. Nothing is retried here. Credentials go
to the origin that they were made for and nowhere else: not after a redirect to another host, and not
over plain HTTP unless the host is this machine or the configuration insists.
"""

import threading
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from email.utils import parsedate_to_datetime
from http.client import IncompleteRead
from ipaddress import ip_address
from pathlib import Path
from ssl import SSLCertVerificationError
from time import time
from typing import Any
from urllib.parse import urljoin, urlsplit, urlunsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from wheelrelay.errors import (
    AuthenticationFailed,
    BackendError,
    ConfigError,
    NotFound,
    PermissionDenied,
    Rejected,
    SizeMismatch,
    Unavailable,
)
from wheelrelay.staged import BLOCK

CONNECT_TIMEOUT = 15.0
"""Seconds to wait for a connection."""

READ_TIMEOUT = 120.0
"""Seconds to wait for the next bytes; an index may take this long to answer a large upload."""

SAID_BY_SERVER = 300
"""Characters of an answer that are repeated in an error."""


class _Adapter(HTTPAdapter):
    """A pool whose sockets are written in large blocks; the usual 16 KiB make uploads CPU-bound."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, blocksize=BLOCK, **options)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        return super().proxy_manager_for(proxy, blocksize=BLOCK, **options)


class _NoAuth(requests.auth.AuthBase):
    """Sends nothing, and so keeps requests from looking into ``.netrc``."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


class RenewableAuth(requests.auth.AuthBase):
    """Credentials that may have changed since they were read: a token expires, a secret is rotated."""

    def renew(self, refusal: requests.Response) -> bool:
        """Read the credentials again after an answer that did not accept them.

        Returns:
            Whether there are others now, so that trying again makes sense.

        Raises:
            AuthenticationFailed: there are none; says more than the answer does.
        """
        raise NotImplementedError


class _Session(requests.Session):
    """A session that drops credentials when a redirect leads where they must not go."""

    def __init__(self, may_carry: Callable[[str], bool]) -> None:
        super().__init__()
        self._may_carry = may_carry

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        super().rebuild_auth(prepared_request, response)  # type: ignore[no-untyped-call]
        if not self._may_carry(prepared_request.url or ""):
            prepared_request.headers.pop("Authorization", None)


class HttpClient:
    """HTTP for one remote, for any number of threads.

    Args:
        auth: puts credentials on a request; asked for each request to one of ``origins``.
        origins: URLs to whose scheme, host and port the credentials belong.
        ca_cert: path of a CA bundle to trust instead of the usual one.
        client_cert: path of a client certificate with its key.
        allow_insecure: send credentials over plain HTTP to other machines too.

    Raises:
        ConfigError: a certificate is not where it is said to be.
    """

    def __init__(
        self,
        *,
        auth: requests.auth.AuthBase | None = None,
        origins: tuple[str, ...] = (),
        ca_cert: str | None = None,
        client_cert: str | None = None,
        allow_insecure: bool = False,
    ) -> None:
        for path in (ca_cert, client_cert):
            if path and not Path(path).exists():
                raise ConfigError(f"The certificate {path} is not there.")
        self._auth = auth
        self._origins = {origin_of(url) for url in origins}
        self._ca_cert = ca_cert
        self._client_cert = client_cert
        self._allow_insecure = allow_insecure
        self._local = threading.local()
        self._sessions: list[requests.Session] = []
        self._lock = threading.Lock()

    @contextmanager
    def get(
        self, url: str, *, headers: Mapping[str, str] | None = None, same_host: bool = False
    ) -> Iterator[requests.Response]:
        """Read ``url``; the body is not read yet: take ``content``, or `RawBody` for a file.

        Args:
            url: what to read.
            headers: to send with the request.
            same_host: refuse redirects to other hosts: what stands there is not this remote's content.

        Raises:
            BackendError: as `raise_for` maps it; also while the body is read within the context.
            SizeMismatch: the body ended early, likewise.
            Rejected: a redirect to another host, if those are refused.
        """
        with mapped_errors(url), self._get(url, headers or {}, same_host=same_host) as response:
            raise_for(response)
            yield response

    def post(self, url: str, *, body: Any, headers: Mapping[str, str]) -> requests.Response:
        """Send ``body`` to ``url`` and give the answer, whatever its status; redirects are not followed.

        Args:
            url: where to.
            body: bytes, or an object with ``read`` and ``__len__`` that is read once.
            headers: as usual.

        Raises:
            Unavailable: no answer came; the server may have acted all the same.
        """
        with mapped_errors(url):
            return self._session().post(
                url,
                data=body,
                headers=dict(headers),
                allow_redirects=False,
                auth=self._auth_for(url),
                verify=self._ca_cert,
                timeout=(CONNECT_TIMEOUT, READ_TIMEOUT),
            )

    @contextmanager
    def send(
        self, method: str, url: str, *, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Iterator[requests.Response]:
        """Ask for anything, and give the answer, whatever its status; its body is not read yet.

        Redirects are not followed, and the only credentials sent are those in ``headers``.

        Args:
            method: as ``PUT``.
            url: of what.
            body: bytes, or an object with ``read`` and ``__len__`` that is read once.
            headers: as usual.

        Raises:
            Unavailable: no answer came; the server may have acted all the same.
            SizeMismatch: the body of the answer ended early while it was read within the context.
        """
        with (
            mapped_errors(url),
            self._session().request(
                method,
                url,
                data=body,
                headers=dict(headers or {}),
                allow_redirects=False,
                auth=_NoAuth(),
                stream=True,
                verify=self._ca_cert,
                timeout=(CONNECT_TIMEOUT, READ_TIMEOUT),
            ) as response,
        ):
            yield response

    def with_auth(self, auth: requests.auth.AuthBase, *origins: str) -> "HttpClient":
        """The same connections with other credentials; closing this client closes them.

        Args:
            auth: puts credentials on a request.
            origins: URLs to whose scheme, host and port they belong.
        """
        twin = copy(self)
        twin._auth = auth  # noqa: SLF001  (of its own kind)
        twin._origins = {origin_of(url) for url in origins}  # noqa: SLF001  (likewise)
        return twin

    def renew_credentials(self, refusal: requests.Response) -> bool:
        """Whether there are other credentials after a refusal, so that sending again makes sense.

        Raises:
            AuthenticationFailed: there are some, and they may not be sent; or as `RenewableAuth.renew`.
        """
        if self._auth and not self._may_carry_credentials(refusal.url):
            raise AuthenticationFailed(
                f"{shown(refusal.url)} wants credentials, and none are sent over plain HTTP.",
                hint="Use https, or say allow_insecure = true if nobody can listen.",
            )
        auth = self._auth_for(refusal.url)
        return isinstance(auth, RenewableAuth) and auth.renew(refusal)

    def close(self) -> None:
        """Close all connections of all threads."""
        with self._lock:
            for session in self._sessions:
                session.close()
            self._sessions.clear()
            self._local = threading.local()

    def _get(self, url: str, headers: Mapping[str, str], *, same_host: bool) -> requests.Response:
        """One answer, its body unread; asked for once more if the credentials turn out to be stale."""
        options: dict[str, Any] = {
            "headers": dict(headers),
            "stream": True,
            "verify": self._ca_cert,  # given here, it wins over REQUESTS_CA_BUNDLE
            "timeout": (CONNECT_TIMEOUT, READ_TIMEOUT),
            "hooks": {"response": _refuse_to_leave} if same_host else None,
        }
        try:
            response = self._session().get(url, auth=self._auth_for(url), **options)
            if response.status_code == 401 and self.renew_credentials(response):
                response.close()
                response = self._session().get(url, auth=self._auth_for(url), **options)
        except requests.RequestException:
            raise  # some of them are ValueErrors as well
        except ValueError as error:
            raise BackendError(f"{shown(url)} redirects to what is not an address: {error}.") from error
        return response

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = self._new_session()
            with self._lock:
                self._sessions.append(session)
        return session

    def _new_session(self) -> requests.Session:
        session = _Session(self._may_carry_credentials)
        adapter = _Adapter(pool_connections=4, pool_maxsize=2, max_retries=0)
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        session.headers["User-Agent"] = _user_agent()
        if self._client_cert:
            session.cert = self._client_cert
        return session

    def _auth_for(self, url: str) -> requests.auth.AuthBase | None:
        if not self._may_carry_credentials(url):
            return _NoAuth()
        if origin_of(url) in self._origins:
            return self._auth
        return None

    def _may_carry_credentials(self, url: str) -> bool:
        return self._allow_insecure or is_private(url)


class RawBody:
    """The body of an answer as it comes over the wire: a file's own compression is not undone."""

    def __init__(self, response: requests.Response) -> None:
        self._raw = response.raw

    def read(self, size: int, /) -> bytes:
        """Up to ``size`` bytes, as soon as there are any; empty at the end."""
        block: bytes = self._raw.read1(size, decode_content=False)
        return block


def origin_of(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port: what credentials are bound to."""
    parts = urlsplit(url)
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    return parts.scheme, parts.hostname or "", port


def is_same_host(url: str, other: str) -> bool:
    """Whether ``other`` is on the host of ``url``, by the same port or by TLS instead of plain HTTP."""
    here, there = origin_of(url), origin_of(other)
    return here == there or ((here[0], there[0]) == ("http", "https") and here[1] == there[1])


def is_private(url: str) -> bool:
    """Whether nobody on the way can read along: TLS, or a connection within this machine."""
    parts = urlsplit(url)
    if parts.scheme == "https" or parts.hostname == "localhost":
        return True
    try:
        return ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False


def shown(url: str) -> str:
    """``url`` without what may be secret in it: user, password, query and fragment."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def raise_for(response: requests.Response) -> None:
    """Raise the error that the status of an answer stands for; nothing for success. See `error_for`."""
    if error := error_for(response):
        raise error


def error_for(response: requests.Response) -> BackendError | None:
    """The error that the status of an answer stands for, with the server's own words; none for success.

    `AuthenticationFailed` is 401, `PermissionDenied` 403, `NotFound` 404 and 410, `Unavailable` 408, 425, 429
    and 5xx, `Rejected` any other status that is not success; redirects too, if they were not followed.
    """
    status = response.status_code
    if 200 <= status < 300:
        return None
    told = f"{shown(response.url)} answered {status}{_words_of(response)}"
    if status == 401:
        return AuthenticationFailed(told, hint="Check the credentials of this remote.")
    if status == 403:
        return PermissionDenied(told, hint="Check what these credentials may do there.")
    if status in (404, 410):
        return NotFound(told)
    if status in (408, 425, 429) or status >= 500:
        return Unavailable(told, retry_after=retry_after(response))
    return Rejected(told, status=status)


def repeated(said: str, *secrets: str) -> str:
    r"""What a server said, fit to be repeated: short, on one line, and without what was entrusted to it.

    Args:
        said: its words.
        secrets: what was sent to it; some servers repeat that in their answers.

    >>> repeated("No such\ntoken: hunter2.", "hunter2")
    'No such token: ***'
    """
    for secret in filter(None, secrets):
        said = said.replace(secret, "***")
    plain = "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}"
        for character in " ".join(said.split())
    )
    return plain[:SAID_BY_SERVER].rstrip(".")


def retry_after(response: requests.Response) -> float | None:
    """Seconds that the server asks to wait (RFC 9110, section 10.2.3), if it does."""
    value = response.headers.get("Retry-After", "").strip()
    try:
        return (
            float(int(value))
            if value.isdigit()
            else max(0.0, parsedate_to_datetime(value).timestamp() - time())
        )
    except ValueError:
        return None


@contextmanager
def mapped_errors(url: str) -> Iterator[None]:
    """Turn what requests and urllib3 raise about ``url`` into our errors."""
    try:
        yield
    except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema) as error:
        raise ConfigError(f"{shown(url)} is not a usable address: {error}.") from error
    except (requests.RequestException, HTTPError) as error:
        if isinstance(_innermost(error), SSLCertVerificationError):
            raise BackendError(
                f"{shown(url)} could not prove who it is: {_cause(error)}.",
                hint="If it has a private certificate authority, name its bundle with ca_cert.",
            ) from error
        if _was_cut(error):
            raise SizeMismatch(f"{shown(url)} ended before all of the promised bytes had come.") from error
        raise Unavailable(f"{shown(url)} cannot be reached: {_cause(error)}.") from error


def _refuse_to_leave(response: requests.Response, **_: Any) -> None:
    target = urljoin(response.url, response.headers.get("Location", ""))
    if response.is_redirect and not is_same_host(response.url, target):
        response.close()
        raise Rejected(
            f"{shown(response.url)} redirects to another host, {urlsplit(target).hostname}, "
            "and what stands there is not its content.",
            status=response.status_code,
            hint="Name the other host itself if its content is meant, or switch the redirection off "
            "(pypiserver: --disable-fallback).",
        )


def _was_cut(error: BaseException) -> bool:
    """Whether the body ended early; urllib3 wraps this, and requests wraps it again."""
    return isinstance(error, IncompleteRead) or any(
        isinstance(inner, BaseException) and _was_cut(inner) for inner in error.args
    )


def _innermost(error: BaseException) -> BaseException:
    """What went wrong in the first place: urllib3 wraps it, and requests wraps it again."""
    while True:
        inners = [getattr(error, "reason", None), *error.args]
        inner = next((inner for inner in inners if isinstance(inner, BaseException)), None)
        if inner is None:
            return error
        error = inner


def _cause(error: BaseException) -> str:
    """The reason that a wrapped network error gives, without addresses of objects."""
    error = _innermost(error)
    said = str(error.strerror if isinstance(error, OSError) and error.strerror else error)
    return said.rpartition("object at 0x")[2].partition("): ")[2] or said.rstrip(".") or type(error).__name__


def _words_of(response: requests.Response) -> str:
    """What the server says of its refusal: the reason phrase, or the start of a text body."""
    said = response.reason or ""
    # Read in any case: with an answer that is read to its end, the connection can be used again.
    body = response.raw.read(4 * SAID_BY_SERVER, decode_content=True) if response.raw else b""
    if "html" not in response.headers.get("Content-Type", "html"):
        said = (body or response.content).decode("utf-8", "replace").strip() or said
    said = repeated(said, *_sent_secrets(response.request))
    return f": {said}." if said else "."


def _sent_secrets(request: requests.PreparedRequest) -> tuple[str, ...]:
    """The credentials that went with a request, as they stand in its header and in plain text."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme != "Basic":
        return (value,)
    return value, b64decode(value).decode("utf-8", "replace").partition(":")[2]


def _user_agent() -> str:
    from importlib.metadata import version

    return f"wheelrelay/{version('wheelrelay')} python-requests/{requests.__version__}"
