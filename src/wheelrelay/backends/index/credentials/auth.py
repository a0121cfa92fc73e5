"""Keep the credentials of an index: resolved when they are used, once for all threads, again after a 401."""

import threading
from collections.abc import Sequence

from wheelrelay.backends.index.credentials import providers
from wheelrelay.backends.index.credentials.chain import NotFoundAnywhere, look
from wheelrelay.backends.index.credentials.request import CredentialRequest, Credentials, Place
from wheelrelay.backends.index.credentials.trusted_publishing import TrustedPublishing
from wheelrelay.errors import AuthenticationFailed, ConfigError, MissingSecret, PermissionDenied
from wheelrelay.http import Auth, HttpClient, Response, display_url, status_error

WRITTEN_DOWN: tuple[Place, ...] = (
    providers.configuration,
    providers.own_variables,
    providers.twine_variables,
    providers.pypirc,
)
"""Where credentials stand for this very remote, and can be read without anybody noticing."""


class IndexAuth:
    """The credentials for one address of an index; `for_project` puts them on requests.

    Args:
        wanted: what for.
        at_first: where to look for them when they are needed.
        when_refused: where to look after the index did not accept what was found, or asked for some.
        may_be_sent: whether nobody can listen on the way there, or the configuration does not mind.
        tokens: that are made for this relay and given back at its end.
    """

    def __init__(
        self,
        wanted: CredentialRequest,
        at_first: Sequence[Place],
        when_refused: Sequence[Place],
        *,
        may_be_sent: bool = True,
        tokens: TrustedPublishing | None = None,
    ) -> None:
        self._wanted = wanted
        self._at_first = at_first
        self._when_refused = when_refused
        self._may_be_sent = may_be_sent
        self._tokens = tokens
        self._found: Credentials | NotFoundAnywhere | None = None
        self._hopeless: set[str | None] = set()
        self._lock = threading.RLock()

    def for_project(self, project: str | None = None) -> Auth:
        """The credentials for the requests that concern a project."""
        return _ProjectAuth(self, project)

    def make_ready(self) -> None:
        """Resolve the credentials.

        Raises:
            MissingSecret: there are none, and the index takes nothing without.
            ConfigError: there are some, and they must not be sent.
            BackendError: the index refuses the identity of this job, or cannot be asked.
        """
        found = self._resolved()
        if isinstance(found, NotFoundAnywhere):
            if self._wanted.is_guarded:
                raise MissingSecret(f"There are no credentials for {self._wanted}.", hint=str(found))
        elif not self._may_be_sent:
            raise ConfigError(
                f"{display_url(self._wanted.address)} is plain HTTP, and credentials are not sent over it.",
                hint="Use https, or say allow_insecure = true if nobody can listen.",
            )

    def demand_trusted_publishing(self) -> None:
        """Make sure that the credentials come from trusted publishing.

        Raises:
            ConfigError: they come from elsewhere.
            WheelrelayError: as `make_ready`.
        """
        self.make_ready()
        found = self._resolved()
        if not isinstance(found, TrustedPublishing):
            where = (
                "there are none"
                if isinstance(found, NotFoundAnywhere)
                else f"they come from {found.found_in}"
            )
            raise ConfigError(
                f"{self._wanted} takes attestations only with credentials from trusted publishing; {where}.",
                hint="Take other credentials away and let the job have an identity, or say attest = false.",
            )

    def publisher(self) -> str | None:
        """The build that publishes, as `builder_url` returns it; known with trusted publishing only."""
        found = self._resolved()
        return found.publisher if isinstance(found, TrustedPublishing) else None

    def close(self) -> None:
        """Give back what was made for this relay alone."""
        if self._tokens:
            self._tokens.give_back()

    def header(self, project: str | None) -> str | None:
        """The value of the ``Authorization`` header; none if there are no credentials.

        Raises:
            WheelrelayError: as `make_ready`.
        """
        with self._lock:
            found = self._resolved()
            return None if isinstance(found, NotFoundAnywhere) else found.header(project)

    def renew(self, refusal: Response, project: str | None) -> bool:
        """Look again after a refusal; see `Auth.renew`.

        Several threads may meet the same refusal: the first one looks, the others go by what it found.
        A 403 is no reason to look, but a token may have expired meanwhile.

        Raises:
            AuthenticationFailed: nothing helps against a 401; says where the credentials come from.
            PermissionDenied: likewise for a 403.
        """
        used = refusal.request_headers.get("Authorization")
        with self._lock:
            if self.header(project) != used:
                return True
            if refusal.status_code != 401:
                raise self._forbidden(refusal)
            if used not in self._hopeless:
                self._look_again(project)
                if self.header(project) != used:
                    return True
                self._hopeless.add(used)
            raise self._explained(refusal)

    def _resolved(self) -> Credentials | NotFoundAnywhere:
        with self._lock:
            if self._found is None:
                self._found = look(self._wanted, self._at_first)
            return self._found

    def _look_again(self, project: str | None) -> None:
        """Find credentials anew; if there are none, those that were refused stay, to be told of."""
        self._wanted.account.renew()
        if self._tokens:
            self._tokens.drop(project)
        found = look(self._wanted, self._when_refused)
        if not isinstance(found, NotFoundAnywhere):
            self._found = found
        elif isinstance(self._found, NotFoundAnywhere):
            self._found = self._found.and_not_in(found)

    def _explained(self, refusal: Response) -> AuthenticationFailed:
        """What a 401 that nothing helps against means: in the index's words, and where we looked."""
        found = self._resolved()
        where = (
            str(found)
            if isinstance(found, NotFoundAnywhere)
            else f"The credentials come from {found.found_in}."
        )
        with refusal:
            return AuthenticationFailed(str(status_error(refusal)), hint=where)

    def _forbidden(self, refusal: Response) -> PermissionDenied:
        """What a 403 means, which may be about these credentials."""
        found = self._resolved()
        hint = (
            f"No credentials were sent. {found}"
            if isinstance(found, NotFoundAnywhere)
            else f"The credentials come from {found.found_in}: check what they may do there."
        )
        with refusal:
            return PermissionDenied(str(status_error(refusal)), hint=hint)


class _ProjectAuth(Auth):
    """The credentials of an index on the requests that concern one project."""

    def __init__(self, auth: IndexAuth, project: str | None) -> None:
        self._auth = auth
        self._project = project

    def header(self) -> str | None:
        """The credentials, if there are some."""
        return self._auth.header(self._project)

    def renew(self, refusal: Response) -> bool:
        """Look again."""
        return self._auth.renew(refusal, self._project)


def reading_auth(wanted: CredentialRequest, *, elsewhere: bool = False) -> IndexAuth:
    """Credentials to read an index with, where some are written down or it asks for them.

    Args:
        wanted: what for.
        elsewhere: whether files are sent to another host, which what is configured is for then.
    """
    written: tuple[Place, ...] = (
        (providers.of_the_other_host, providers.pypirc) if elsewhere else WRITTEN_DOWN
    )
    return IndexAuth(wanted, (*written, providers.netrc), (*written, providers.keyring, providers.netrc))


def uploading_auth(wanted: CredentialRequest, http: HttpClient, *, may_be_sent: bool) -> IndexAuth:
    """Credentials to upload with, from wherever there are some.

    Args:
        wanted: what for.
        http: how to reach the index, without credentials.
        may_be_sent: see `IndexAuth`; if not, no token is made and nobody is prompted.
    """
    kept = (*WRITTEN_DOWN, providers.keyring, providers.netrc)
    if not may_be_sent:
        return IndexAuth(wanted, kept, kept, may_be_sent=False)
    tokens = TrustedPublishing(http, wanted.address, wanted.account.audience)
    again = (*kept, tokens.place)
    return IndexAuth(wanted, (*again, providers.prompt), again, tokens=tokens)
