"""Requests to the GitHub REST API: credentials, pages, rate limits and errors.

The endpoints are those of version 2022-11-28 of the API. Nothing is retried here: an error that may pass is
`Unavailable`, with the time that GitHub asks to wait.
"""

import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from wheelrelay.errors import AuthenticationFailed, BackendError, MissingSecret, NotFound, Unavailable
from wheelrelay.http import (
    HttpClient,
    Response,
    display_url,
    origin_of,
    redirect_target,
    retry_after,
    server_message,
    status_error,
)

JSON_TYPE = "application/vnd.github+json"
BINARY_TYPE = "application/octet-stream"
API_VERSION = "2022-11-28"

PER_PAGE = 100
"""Entries of one page; GitHub returns no more."""

MAX_DOCUMENT = 64 << 20
"""Bytes of one JSON document; a page of releases with hundreds of assets each has a few MiB."""

MAX_PAGES = 1_000
"""Pages of one list."""

DEFAULT_WAIT = 60.0
"""Seconds to wait at a rate limit if GitHub specifies no time; its documentation requires a minute."""

_NEXT = re.compile(r'<([^>]+)>\s*;\s*rel="next"')


class Token(Protocol):
    """Provides the token for requests."""

    def get(self) -> str:
        """Return the token.

        Raises:
            MissingSecret: there is none.
        """
        ...

    def renew(self) -> None:
        """Forget the token, because it was rejected."""
        ...


class GitHubApi:
    """The API of one repository. Any number of threads can use it.

    Args:
        http: the connections.
        api_url: the address of the API, such as ``https://api.github.com``.
        repository: ``owner/name``.
        token: provides the token; ``None`` for anonymous requests.
    """

    def __init__(self, http: HttpClient, api_url: str, repository: str, token: Token | None) -> None:
        self._http = http
        self._api_url = api_url.rstrip("/")
        self._token = token
        self._origins = {origin_of(self._api_url), uploads_origin(self._api_url)}
        self.repository = repository

    def url(self, *parts: str | int, **query: str | int) -> str:
        """Return the address of an endpoint below the repository's."""
        path = "/".join(quote(str(part), safe="") for part in parts)
        owner, name = self.repository.split("/")
        address = f"{self._api_url}/repos/{quote(owner)}/{quote(name)}/{path}".rstrip("/")
        return f"{address}?{urlencode(query)}" if query else address

    def require_token(self) -> None:
        """Fetch the token now.

        Raises:
            MissingSecret: there is none.
        """
        if self._token is None:
            raise MissingSecret(
                "There is no GitHub token.",
                hint="Set `token` in the configuration, or GITHUB_TOKEN in the environment.",
            )
        self._token.get()

    @property
    def has_token(self) -> bool:
        """Whether requests carry a token."""
        return self._token is not None

    def get(self, url: str) -> Any:
        """Return a JSON document.

        Raises:
            NotFound: it does not exist, or the token does not allow to see it.
            BackendError: any other failure.
        """
        with self.request("GET", url) as response:
            return _document(response)

    def pages(self, url: str) -> Iterator[Any]:
        """Yield the pages of a list, by the links in the ``Link`` header.

        Raises:
            BackendError: as `get`; or the list does not end.
        """
        next_url = url
        for _ in range(MAX_PAGES):
            with self.request("GET", next_url) as response:
                yield _document(response)
                found = _NEXT.search(response.headers.get("Link", ""))
            if found is None:
                return
            next_url = found[1]
        raise BackendError(f"{display_url(url)} has more than {MAX_PAGES} pages.")

    def send(self, method: str, url: str, document: Mapping[str, Any] | None = None) -> Any:
        """Send a JSON document and return the response's, or ``None`` if it has none.

        Raises:
            BackendError: it failed; see `request`.
        """
        body = None if document is None else json.dumps(document).encode()
        headers = {} if body is None else {"Content-Type": "application/json"}
        with self.request(method, url, body=body, headers=headers) as response:
            return None if response.status_code == 204 else _document(response)

    @contextmanager
    def request(
        self, method: str, url: str, *, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Iterator[Response]:
        """Send a request with the token and yield a successful response, or a redirect.

        A token that GitHub rejects is read again, once, if the request can be repeated.

        Raises:
            AuthenticationFailed: the token is not valid.
            Unavailable: a rate limit is reached (``retry_after``), or GitHub fails.
            BackendError: any other failure.
        """
        repeatable = body is None or isinstance(body, bytes)
        with self._attempt(method, url, body, headers) as response:
            if response.status_code != 401 or not repeatable or self._token is None:
                _raise_for_status(response, has_token=self.has_token)
                yield response
                return
        self._token.renew()
        with self._attempt(method, url, body, headers) as response:
            _raise_for_status(response, has_token=True)
            yield response

    @contextmanager
    def download(self, url: str, headers: Mapping[str, str] | None = None) -> Iterator[Response]:
        """Request the bytes behind an endpoint; GitHub redirects to its storage, which gets no token.

        Args:
            url: the endpoint.
            headers: additional headers, such as ``Range``.

        Raises:
            NotFound: it does not exist any more.
            BackendError: any other failure.
        """
        sent = {"Accept-Encoding": "identity", **(headers or {})}
        with self.request("GET", url, headers={"Accept": BINARY_TYPE, **sent}) as response:
            if not response.is_redirect:
                yield response
                return
            target = redirect_target(response)
            response.drain()
        with self._http.get(target, headers=sent) as stored:
            yield stored

    @contextmanager
    def _attempt(
        self, method: str, url: str, body: Any, headers: Mapping[str, str] | None
    ) -> Iterator[Response]:
        sent = {"Accept": JSON_TYPE, "X-GitHub-Api-Version": API_VERSION, **(headers or {})}
        if self._token is not None:
            if origin_of(url) not in self._origins:
                raise BackendError(f"GitHub refers to another host: {display_url(url)}.")
            sent["Authorization"] = f"Bearer {self._token.get()}"
        with self._http.send(method, url, body=body, headers=sent) as response:
            yield response


def uploads_origin(api_url: str) -> tuple[str, str, int | None]:
    """Return the origin that takes uploads: ``uploads.github.com``, or the host of an Enterprise server."""
    scheme, host, port = origin_of(api_url)
    is_own_host = host.startswith("api.")
    return scheme, f"uploads.{host.removeprefix('api.')}" if is_own_host else host, port


def _document(response: Response) -> Any:
    content = response.read_whole(MAX_DOCUMENT)
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise BackendError(f"{display_url(response.url)} did not return JSON: {error}.") from error


def _raise_for_status(response: Response, *, has_token: bool) -> None:
    if response.is_redirect or response.is_success:
        return
    seconds = _rate_limit(response)
    if seconds is not None:
        raise Unavailable(
            f"GitHub's rate limit is reached{server_message(response)}",
            retry_after=seconds,
            hint="" if has_token else "Set a token: anonymous requests are limited to 60 an hour.",
        )
    error = status_error(response)
    if isinstance(error, NotFound) and not has_token:
        error.hint = "Check the repository's name. A private repository needs a token."
    elif isinstance(error, NotFound):
        error.hint = "Check the name, and whether the token gives access to the repository."
    elif isinstance(error, AuthenticationFailed):
        error.hint = "Check the token: it may have expired."
    if error:
        raise error


def _rate_limit(response: Response) -> float | None:
    """Return the seconds to wait if the response is about a primary or secondary rate limit."""
    if response.status_code not in (403, 429):
        return None
    seconds = retry_after(response)
    if seconds is not None:
        return seconds
    if response.headers.get("X-RateLimit-Remaining") == "0":
        reset = response.headers.get("X-RateLimit-Reset", "")
        return max(0.0, int(reset) - time.time()) + 1 if reset.isdecimal() else DEFAULT_WAIT
    is_secondary = b"secondary rate limit" in response.peek(1 << 14).lower()
    return DEFAULT_WAIT if is_secondary or response.status_code == 429 else None
