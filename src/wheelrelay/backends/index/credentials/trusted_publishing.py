"""Trusted publishing: tokens that an index makes for the identity of a CI job, one for each project.

The index takes an identity for its audience (a signed JWT, good for one token), and gives a token that lives
for some minutes. Which audience that is, the index does not decide: see `audience`. A token is renewed when
two thirds of its life are over, and given back at the end.
"""

import json
import logging
import threading
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from time import time
from typing import Any, NoReturn, Self, TypeGuard
from urllib.parse import urljoin

from wheelrelay.backends.index.credentials.ci_identity import build_of, claims_of, identity_for, is_ci_job
from wheelrelay.backends.index.credentials.request import TOKEN_USER, CredentialRequest, NoCredentials
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
from wheelrelay.redaction import register_secret

logger = logging.getLogger(__name__)

PYPI_AUDIENCES = ("pypi", "testpypi")
"""The audiences of PyPI and of TestPyPI."""

SUPPORTED = "GitHub, GitLab, Google Cloud and ActiveState"
"""The CI systems whose identities PyPI takes: https://docs.pypi.org/trusted-publishers/adding-a-publisher/."""

USUAL_LIFE = 900.0
"""Seconds that a token lives of which the index does not say so."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token for uploads.

    Attributes:
        value: the token.
        due: when to get another one, in seconds since the epoch.
        expires: when it stops to be accepted, likewise.
    """

    value: str = field(repr=False)
    due: float
    expires: float

    @classmethod
    def given_now(cls, value: str, expires: float) -> Self:
        """A token that was made at this moment."""
        register_secret(value)
        now = time()
        return cls(value, now + (expires - now) * 2 / 3, expires)


class TrustedPublishing:
    """The tokens of one relay for one index.

    Args:
        http: how to reach the index, without credentials.
        upload_url: where files are sent; the endpoints are on the same host.
        audience: whom identities are for; ``None`` if the index is to get none.

    Attributes:
        publisher: the build that tokens were made for, as certificates for it name it; known with the first.
    """

    found_in = "trusted publishing"

    def __init__(self, http: HttpClient, upload_url: str, audience: str | None) -> None:
        self._http = http
        self._url = upload_url
        self._audience = audience or ""
        self.publisher: str | None = None
        self._made: list[Token] = []
        self._tokens: dict[str | None, Token] = {}
        self._spent: set[str] = set()
        self._lock = threading.Lock()

    def place(self, _: CredentialRequest, __: str | None) -> "TrustedPublishing | NoCredentials":
        """Whether the index makes tokens for this job: the first one is made now.

        Raises:
            AuthenticationFailed: it knows trusted publishing, but not this job; tells why and what to do.
            Unavailable: it cannot be asked.
        """
        if self._made:
            return self
        if not is_ci_job():
            return NoCredentials("for trusted publishing, this is no CI job with an identity")
        if not self._audience:
            return NoCredentials(
                "trusted publishing is not switched on for this remote (trusted_publishing = true)"
            )
        try:
            self._compare_audience()
            identity = identity_for(self._audience)
        except Unavailable:
            raise
        except BackendError as error:
            return NoCredentials(f"for trusted publishing, {str(error).rstrip('.')}")
        self._tokens[None] = self._mint(identity)
        return self

    def header(self, project: str | None) -> str:
        """The value for a project's own token, made anew if that is due.

        Raises:
            AuthenticationFailed: the index makes no more tokens for this job.
            Unavailable: it cannot be asked, and no token is good any more.
        """
        with self._lock:
            token = self._tokens.get(project) or self._tokens.pop(None, None)
            if token is None or time() >= token.due:
                token = self._another(token)
            self._tokens[project] = token
            return basic_auth_header(TOKEN_USER, token.value)

    def drop(self, project: str | None) -> None:
        """Forget a project's token, for it was not accepted."""
        with self._lock:
            self._tokens.pop(project, None)

    def give_back(self) -> None:
        """Have the index forget all tokens that are still good, where it can; that it cannot is no error."""
        with self._lock:
            for token in self._made:
                if time() < token.expires:
                    self._burn(token)
            self._made.clear()
            self._tokens.clear()

    def _another(self, old: Token | None) -> Token:
        """A new token; where none can be had at the moment, one that is still good."""
        try:
            return self._mint(identity_for(self._audience))
        except (Unavailable, _Spent) as error:
            still = old or self._made[-1]
            if time() >= still.expires:
                raise
            logger.info("An earlier token is used further: %s", error)
            return still

    def _compare_audience(self) -> None:
        """Ask the index for its audience; no identity is made for another one than is known here.

        Raises:
            BackendError: it does not know trusted publishing, or wants identities for another audience.
        """
        url = self._endpoint("audience")
        with self._http.send("GET", url) as answer:
            raise_for_status(answer)
            audience = _document(answer).get("audience")
        if not isinstance(audience, str):
            raise BackendError(f"{display_url(url)} names no audience.")
        if audience != self._audience:
            raise BackendError(
                f"{display_url(url)} wants identities for the audience {sanitized(audience)!r}, "
                f"and gets none but for {self._audience!r}."
            )

    def _mint(self, identity: str) -> Token:
        if identity in self._spent:
            raise _Spent(
                "The CI system gives the same identity again, and an index makes one token for each.",
                hint="Start the job again.",
            )
        with self._post("mint-token", identity) as answer:
            said = _document(answer)
            value, expires = said.get("token"), said.get("expires")
            if not (answer.is_success and isinstance(value, str) and is_one_line(value)):
                _refuse(answer, said, identity, self._audience)
        token = Token.given_now(value, expires if _is_time(expires) else time() + USUAL_LIFE)
        self._spent.add(identity)
        self.publisher = build_of(identity)
        self._made.append(token)
        logger.info("%s made a token for uploads.", display_url(self._url))
        return token

    def _burn(self, token: Token) -> None:
        try:
            with self._post("burn-token", token.value) as answer:
                if not answer.is_success and answer.status_code != 404:
                    logger.info(
                        "%s took no token back: it answered %s.", display_url(self._url), answer.status_code
                    )
        except WheelrelayError as error:
            logger.info("A token could not be given back: %s", error)

    def _post(self, endpoint: str, token: str) -> AbstractContextManager[Response]:
        body = json.dumps({"token": token}).encode()
        return self._http.send(
            "POST", self._endpoint(endpoint), body=body, headers={"Content-Type": "application/json"}
        )

    def _endpoint(self, name: str) -> str:
        return urljoin(self._url, f"/_/oidc/{name}")


class _Spent(AuthenticationFailed):
    """The only identity that there is has served already."""


def _refuse(answer: Response, said: dict[str, Any], identity: str, audience: str) -> NoReturn:
    """Tell why the index made no token, in its own words, and what to do about it."""
    error = status_error(answer)
    if isinstance(error, Unavailable):
        raise error
    listed = said.get("errors")
    reasons = [reason for reason in listed if isinstance(reason, dict)] if isinstance(listed, list) else []
    words = "; ".join(f"{reason.get('code')}: {reason.get('description')}" for reason in reasons)
    words = words or said.get("message") or f"it answered {answer.status_code} {answer.reason}"
    told = ", ".join(f"{name} {value!r}" for name, value in claims_of(identity).items())
    supported = f" It supports {SUPPORTED}, and no other CI systems." if audience in PYPI_AUDIENCES else ""
    raise AuthenticationFailed(
        f"{display_url(answer.url)} makes no token for this job: {sanitized(str(words), identity)}.",
        hint="Configure a trusted publisher there that fits what the CI system says of this job: "
        f"{told}.{supported}",
    )


def _is_time(expires: object) -> TypeGuard[float]:
    """Whether this can be a moment, in seconds since the epoch; an index need not tell one."""
    return isinstance(expires, int | float) and 0 < expires < float("inf")


def _document(answer: Response) -> dict[str, Any]:
    """The JSON object of an answer; empty if it is none."""
    try:
        document = json.loads(answer.content)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
