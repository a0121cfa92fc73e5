"""Requests to the API of anaconda.org: credentials, JSON documents, downloads and errors.

The requests are those of anaconda-client 1.16. Nothing is retried here: an error that may pass is
`Unavailable`.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlencode

from wheelrelay.config import SecretValue
from wheelrelay.errors import (
    AuthenticationFailed,
    BackendError,
    MissingSecret,
    NotFound,
    PermissionDenied,
    Rejected,
    Unavailable,
)
from wheelrelay.http import (
    HttpClient,
    Response,
    display_url,
    origin_of,
    redirect_target,
    sanitized,
    status_error,
)

MAX_DOCUMENT = 64 << 20
"""Bytes of one JSON document; a package with a thousand files has about 2 MiB."""

MAX_MESSAGE = 1 << 14
"""Bytes of a response that are searched for a message."""


class Taken(Rejected):
    """The server already has a package, release or file of this name (409)."""


class AnacondaApi:
    """The API for the packages of one owner. Any number of threads can use it.

    Args:
        http: the connections.
        api_url: the address of the API, such as ``https://api.anaconda.org``.
        owner: the user or organization.
        token: provides the token; ``None`` for anonymous requests.
    """

    def __init__(self, http: HttpClient, api_url: str, owner: str, token: SecretValue | None) -> None:
        self._http = http
        self._token = token
        self.api_url = api_url.rstrip("/")
        self.owner = owner

    def url(self, kind: str, *parts: str, **query: str) -> str:
        """Return the address of an endpoint for the owner, such as that of ``package``."""
        path = "/".join(quote(part, safe="") for part in (kind, self.owner, *parts))
        return f"{self.api_url}/{path}?{urlencode(query)}" if query else f"{self.api_url}/{path}"

    def require_token(self) -> None:
        """Resolve the token now.

        Raises:
            MissingSecret: there is none.
        """
        if self._token is None:
            raise MissingSecret(
                "There is no token for anaconda.org.",
                hint="Set `token` in the configuration, or ANACONDA_API_TOKEN in the environment.",
            )
        self._token.get()

    def get(self, url: str) -> Any:
        """Return a JSON document, bypassing caches.

        Raises:
            NotFound: it does not exist, or the token does not allow to see it.
            BackendError: any other failure.
        """
        with self._request("GET", url, headers={"Cache-Control": "no-cache"}) as response:
            return _document(response)

    def send(self, method: str, url: str, document: Mapping[str, Any] | None = None) -> Any:
        """Send a JSON document and return the response's, or ``None`` if it has none.

        Raises:
            Taken: the name already exists (409).
            BackendError: any other failure.
        """
        body = None if document is None else json.dumps(document).encode()
        with self._request(method, url, body=body) as response:
            if response.is_redirect:
                raise Rejected(
                    f"{display_url(url)} redirects to {display_url(redirect_target(response))}.",
                    status=response.status_code,
                    hint="Set api_url to that server if you trust it.",
                )
            return _document(response)

    @contextmanager
    def download(self, url: str, headers: Mapping[str, str] | None = None) -> Iterator[Response]:
        """Request a file. The API redirects to its storage, which gets no token.

        Args:
            url: the address, as the API has it.
            headers: additional headers, such as ``Range``.

        Raises:
            NotFound: it does not exist any more.
            BackendError: any other failure.
        """
        sent = {"Accept-Encoding": "identity", **(headers or {})}
        with self._request("GET", url, headers={"Accept": "*/*", **sent}) as response:
            if not response.is_redirect:
                yield response
                return
            target = redirect_target(response)
            response.drain()
        with self._http.get(target, headers=sent) as stored:
            yield stored

    @contextmanager
    def post_to_storage(self, url: str, body: Any, content_type: str) -> Iterator[Response]:
        """Post a form to the storage, without a token, and yield the response with any status."""
        with self._http.send("POST", url, body=body, headers={"Content-Type": content_type}) as response:
            yield response

    @contextmanager
    def _request(
        self, method: str, url: str, *, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Iterator[Response]:
        """Yield a successful response, or a redirect. A token that is rejected is resolved again, once."""
        with self._attempt(method, url, body, headers) as response:
            if response.status_code != 401 or self._token is None:
                _raise_for_status(response)
                yield response
                return
        self._token.renew()
        with self._attempt(method, url, body, headers) as response:
            _raise_for_status(response)
            yield response

    @contextmanager
    def _attempt(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str] | None
    ) -> Iterator[Response]:
        sent = {"Accept": "application/json", **(headers or {})}
        if body is not None:
            sent["Content-Type"] = "application/json"
        if self._token is not None and origin_of(url) == origin_of(self.api_url):
            sent["Authorization"] = f"token {self._token.get()}"
        with self._http.send(method, url, body=body, headers=sent) as response:
            yield response


def _document(response: Response) -> Any:
    content = response.read_whole(MAX_DOCUMENT)
    if not content.strip():
        return None
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise BackendError(f"{display_url(response.url)} did not return JSON: {error}.") from error


def _raise_for_status(response: Response) -> None:
    if response.is_redirect or response.is_success:
        return
    error = status_error(response)
    assert error is not None
    status, text = response.status_code, _error_text(response)
    message = f"{display_url(response.url)} returned {status}: {text}." if text else error.message
    has_token = "Authorization" in response.request_headers
    if status == 401:
        hint = "Check the token: it may have expired." if has_token else "This needs a token."
        raise AuthenticationFailed(message, hint=hint)
    if status == 403:
        raise PermissionDenied(message, hint="The token needs the scope api:write, and access to the owner.")
    if status == 404:
        hint = (
            "Check owner and names." if has_token else "Check owner and names; private packages need a token."
        )
        raise NotFound(message, hint=hint)
    if status == 409:
        raise Taken(message, status=status, hint="The server already has it. List the remote.")
    if isinstance(error, Unavailable):
        raise Unavailable(message, retry_after=error.retry_after)
    raise Rejected(message, status=status, hint=error.hint)


def _error_text(response: Response) -> str:
    """Return the text of the key ``error``, with which the API explains a status; empty if it has none."""
    try:
        document = json.loads(response.peek(MAX_MESSAGE))
    except ValueError:
        return ""
    text = document.get("error") if isinstance(document, dict) else None
    secret = response.request_headers.get("Authorization", "").removeprefix("token ")
    return sanitized(text, secret) if isinstance(text, str) else ""
