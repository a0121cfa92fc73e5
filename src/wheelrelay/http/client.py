"""HTTP for one remote: connections that are kept open, and credentials that go where they belong."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from copy import copy
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urljoin, urlsplit

from wheelrelay.errors import AuthenticationFailed, BackendError, ConfigError, Rejected, Unavailable
from wheelrelay.http.auth import Auth, basic, netrc_file, netrc_login, warn_if_others_may_read
from wheelrelay.http.faults import mapped_errors
from wheelrelay.http.limits import time_limits
from wheelrelay.http.pools import Pools
from wheelrelay.http.response import Response
from wheelrelay.http.statuses import raise_for
from wheelrelay.http.urls import checked, is_private, is_same_host, origin_of, shown, shown_origin

if TYPE_CHECKING:
    from urllib3.util import Timeout

_log = logging.getLogger(__name__)

MOST_REDIRECTS = 30
"""After so many, one that leads in circles is given up."""

KEPT = 1 << 16
"""Bytes of the answer to an upload that are kept, for the words in it."""


class HttpClient:
    """HTTP for one remote, for any number of threads, which share the connections that are kept open.

    Args:
        auth: gives credentials; asked for each request to one of ``origins``.
        origins: URLs to whose scheme, host and port the credentials belong.
        ca_cert: path of a CA bundle to trust instead of the usual one.
        client_cert: path of a client certificate with its key.
        allow_insecure: send credentials over plain HTTP to the remote's own addresses, on other machines too.
        own: the remote's own addresses, as configured. A page may lead anywhere else: the client certificate,
            the default entry of netrc and credentials over plain HTTP go to the origins of these alone.
        timeout: seconds that a server may take; see `wheelrelay.http.limits`.

    Raises:
        ConfigError: a certificate is not where it is said to be, or the environment names no usable timeout.
    """

    def __init__(
        self,
        *,
        auth: Auth | None = None,
        origins: tuple[str, ...] = (),
        ca_cert: str | None = None,
        client_cert: str | None = None,
        allow_insecure: bool = False,
        own: tuple[str, ...] = (),
        timeout: float | None = None,
    ) -> None:
        self.limits = time_limits(timeout)
        self._auth = auth
        self._origins = {origin_of(url) for url in origins}
        self._own = {origin_of(url) for url in (*own, *origins)}
        self._allow_insecure = allow_insecure
        self._pools = Pools(ca_cert, client_cert, self.limits, self._own)

    @contextmanager
    def get(
        self, url: str, *, headers: Mapping[str, str] | None = None, same_host: bool = False
    ) -> Iterator[Response]:
        """Read ``url``; the body is not read yet: take ``content``, or `RawBody` for a file.

        Args:
            url: what to read.
            headers: to send with the request.
            same_host: refuse redirects to other hosts: what stands there is not this remote's content.

        Raises:
            BackendError: as `raise_for` maps it; reading the body raises as `Response.read`.
            Rejected: a redirect to another host, if those are refused.
        """
        with mapped_errors(url):
            response = self._get(url, headers or {}, same_host=same_host)
        with response:  # what is raised by those who read is theirs, and not a fault of the connection
            raise_for(response)
            yield response

    def post(self, url: str, *, body: Any, headers: Mapping[str, str]) -> Response:
        """Send ``body`` to ``url`` and give the answer, whatever its status; redirects are not followed.

        Of the answer's body only the beginning is kept, as `Response.beginning` reads it.

        Args:
            url: where to.
            body: bytes, or an object with ``read`` and ``__len__`` that is read once.
            headers: as usual.

        Raises:
            Unavailable: no answer came; the server may have acted all the same.
        """
        with mapped_errors(url):
            response = self._ask("POST", url, headers, self._header_for(url), body)
        with response:
            response.beginning(KEPT)
            response.drain()
            return response

    @contextmanager
    def send(
        self, method: str, url: str, *, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Iterator[Response]:
        """Ask for anything, and give the answer, whatever its status; its body is not read yet.

        Redirects are not followed, and the only credentials sent are those in ``headers``.

        Args:
            method: as ``PUT``.
            url: of what.
            body: bytes, or an object with ``read`` and ``__len__`` that is read once.
            headers: as usual.

        Raises:
            Unavailable: no answer came; the server may have acted all the same.
        """
        with mapped_errors(url):
            response = self._ask(method, url, headers or {}, None, body)
        with response:
            yield response

    def with_auth(self, auth: Auth, *origins: str) -> "HttpClient":
        """The same connections with other credentials; closing this client closes them.

        Args:
            auth: gives the credentials.
            origins: URLs to whose scheme, host and port they belong.
        """
        twin = copy(self)
        twin._auth = auth  # noqa: SLF001  (of its own kind)
        twin._origins = {origin_of(url) for url in origins}  # noqa: SLF001  (likewise)
        return twin

    def renew_credentials(self, refusal: Response) -> bool:
        """Whether there are other credentials after a refusal, so that sending again makes sense.

        Raises:
            AuthenticationFailed: there are some, and they may not be sent; or as `Auth.renew`.
        """
        if self._auth is None or origin_of(refusal.url) not in self._origins:
            return False
        if not self._may_carry_credentials(refusal.url):
            if refusal.status_code != 401:  # it may mean anything, and does not ask for credentials
                return False
            raise AuthenticationFailed(
                f"{shown(refusal.url)} wants credentials, and none are sent over plain HTTP.",
                hint="Use https, or say allow_insecure = true if nobody can listen.",
            )
        return self._auth.renew(refusal)

    @property
    def is_reached_by_tls(self) -> bool:
        """Whether all addresses of the remote are https: what its pages say cannot be changed on the way."""
        return bool(self._own) and all(scheme == "https" for scheme, _, _ in self._own)

    def close(self) -> None:
        """Close all connections."""
        self._pools.close()

    def _get(self, url: str, headers: Mapping[str, str], *, same_host: bool) -> Response:
        """One answer, its body unread; asked for once more if the credentials turn out to be stale."""
        response = self._follow(url, headers, same_host=same_host)
        if response.status_code == 401 and self.renew_credentials(response):
            response.close()
            response = self._follow(url, headers, same_host=same_host)
        return response

    def _follow(self, url: str, headers: Mapping[str, str], *, same_host: bool) -> Response:
        """Read ``url``, and where it leads."""
        authorization = self._header_for(url)
        for _ in range(MOST_REDIRECTS):
            response = self._ask("GET", url, headers, authorization)
            if not response.is_redirect:
                return response
            with response:
                target = target_of(response)
                if same_host and not is_same_host(url, target):
                    raise _leads_away(response, target)
                response.drain()
            if not (_keeps_credentials(url, target) and self._may_carry_credentials(target)):
                authorization = None
            url = target
        raise Unavailable(f"{shown(url)} redirects without end.")

    def _ask(
        self, method: str, url: str, headers: Mapping[str, str], authorization: str | None, body: Any = None
    ) -> Response:
        address = checked(url)
        sent = {"User-Agent": _user_agent(), "Accept-Encoding": "gzip, deflate", "Accept": "*/*", **headers}
        if authorization:
            sent["Authorization"] = authorization
        if body is not None and not isinstance(body, bytes):
            sent["Content-Length"] = str(len(body))
        raw = self._pools.leading_to(address).urlopen(
            method,
            address,
            body=body,
            headers=sent,
            redirect=False,
            preload_content=False,
            timeout=self._timeout(sends=body is not None),
        )
        return Response(raw, method, url, sent, self.limits)

    def _timeout(self, *, sends: bool) -> "Timeout":
        from urllib3.util import Timeout

        answer = self.limits.after_upload if sends else self.limits.timeout
        return Timeout(connect=self.limits.connect, read=answer)

    def _header_for(self, url: str) -> str | None:
        """The credentials for a request: those of the address, the client's own, or those of netrc."""
        if not self._may_carry_credentials(url):
            return None
        parts = urlsplit(url)
        if parts.username:
            return basic(unquote(parts.username), unquote(parts.password or ""))
        if self._auth and origin_of(url) in self._origins:
            return self._auth.header()
        return self._netrc_header(url)

    def _netrc_header(self, url: str) -> str | None:
        try:
            login = netrc_login(url, default=origin_of(url) in self._own)
        except (ValueError, OSError) as error:  # it is somebody else's file, and may be for other programs
            _warn_of_netrc(error.strerror if isinstance(error, OSError) else str(error))
            return None
        if login is None:
            return None
        if path := netrc_file():
            warn_if_others_may_read(path)
        return basic(*login)

    def _may_carry_credentials(self, url: str) -> bool:
        return is_private(url) or (self._allow_insecure and origin_of(url) in self._own)


@cache
def _warn_of_netrc(reason: str) -> None:
    _log.warning("%s is passed over: %s.", netrc_file(), reason)


def target_of(response: Response) -> str:
    """Where a redirect leads.

    Raises:
        BackendError: to what is not an address.
    """
    location = response.headers["Location"]
    with suppress(UnicodeError):  # some servers send UTF-8 where nothing but ASCII is allowed
        location = location.encode("latin-1").decode("utf-8")
    try:
        return checked(urljoin(response.url, location))
    except (ConfigError, ValueError) as error:
        reason = str(error).rstrip(".")
        raise BackendError(f"{shown(response.url)} redirects to what is not an address: {reason}.") from error


class RedirectsAway(Rejected):
    """A page redirects to another origin, and that is not allowed.

    Args:
        message: what happened.
        target: where it redirects to.
        status: the HTTP status.
        hint: what to do about it.
    """

    def __init__(self, message: str, *, target: str, status: int, hint: str) -> None:
        super().__init__(message, status=status, hint=hint)
        self.target = target


def _leads_away(response: Response, target: str) -> RedirectsAway:
    return RedirectsAway(
        f"{shown(response.url)} redirects to another host, {shown_origin(target)}, "
        "and what stands there is not its content.",
        target=target,
        status=response.status_code,
        hint="Name the other host itself if its content is meant, or switch the redirection off "
        "(pypiserver: --disable-fallback).",
    )


def _keeps_credentials(url: str, target: str) -> bool:
    """Whether a redirect leads to the same origin, or from plain HTTP to TLS by the usual ports."""
    here, there = origin_of(url), origin_of(target)
    return here == there or (here, there) == (("http", here[1], 80), ("https", here[1], 443))


@cache
def _user_agent() -> str:
    from importlib.metadata import version

    return f"wheelrelay/{version('wheelrelay')} python-urllib3/{version('urllib3')}"
