"""Trusted publishing: the index exchanges the identity of a CI job for short-lived tokens, one per project.

An identity (a signed JWT) is for one audience, which the index does not choose (see `ci_identity`), and can
be exchanged once. A token is replaced when two thirds of its lifetime have passed, and revoked at the end.
"""

import json
import logging
import threading
from contextlib import AbstractContextManager
from dataclasses import field
from time import time
from typing import Any, NoReturn, Self, TypeGuard
from urllib.parse import urljoin

from wheelrelay.backends.credentials.ci_identity import build_of, claims_of, identity_for, is_ci_job
from wheelrelay.backends.credentials.requests import TOKEN_USER, CredentialRequest, NoCredentials
from wheelrelay.config.secrets import is_one_line
from wheelrelay.errors import AuthenticationFailed, BackendError, Unavailable, WheelrelayError
from wheelrelay.http import (
    HttpClient,
    Response,
    basic_auth_header,
    display_url,
    raise_for_status,
    sanitized,
    status_error,
)
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.redaction import register_secret

logger = logging.getLogger(__name__)

PYPI_AUDIENCES = ("pypi", "testpypi")
"""The audiences of PyPI and TestPyPI."""

SUPPORTED_CI = "GitHub, GitLab, Google Cloud and ActiveState"
"""The CI systems that PyPI supports: https://docs.pypi.org/trusted-publishers/adding-a-publisher/."""

DEFAULT_LIFETIME = 900.0
"""Seconds that a token is assumed to be valid if the index does not state it."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token for uploads.

    Attributes:
        value: the token.
        renew_at: when to replace it, in seconds since the epoch.
        expires: when it expires, likewise.
    """

    value: str = field(repr=False)
    renew_at: float
    expires: float

    @classmethod
    def issued_now(cls, value: str, expires: float) -> Self:
        """Return a token that was issued at this moment."""
        register_secret(value)
        now = time()
        return cls(value, now + (expires - now) * 2 / 3, expires)


class TrustedPublishing:
    """The tokens of one relay for one index.

    Args:
        http: a client without credentials.
        upload_url: the URL of the upload API; the endpoints for tokens are on its host.
        audience: the audience of identities; ``None`` if the index must not receive any.

    Attributes:
        publisher: the build that tokens were issued for, as certificates name it; set with the first token.
    """

    found_in = "trusted publishing"

    def __init__(self, http: HttpClient, upload_url: str, audience: str | None) -> None:
        self._http = http
        self._url = upload_url
        self._audience = audience or ""
        self.publisher: str | None = None
        self._issued: list[Token] = []
        self._tokens: dict[str | None, Token] = {}
        self._used_identities: set[str] = set()
        self._lock = threading.Lock()

    def provide(self, _: CredentialRequest, __: str | None) -> "TrustedPublishing | NoCredentials":
        """Request the first token; this is the `Provider` of trusted publishing.

        Raises:
            AuthenticationFailed: the index supports trusted publishing, but rejects this job.
            Unavailable: the index is unavailable.
        """
        if self._issued:
            return self
        identity = self.obtain_identity()
        if isinstance(identity, NoCredentials):
            return identity
        self._tokens[None] = self._issue(identity)
        return self

    def obtain_identity(self) -> str | NoCredentials:
        """Return the identity of this job for the index, or the reason why it has none; request no token.

        Raises:
            Unavailable: the index or the CI system is unavailable.
        """
        if not is_ci_job():
            return NoCredentials("no trusted publishing, because this is not a CI job with an identity")
        if not self._audience:
            return NoCredentials(
                "trusted publishing is not enabled for this remote (trusted_publishing = true)"
            )
        try:
            self._check_audience()
            return identity_for(self._audience)
        except Unavailable:
            raise
        except BackendError as error:
            return NoCredentials(f"no trusted publishing: {str(error).rstrip('.')}")

    def header(self, project: str | None) -> str:
        """Return the header with the project's token, which is replaced if it is due.

        Raises:
            AuthenticationFailed: the index issues no more tokens to this job.
            Unavailable: the index is unavailable, and no token is valid any more.
        """
        with self._lock:
            # The first token was issued before any project was known: the first project gets it.
            token = self._tokens.get(project) or self._tokens.pop(None, None)
            if token is None or time() >= token.renew_at:
                token = self._replacement(token)
            self._tokens[project] = token
            return basic_auth_header(TOKEN_USER, token.value)

    def discard(self, project: str | None) -> None:
        """Discard a project's token after the index rejected it."""
        with self._lock:
            self._tokens.pop(project, None)

    def revoke(self) -> None:
        """Revoke all tokens that are still valid; a failure is logged only."""
        with self._lock:
            for token in self._issued:
                if time() < token.expires:
                    self._revoke(token)
            self._issued.clear()
            self._tokens.clear()

    def _replacement(self, old: Token | None) -> Token:
        """Return a new token, or one that is still valid if none can be issued at the moment."""
        try:
            return self._issue(identity_for(self._audience))
        except (Unavailable, _IdentityUsed) as error:
            valid = old or self._issued[-1]
            if time() >= valid.expires:
                raise
            logger.info("An earlier token is reused: %s", error)
            return valid

    def _check_audience(self) -> None:
        """Compare the audience that the index requests with the configured one; no identity is sent yet.

        Raises:
            BackendError: it does not support trusted publishing, or requests another audience.
        """
        url = self._endpoint("audience")
        with self._http.send("GET", url) as response:
            raise_for_status(response)
            audience = _json_object(response).get("audience")
        if not isinstance(audience, str):
            raise BackendError(f"{display_url(url)} returned no audience.")
        if audience != self._audience:
            raise BackendError(
                f"{display_url(url)} requests identities for the audience {sanitized(audience)!r}, "
                f"but the configured audience is {self._audience!r}."
            )

    def _issue(self, identity: str) -> Token:
        if identity in self._used_identities:
            raise _IdentityUsed(
                "The CI system issued the same identity again, and an index accepts each only once.",
                hint="Start the job again.",
            )
        with self._post("mint-token", identity) as response:
            document = _json_object(response)
            value, expires = document.get("token"), document.get("expires")
            if not (response.is_success and isinstance(value, str) and is_one_line(value)):
                _raise_refusal(response, document, identity, self._audience)
        token = Token.issued_now(value, expires if _is_timestamp(expires) else time() + DEFAULT_LIFETIME)
        self._used_identities.add(identity)
        self.publisher = build_of(identity)
        self._issued.append(token)
        logger.info("%s issued a token for uploads.", display_url(self._url))
        return token

    def _revoke(self, token: Token) -> None:
        try:
            with self._post("burn-token", token.value) as response:
                if not response.is_success and response.status_code != 404:
                    logger.info(
                        "%s did not revoke a token: it returned %s.",
                        display_url(self._url),
                        response.status_code,
                    )
        except WheelrelayError as error:
            logger.info("A token could not be revoked: %s", error)

    def _post(self, endpoint: str, token: str) -> AbstractContextManager[Response]:
        body = json.dumps({"token": token}).encode()
        return self._http.send(
            "POST", self._endpoint(endpoint), body=body, headers={"Content-Type": "application/json"}
        )

    def _endpoint(self, name: str) -> str:
        return urljoin(self._url, f"/_/oidc/{name}")


class _IdentityUsed(AuthenticationFailed):
    """The only identity that the CI system issues has been exchanged already."""


def _raise_refusal(response: Response, document: dict[str, Any], identity: str, audience: str) -> NoReturn:
    """Raise the error for a token that was not issued, with the index's message and the job's claims."""
    error = status_error(response)
    if isinstance(error, Unavailable):
        raise error
    errors = document.get("errors")
    details = [detail for detail in errors if isinstance(detail, dict)] if isinstance(errors, list) else []
    message = "; ".join(f"{detail.get('code')}: {detail.get('description')}" for detail in details)
    message = message or document.get("message") or f"it returned {response.status_code} {response.reason}"
    claims = ", ".join(f"{name} {value!r}" for name, value in claims_of(identity).items())
    supported = f" PyPI supports {SUPPORTED_CI} only." if audience in PYPI_AUDIENCES else ""
    raise AuthenticationFailed(
        f"{display_url(response.url)} issues no token to this job: {sanitized(str(message), identity)}.",
        hint=f"Configure a trusted publisher there that matches the claims of this job: {claims}.{supported}",
    )


def _is_timestamp(expires: object) -> TypeGuard[float]:
    """Return whether a value can be seconds since the epoch; an index need not send any."""
    return isinstance(expires, int | float) and 0 < expires < float("inf")


def _json_object(response: Response) -> dict[str, Any]:
    """Return the JSON object in a response; empty if it is anything else."""
    try:
        document = json.loads(response.content)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
