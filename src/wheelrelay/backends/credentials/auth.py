"""Resolve the credentials of an index: when they are used, once for all threads, and again after a 401."""

import logging
import threading
from collections.abc import Sequence

from wheelrelay.backends.credentials import providers
from wheelrelay.backends.credentials.requests import (
    CredentialRequest,
    Credentials,
    NoCredentials,
    Provider,
)
from wheelrelay.backends.credentials.trusted_publishing import TrustedPublishing
from wheelrelay.errors import AuthenticationFailed, ConfigError, MissingSecret, PermissionDenied
from wheelrelay.http import Auth, HttpClient, Response, display_url, status_error
from wheelrelay.lazy_dataclass import dataclass

logger = logging.getLogger(__name__)

STORED: tuple[Provider, ...] = (
    providers.configuration,
    providers.own_variables,
    providers.twine_variables,
    providers.pypirc,
)
"""Providers of credentials for this very remote that need no interaction."""


@dataclass(frozen=True, slots=True)
class NotFoundAnywhere:
    """No provider has credentials.

    Attributes:
        reasons: the reason of each provider, in the order in which they were tried.
    """

    reasons: tuple[str, ...]

    def merge(self, other: "NotFoundAnywhere") -> "NotFoundAnywhere":
        """Return the reasons of two lookups, without duplicates."""
        return NotFoundAnywhere(tuple(dict.fromkeys((*self.reasons, *other.reasons))))

    def __str__(self) -> str:
        return f"Tried: {'; '.join(self.reasons)}."


def resolve(request: CredentialRequest, candidates: Sequence[Provider]) -> Credentials | NotFoundAnywhere:
    """Return the credentials of the first provider that has some; log where, but not which.

    Args:
        request: the remote.
        candidates: the providers, in the order in which they are tried.

    Raises:
        MissingSecret: the configuration refers to a secret that does not exist.
        ConfigError: a file cannot be read, or the credentials cannot be sent.
        BackendError: the index rejects the identity of this job, or is unavailable.
    """
    username: str | None = None
    reasons = []
    for provider in candidates:
        result = provider(request, username)
        if not isinstance(result, NoCredentials):
            logger.info("Credentials for %s come from %s.", request, result.found_in)
            return result
        username = username or result.username
        if result.reason:
            logger.info("Credentials for %s: %s.", request, result.reason)
            reasons.append(result.reason)
    return NotFoundAnywhere(tuple(reasons))


class IndexAuth:
    """The credentials for one URL of an index; `for_project` puts them on requests.

    Args:
        request: the remote.
        providers_at_first: tried when credentials are first needed.
        providers_after_refusal: tried after the index rejected the credentials, or requested some.
        may_be_sent: whether the connection is secure, or the configuration allows an insecure one.
        trusted_publishing: issues tokens for this relay, which are revoked at its end.
    """

    def __init__(
        self,
        request: CredentialRequest,
        providers_at_first: Sequence[Provider],
        providers_after_refusal: Sequence[Provider],
        *,
        may_be_sent: bool = True,
        trusted_publishing: TrustedPublishing | None = None,
    ) -> None:
        self._request = request
        self._providers_at_first = providers_at_first
        self._providers_after_refusal = providers_after_refusal
        self._may_be_sent = may_be_sent
        self._trusted_publishing = trusted_publishing
        self._result: Credentials | NotFoundAnywhere | None = None
        self._is_optional = False
        self._rejected: set[str | None] = set()
        self._lock = threading.RLock()

    def for_project(self, project: str | None = None) -> Auth:
        """Return the credentials for requests that concern a project."""
        return _ProjectAuth(self, project)

    def make_optional(self) -> None:
        """Send requests without credentials if a secret does not exist, until the index requires some."""
        self._is_optional = True

    def make_ready(self) -> None:
        """Resolve the credentials.

        Raises:
            MissingSecret: there are none, and the index requires some.
            ConfigError: there are some, and they must not be sent.
            BackendError: the index rejects the identity of this job, or is unavailable.
        """
        result = self._resolved()
        if isinstance(result, NotFoundAnywhere):
            if self._request.requires_credentials:
                raise MissingSecret(f"No credentials for {self._request}.", hint=str(result))
        elif not self._may_be_sent:
            raise ConfigError(
                f"{display_url(self._request.address)} is plain HTTP, and credentials are not sent over it.",
                hint="Use https, or set allow_insecure = true if the network is trusted.",
            )

    def require_trusted_publishing(self) -> None:
        """Make sure that the credentials come from trusted publishing.

        Raises:
            ConfigError: they come from another provider.
            WheelrelayError: as `make_ready`.
        """
        self.make_ready()
        result = self._resolved()
        if not isinstance(result, TrustedPublishing):
            state = (
                "there are no credentials"
                if isinstance(result, NotFoundAnywhere)
                else f"the credentials come from {result.found_in}"
            )
            raise ConfigError(
                f"{self._request} accepts attestations only with trusted publishing, but {state}.",
                hint="Remove other credentials and let the job have an identity, or set attest = false.",
            )

    def credentials(self) -> Credentials | NotFoundAnywhere:
        """Return the credentials, or where they were looked up; resolves them on the first call.

        Raises:
            WheelrelayError: as `resolve`.
        """
        return self._resolved()

    def would_issue_token(self) -> bool:
        """Return whether `make_ready` would request a token for this job; none is requested here.

        Raises:
            MissingSecret: the configuration refers to a secret that does not exist.
            Unavailable: the index or the CI system is unavailable.
        """
        if self._trusted_publishing is None or self._result is not None:
            return False
        tokens = self._trusted_publishing
        earlier = self._providers_at_first[: self._providers_at_first.index(tokens.provide)]
        if not isinstance(resolve(self._request, earlier), NotFoundAnywhere):
            return False
        return isinstance(tokens.obtain_identity(), str)

    def publisher(self) -> str | None:
        """Return the build that publishes, as `builder_url` names it; ``None`` without trusted publishing."""
        result = self._resolved()
        return result.publisher if isinstance(result, TrustedPublishing) else None

    def close(self) -> None:
        """Revoke the tokens that were issued for this relay."""
        if self._trusted_publishing:
            self._trusted_publishing.revoke()

    def header(self, project: str | None) -> str | None:
        """Return the ``Authorization`` header, or ``None`` if there are no credentials.

        Raises:
            WheelrelayError: as `make_ready`.
        """
        with self._lock:
            result = self._resolved()
            return None if isinstance(result, NotFoundAnywhere) else result.header(project)

    def renew(self, refusal: Response, project: str | None) -> bool:
        """Resolve the credentials again after a refusal; see `Auth.renew`.

        After a 403 they are not resolved again, but a token may have expired and been replaced meanwhile.

        Raises:
            AuthenticationFailed: a 401 with no other credentials; the hint names their provider.
            PermissionDenied: likewise for a 403.
        """
        used = refusal.request_headers.get("Authorization")
        # Several threads may receive the same refusal: the first one resolves, the others see its result.
        with self._lock:
            if self.header(project) != used:
                return True
            if refusal.status_code != 401:
                raise self._permission_denied(refusal)
            if used not in self._rejected:
                self._resolve_again(project)
                if self.header(project) != used:
                    return True
                self._rejected.add(used)
            raise self._authentication_failed(refusal)

    def _resolved(self) -> Credentials | NotFoundAnywhere:
        with self._lock:
            if self._result is None:
                self._result = self._resolve_first()
            return self._result

    def _resolve_first(self) -> Credentials | NotFoundAnywhere:
        try:
            return resolve(self._request, self._providers_at_first)
        except MissingSecret as error:
            if not self._is_optional:
                raise
            logger.warning("%s is read without credentials: %s", self._request, error.message)
            return NotFoundAnywhere((error.message.rstrip("."),))

    def _resolve_again(self, project: str | None) -> None:
        """Resolve again; if nothing is found, keep the rejected credentials for the error message."""
        self._request.account.renew()
        if self._trusted_publishing:
            self._trusted_publishing.discard(project)
        result = resolve(self._request, self._providers_after_refusal)
        if not isinstance(result, NotFoundAnywhere):
            self._result = result
        elif isinstance(self._result, NotFoundAnywhere):
            self._result = self._result.merge(result)

    def _authentication_failed(self, refusal: Response) -> AuthenticationFailed:
        result = self._resolved()
        hint = (
            str(result)
            if isinstance(result, NotFoundAnywhere)
            else f"The credentials come from {result.found_in}."
        )
        with refusal:
            return AuthenticationFailed(str(status_error(refusal)), hint=hint)

    def _permission_denied(self, refusal: Response) -> PermissionDenied:
        result = self._resolved()
        hint = (
            str(result)
            if isinstance(result, NotFoundAnywhere)
            else f"The credentials come from {result.found_in}: check their permissions."
        )
        with refusal:
            return PermissionDenied(str(status_error(refusal)), hint=hint)


class _ProjectAuth(Auth):
    """The credentials of an index for requests that concern one project."""

    def __init__(self, auth: IndexAuth, project: str | None) -> None:
        self._auth = auth
        self._project = project

    def header(self) -> str | None:
        """Return the ``Authorization`` header, if there are credentials."""
        return self._auth.header(self._project)

    def renew(self, refusal: Response) -> bool:
        """Resolve the credentials again."""
        return self._auth.renew(refusal, self._project)


def reading_auth(request: CredentialRequest, *, uploads_elsewhere: bool = False) -> IndexAuth:
    """Return the credentials to read an index with.

    Args:
        request: the remote.
        uploads_elsewhere: whether files are uploaded to another host, which configured credentials are for.
    """
    stored: tuple[Provider, ...] = (
        (providers.for_upload_host_only, providers.pypirc) if uploads_elsewhere else STORED
    )
    at_first = (*stored, providers.netrc, providers.gitlab_job)
    return IndexAuth(request, at_first, (*stored, providers.keyring, providers.netrc, providers.gitlab_job))


def listing_auth(request: CredentialRequest) -> IndexAuth:
    """Return the credentials to read a listing with."""
    candidates = (
        providers.configuration,
        providers.own_variables,
        providers.netrc,
        providers.gitlab_job,
    )
    return IndexAuth(request, candidates, candidates)


def uploading_auth(request: CredentialRequest, http: HttpClient, *, may_be_sent: bool) -> IndexAuth:
    """Return the credentials to upload with, from all providers.

    Args:
        request: the remote.
        http: a client without credentials.
        may_be_sent: see `IndexAuth`; if false, no token is requested and there is no prompt.
    """
    stored = (*STORED, providers.keyring, providers.netrc, providers.gitlab_job)
    if not may_be_sent:
        return IndexAuth(request, stored, stored, may_be_sent=False)
    tokens = TrustedPublishing(http, request.address, request.account.audience)
    without_prompt = (*stored, tokens.provide)
    return IndexAuth(request, (*without_prompt, providers.prompt), without_prompt, trusted_publishing=tokens)
