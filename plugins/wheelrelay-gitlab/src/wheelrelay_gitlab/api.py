"""Requests to the GitLab REST API about the packages of one project: the token, pages and errors.

Nothing is retried here: an error that may pass is `Unavailable`.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from wheelrelay.config import SecretValue
from wheelrelay.errors import AuthenticationFailed, BackendError, MissingSecret, NotFound
from wheelrelay.http import HttpClient, Response, display_url, origin_of, redirect_target, status_error

PER_PAGE = 100
"""Entries of one page; GitLab returns no more."""

MAX_DOCUMENT = 16 << 20
"""Bytes of one JSON document."""

MAX_PAGES = 1_000
"""Pages of one list."""

_NEXT = re.compile(r'<([^>]+)>\s*;\s*rel="next"')


@dataclass(frozen=True, slots=True)
class Token:
    """A token, and the header that it is sent in.

    Attributes:
        value: the token.
        header: ``JOB-TOKEN`` for the token of a job, ``PRIVATE-TOKEN`` for others.
    """

    value: SecretValue
    header: str


class GitLabApi:
    """The API of one project. Any number of threads can use it.

    Args:
        http: the connections.
        api_url: the address of the API, such as ``https://gitlab.com/api/v4``.
        project: the project, as ``group/name`` or its id.
        token: the token; ``None`` for anonymous requests.
    """

    def __init__(self, http: HttpClient, api_url: str, project: str, token: Token | None) -> None:
        self._http = http
        self._root = f"{api_url.rstrip('/')}/projects/{quote(project, safe='')}"
        self._token = token
        self.project = project

    def url(self, *parts: str | int, **query: str | int) -> str:
        """Return the address of an endpoint below the project's."""
        address = "/".join((self._root, *(quote(str(part), safe="") for part in parts)))
        return f"{address}?{urlencode(query)}" if query else address

    def require_token(self) -> None:
        """Resolve the token now.

        Raises:
            MissingSecret: there is none.
        """
        if self._token is None:
            raise MissingSecret(
                "There is no GitLab token.",
                hint="Set token in the configuration, or GITLAB_TOKEN in the environment.",
            )
        self._token.value.get()

    def entries(self, url: str) -> Iterator[Any]:
        """Yield the entries of a list, page by page.

        Raises:
            BackendError: a page cannot be read, or the list does not end.
        """
        next_url = url
        for _ in range(MAX_PAGES):
            with self.request("GET", next_url) as response:
                page = _document(response)
                link = _NEXT.search(response.headers.get("Link", ""))
            if not isinstance(page, list):
                raise BackendError(f"{display_url(url)} did not return a list.")
            yield from page
            if link is None:
                return
            next_url = link[1]
            if origin_of(next_url) != origin_of(url):
                raise BackendError(f"GitLab refers to another host: {display_url(next_url)}.")
        raise BackendError(f"{display_url(url)} has more than {MAX_PAGES} pages.")

    def put(self, url: str, body: Any) -> Any:
        """Upload a body, and return the document that describes it.

        Raises:
            BackendError: it failed; see `request`.
        """
        headers = {"Content-Type": "application/octet-stream"}
        with self.request("PUT", url, body=body, headers=headers) as response:
            return _document(response)

    def delete(self, url: str) -> None:
        """Delete something; it is no error if it does not exist."""
        try:
            with self.request("DELETE", url) as response:
                response.drain()
        except NotFound:
            return

    @contextmanager
    def download(self, url: str) -> Iterator[Response]:
        """Request the bytes of a file; GitLab may redirect to its storage, which gets no token.

        Raises:
            NotFound: it does not exist any more.
            BackendError: any other failure.
        """
        headers = {"Accept-Encoding": "identity"}
        with self.request("GET", url, headers=headers) as response:
            if not response.is_redirect:
                yield response
                return
            target = redirect_target(response)
            response.drain()
        with self._http.get(target, headers=headers) as stored:
            yield stored

    @contextmanager
    def request(
        self, method: str, url: str, *, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Iterator[Response]:
        """Send a request with the token, and yield a successful response, or a redirect.

        A token that GitLab rejects is resolved again, once, if the request can be repeated.

        Raises:
            AuthenticationFailed: the token is not valid.
            Unavailable: GitLab fails, or requests to wait.
            BackendError: any other failure.
        """
        with self._attempt(method, url, body, headers) as response:
            is_final = body is not None or self._token is None or response.status_code != 401
            if is_final:
                self._raise_for_status(response)
                yield response
                return
        assert self._token
        self._token.value.renew()
        with self._attempt(method, url, body, headers) as response:
            self._raise_for_status(response)
            yield response

    @contextmanager
    def _attempt(
        self, method: str, url: str, body: Any, headers: Mapping[str, str] | None
    ) -> Iterator[Response]:
        sent = dict(headers or {})
        if self._token is not None:
            sent[self._token.header] = self._token.value.get()
        with self._http.send(method, url, body=body, headers=sent) as response:
            yield response

    def _raise_for_status(self, response: Response) -> None:
        if response.is_redirect:
            return
        error = status_error(response)
        if isinstance(error, NotFound) and self._token is None:
            error.hint = "Check the project. A private project needs a token."
        elif isinstance(error, NotFound):
            error.hint = "Check the project, and whether the token gives access to it."
        elif isinstance(error, AuthenticationFailed):
            error.hint = "Check the token: it may have expired, or lack the scope api."
        if error:
            raise error


def _document(response: Response) -> Any:
    content = response.read_whole(MAX_DOCUMENT)
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise BackendError(f"{display_url(response.url)} did not return JSON: {error}.") from error
