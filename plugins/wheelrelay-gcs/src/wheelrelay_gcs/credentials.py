"""Access tokens for Google Cloud Storage, from google-auth."""

import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from google.auth import default
from google.auth.environment_vars import CREDENTIALS
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError, TransportError
from google.auth.transport import Request, Response
from google.oauth2.service_account import Credentials

from wheelrelay.config import SecretReference, SecretValue, register_secret
from wheelrelay.errors import AuthenticationFailed, ConfigError, MissingSecret, Unavailable, WheelrelayError
from wheelrelay.http import HttpClient, TokenSigner, sanitized

SCOPE = "https://www.googleapis.com/auth/devstorage.read_write"
"""Reading and writing objects; it does not permit changing who may access them."""

_HINT_WITHOUT_CREDENTIALS = (
    "Run `gcloud auth application-default login`, set GOOGLE_APPLICATION_CREDENTIALS, or configure "
    "service_account_key or token. For a public bucket, configure anonymous = true."
)


def by_token(reference: SecretReference) -> TokenSigner:
    """Sign with a configured access token, which is resolved again when the server refuses it."""
    secret = SecretValue(reference)
    return TokenSigner(secret.get, secret.renew)


def by_key(reference: SecretReference, http: HttpClient, place: str) -> TokenSigner:
    """Sign with tokens for the key of a service account.

    Args:
        reference: Reference to the key; it is resolved again when the server refuses its tokens.
        http: Requests the tokens.
        place: The bucket, for messages.
    """

    def load() -> Any:
        try:
            key = json.loads(reference.resolve())  # it has several lines, unlike other secrets
            register_secret(key["private_key"])
            return Credentials.from_service_account_info(key, scopes=[SCOPE])
        except (ValueError, KeyError, TypeError, AttributeError, GoogleAuthError):
            # Not chained: the messages of parsers quote the key.
            raise ConfigError(
                f"{place}: service_account_key is not the JSON key of a service account."
            ) from None

    tokens = _Tokens(load, http, place)
    return TokenSigner(tokens.fetch, tokens.forget)


def by_default(http: HttpClient, place: str) -> TokenSigner:
    """Sign with tokens for the credentials that Google's own libraries find on this machine.

    Args:
        http: Requests the tokens.
        place: The bucket, for messages.

    Raises:
        MissingSecret: There are none, and nothing indicates that there should be.
    """

    def load() -> Any:
        # With our transport, the search for the metadata service of a machine would take too long.
        request = _Transport(http) if _is_announced() else None
        try:
            return default(scopes=[SCOPE], request=request)[0]
        except DefaultCredentialsError as error:
            raise _not_found(error, place) from error

    logging.getLogger("google.auth").addHandler(logging.NullHandler())  # else Python prints its warnings
    tokens = _Tokens(load, http, place)
    tokens.load()
    return TokenSigner(tokens.fetch, tokens.forget)


class _Tokens:
    """The access tokens of one set of credentials; `TokenSigner` calls it from one thread at a time."""

    def __init__(self, load: Callable[[], Any], http: HttpClient, place: str) -> None:
        self._load = load
        self._request = _Transport(http)
        self._place = place
        self._credentials: Any = None

    def load(self) -> Any:
        """Return the credentials, loaded once."""
        if self._credentials is None:
            self._credentials = self._load()
        return self._credentials

    def fetch(self) -> str:
        """Return a token that is valid now.

        Raises:
            AuthenticationFailed: Google does not accept the credentials.
            Unavailable: The service that issues tokens failed.
        """
        credentials = self.load()
        if not credentials.valid:
            with _token_errors(self._place):
                credentials.refresh(self._request)
        token: str = credentials.token
        return token

    def forget(self) -> None:
        """Load the credentials again at the next use."""
        self._credentials = None


class _Transport(Request):
    """Sends the requests of google-auth with our client: its time limits, proxies and certificates."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **_: Any,
    ) -> Response:
        """Send a request; google-auth's own time limit is longer than ours."""
        del timeout
        content = body.encode() if isinstance(body, str) else body
        try:
            with self._http.send(method, url, body=content, headers=headers) as answer:
                return _Answer(answer.status_code, answer.headers, answer.content)
        except WheelrelayError as error:
            raise TransportError(error) from error


class _Answer(Response):
    def __init__(self, status: int, headers: Mapping[str, str], data: bytes) -> None:
        self._status = status
        self._headers = headers
        self._data = data

    @property
    def status(self) -> int:
        return self._status

    @property
    def headers(self) -> Mapping[str, str]:
        return self._headers

    @property
    def data(self) -> bytes:
        return self._data


@contextmanager
def _token_errors(place: str) -> Iterator[None]:
    try:
        yield
    except GoogleAuthError as error:
        message = f"{place}: no access token was issued: {_described(error)}"
        if isinstance(error, TransportError) or error.retryable:
            raise Unavailable(message) from error
        raise AuthenticationFailed(
            message, hint="Check the credentials, and the clock of this machine."
        ) from error


def _not_found(error: DefaultCredentialsError, place: str) -> WheelrelayError:
    """Return the error for a machine without usable credentials: only absent ones may be skipped."""
    if _is_announced():
        return AuthenticationFailed(f"{place}: the credentials cannot be used: {_described(error)}")
    return MissingSecret(f"There are no credentials for {place}.", hint=_HINT_WITHOUT_CREDENTIALS)


def _is_announced() -> bool:
    """Whether a variable or the file of gcloud announces credentials."""
    from google.auth._cloud_sdk import get_application_default_credentials_path  # it has no public name

    return bool(os.environ.get(CREDENTIALS)) or Path(get_application_default_credentials_path()).exists()


def _described(error: Exception) -> str:
    return f"{sanitized(str(error.args[0]) if error.args else '') or type(error).__name__}."
