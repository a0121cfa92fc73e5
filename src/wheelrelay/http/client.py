"""HTTP for one remote: shared connections, and credentials that are sent only where they belong."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from wheelrelay.errors import (
    AuthenticationFailed,
    Unavailable,
    WheelrelayError,
)
from wheelrelay.http.auth import (
    Auth,
    basic_auth_header,
    netrc_login,
    netrc_path,
    parse_basic_auth,
    warn_if_readable_by_others,
    warn_of_netrc,
)
from wheelrelay.http.clock import ServerClock
from wheelrelay.http.connection_errors import map_errors
from wheelrelay.http.exchange import Answer
from wheelrelay.http.limits import time_limits
from wheelrelay.http.pools import Pools
from wheelrelay.http.redirects import cross_origin_redirect, keeps_credentials, redirect_target
from wheelrelay.http.response import Response
from wheelrelay.http.status_errors import raise_for_status
from wheelrelay.http.urls import (
    display_url,
    is_same_host,
    is_secure,
    origin_of,
    request_url,
)

if TYPE_CHECKING:
    from urllib3.util import Timeout

_log = logging.getLogger(__name__)

NOT_MODIFIED = 304
"""The status of a page that is the one whose entity tag was sent."""

MAX_REDIRECTS = 30
"""Redirects that are followed for one request."""

MAX_UPLOAD_RESPONSE = 1 << 16
"""Bytes of the response to an upload that are kept, for its message."""


class HttpClient:
    """An HTTP client for one remote. Any number of threads can use it and share its connections.

    Args:
        auth: provides credentials for requests to ``origins``.
        origins: URLs whose scheme, host and port the credentials belong to.
        ca_cert: path of a CA bundle to use instead of the default one.
        client_cert: path of a client certificate with its key.
        allow_insecure: send credentials over plain HTTP to the remote's own URLs, also on other machines.
        own_urls: the remote's own URLs, as configured. Pages may link anywhere else, so the client
            certificate, the default entry of netrc and credentials over plain HTTP are sent to the origins
            of these alone.
        timeout: seconds that a server may take; see `wheelrelay.http.limits`.

    Attributes:
        clock: the time of the servers that responded.

    Raises:
        ConfigError: a certificate file does not exist, or the timeout in the environment is not valid.
    """

    def __init__(
        self,
        *,
        auth: Auth | None = None,
        origins: tuple[str, ...] = (),
        ca_cert: str | None = None,
        client_cert: str | None = None,
        allow_insecure: bool = False,
        own_urls: tuple[str, ...] = (),
        timeout: float | None = None,
    ) -> None:
        self.limits = time_limits(timeout)
        self.clock = ServerClock()
        self._auth = auth
        self._auth_origins = {origin_of(url) for url in origins}
        self._own_origins = {origin_of(url) for url in (*own_urls, *origins)}
        self._allow_insecure = allow_insecure
        self._pools = Pools(ca_cert, client_cert, self.limits, self._own_origins)

    @contextmanager
    def get(
        self, url: str, *, headers: Mapping[str, str] | None = None, same_host: bool = False
    ) -> Iterator[Response]:
        """Request ``url`` and follow redirects. The body is not read yet.

        Read it with `Response.content`, or with `RawBody` for a file. A request with ``If-None-Match`` may
        be answered with the status 304 and no body (RFC 9110, section 13.1.2).

        Args:
            url: the URL.
            headers: additional headers.
            same_host: reject redirects to other hosts, whose content is not this remote's.

        Raises:
            BackendError: see `status_error`; reading the body raises as `Response.read`.
            CrossOriginRedirect: a redirect to another host, with ``same_host``.
        """
        with map_errors(url):
            response = self._get(url, headers or {}, same_host=same_host)
        # Outside map_errors: exceptions that the caller raises in the context are not connection errors.
        with response:
            if not (response.status_code == NOT_MODIFIED and "If-None-Match" in (headers or {})):
                raise_for_status(response)
            yield response

    def post(self, url: str, *, body: Any, headers: Mapping[str, str]) -> Response:
        """Send ``body`` and return the response with any status. Redirects are not followed.

        Only the start of the response's body is kept, for `Response.peek`.

        Args:
            url: the URL.
            body: bytes, or an object with ``read`` and ``__len__`` that is read once.
            headers: additional headers.

        Raises:
            Unavailable: no response arrived; the server may have processed the request anyway.
        """
        with map_errors(url):
            response = self._request("POST", url, headers, self._authorization(url), body)
        with response:
            response.peek(MAX_UPLOAD_RESPONSE)
            response.drain()
            return response

    @contextmanager
    def send(
        self, method: str, url: str, *, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Iterator[Response]:
        """Send a request and yield the response with any status. The body is not read yet.

        Redirects are not followed, and no credentials are sent except those in ``headers``.

        Args:
            method: the HTTP method.
            url: the URL.
            body: bytes, or an object with ``read`` and ``__len__`` that is read once.
            headers: additional headers.

        Raises:
            Unavailable: no response arrived; the server may have processed the request anyway.
        """
        with map_errors(url):
            response = self._request(method, url, headers or {}, None, body)
        with response:
            yield response

    def exchange(self, method: str, url: str, *, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send a request, and return the whole response with any status.

        It takes less CPU time than `send`, and is for requests that have a small response. Redirects are not
        followed, and no credentials are sent except those in ``headers``.

        Args:
            method: the HTTP method.
            url: the URL.
            body: the body.
            headers: additional headers.

        Raises:
            BackendError: the server's certificate is not valid, or its response is too large.
            Unavailable: no response arrived; the server may have processed the request anyway.
        """
        address = request_url(url)
        exchanges = self._pools.exchanges_for(address)
        if exchanges is None:
            with self.send(method, url, body=body, headers=headers) as response:
                names = {name.lower(): value for name, value in response.headers.items()}
                return Answer(response.status_code, names, response.content)
        parts = urlsplit(address)
        sent = {"Host": parts.netloc, **_default_headers(), **headers}
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        with map_errors(url):
            answer = exchanges.send(method, target, sent, body)
        self.clock.observe({"Date": answer.headers.get("date", ""), "Age": answer.headers.get("age", "")})
        return answer

    def with_auth(self, auth: Auth, *origins: str) -> "HttpClient":
        """Return a client with other credentials and the same connections; closing this one closes both.

        Args:
            auth: provides the credentials.
            origins: URLs whose scheme, host and port the credentials belong to.
        """
        client = copy(self)
        client._auth = auth  # noqa: SLF001  (an instance of this class)
        client._auth_origins = {origin_of(url) for url in origins}  # noqa: SLF001  (likewise)
        return client

    def renew_credentials(self, refusal: Response) -> bool:
        """Return whether there are other credentials after a refusal, so that a retry makes sense.

        Raises:
            AuthenticationFailed: there are credentials that must not be sent; or as `Auth.renew`.
        """
        if self._auth is None or origin_of(refusal.url) not in self._auth_origins:
            return False
        if not self._may_send_credentials(refusal.url):
            if refusal.status_code != 401:  # other statuses are not a request for credentials
                return False
            raise AuthenticationFailed(
                f"{display_url(refusal.url)} requires credentials, which are not sent over plain HTTP.",
                hint="Use https, or set allow_insecure = true if the network is trusted.",
            )
        try:
            return self._auth.renew(refusal)
        except WheelrelayError:  # such as a missing secret
            refusal.close()
            raise

    @property
    def uses_tls(self) -> bool:
        """Whether all URLs of the remote are https, so that its pages cannot be changed in transit."""
        return bool(self._own_origins) and all(scheme == "https" for scheme, _, _ in self._own_origins)

    def close(self) -> None:
        """Close all connections."""
        self._pools.close()

    def _get(self, url: str, headers: Mapping[str, str], *, same_host: bool) -> Response:
        """Return the response, after a second request if the credentials were outdated."""
        response = self._follow(url, headers, same_host=same_host)
        if response.status_code == 401 and self.renew_credentials(response):
            response.close()
            response = self._follow(url, headers, same_host=same_host)
        return response

    def _follow(self, url: str, headers: Mapping[str, str], *, same_host: bool) -> Response:
        """Request ``url`` and the URLs that it redirects to."""
        authorization = self._authorization(url)
        for _ in range(MAX_REDIRECTS):
            response = self._request("GET", url, headers, authorization)
            if not response.is_redirect:
                return response
            with response:
                target = redirect_target(response)
                if same_host and not is_same_host(url, target):
                    raise cross_origin_redirect(response, target)
                response.drain()
            # Once dropped, credentials stay dropped, even if a later redirect leads back.
            if not (keeps_credentials(url, target) and self._may_send_credentials(target)):
                authorization = None
            url = target
        raise Unavailable(f"{display_url(url)} redirects more than {MAX_REDIRECTS} times.")

    def _request(
        self, method: str, url: str, headers: Mapping[str, str], authorization: str | None, body: Any = None
    ) -> Response:
        address = request_url(url)
        sent = {**_default_headers(), **headers}
        if authorization:
            sent["Authorization"] = authorization
        if body is not None and not isinstance(body, bytes):
            sent["Content-Length"] = str(len(body))
        raw = self._pools.pool_for(address).urlopen(
            method,
            address,
            body=body,
            headers=sent,
            redirect=False,
            preload_content=False,
            timeout=self._timeout(has_body=body is not None),
        )
        self.clock.observe(raw.headers)
        return Response(raw, method, url, sent, self.limits)

    def _timeout(self, *, has_body: bool) -> "Timeout":
        from urllib3.util import Timeout

        until_response = self.limits.after_upload if has_body else self.limits.timeout
        return Timeout(connect=self.limits.connect, read=until_response)

    def basic_credentials(self, url: str) -> tuple[str, str] | None:
        """Return the user name and the password for requests to a URL, if there are some."""
        return parse_basic_auth(self._authorization(url))

    def _authorization(self, url: str) -> str | None:
        """Return the credentials for a request: those in the URL, the client's, or those of netrc."""
        if not self._may_send_credentials(url):
            return None
        parts = urlsplit(url)
        if parts.username:
            return basic_auth_header(unquote(parts.username), unquote(parts.password or ""))
        if self._auth and origin_of(url) in self._auth_origins:
            return self._auth.header()
        return self._netrc_authorization(url)

    def _netrc_authorization(self, url: str) -> str | None:
        try:
            login = netrc_login(url, default=origin_of(url) in self._own_origins)
        except (ValueError, OSError) as error:  # not fatal: the file may be intended for other programs
            warn_of_netrc(error)
            return None
        if login is None:
            return None
        if path := netrc_path():
            warn_if_readable_by_others(path)
        return basic_auth_header(*login)

    def _may_send_credentials(self, url: str) -> bool:
        return is_secure(url) or (self._allow_insecure and origin_of(url) in self._own_origins)


def _default_headers() -> dict[str, str]:
    return {"User-Agent": _user_agent(), "Accept-Encoding": "gzip, deflate", "Accept": "*/*"}


@cache
def _user_agent() -> str:
    from importlib.metadata import version

    return f"wheelrelay/{version('wheelrelay')} python-urllib3/{version('urllib3')}"
