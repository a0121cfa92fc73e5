"""The credentials that an index requests, what is known about its remote, and what a provider returns."""

from collections.abc import Callable
from dataclasses import field
from typing import Protocol

from wheelrelay.config import SecretValue
from wheelrelay.config.pypirc import kind_of
from wheelrelay.config.secrets import is_one_line
from wheelrelay.errors import ConfigError
from wheelrelay.http import basic_auth_header, display_url
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.redaction import register_secret

TOKEN_USER = "__token__"  # noqa: S105  (the user name that goes with every token)


@dataclass(frozen=True, slots=True)
class Account:
    """The credentials in the configuration of a remote.

    Attributes:
        remote: the remote's name, or its URL; empty if it has neither.
        username: the configured user name.
        password: the configured password or token; shared, so that it is resolved once.
        audience: the audience of the CI job's identity that is sent there; ``None`` to send none.
    """

    remote: str = ""
    username: SecretValue | None = None
    password: SecretValue | None = None
    audience: str | None = None

    @property
    def has_name(self) -> bool:
        """Whether the remote has a name, and not only a URL."""
        return bool(self.remote) and "/" not in self.remote

    def renew(self) -> None:
        """Discard the resolved secrets, so that the next use resolves the references again."""
        for secret in (self.username, self.password):
            if secret:
                secret.renew()


@dataclass(frozen=True, slots=True)
class CredentialRequest:
    """The remote that credentials are needed for.

    Attributes:
        account: the remote's configured credentials.
        address: the URL of its upload API, or the URL that is read.
    """

    account: Account
    address: str

    def __str__(self) -> str:
        name = f"{self.account.remote!r}, " if self.account.has_name else ""
        return name + display_url(self.address)

    @property
    def kind(self) -> str:
        """The type of remote: ``pypi``, ``testpypi`` or ``index``."""
        return kind_of(self.address)

    @property
    def requires_credentials(self) -> bool:
        """Whether the index is known to reject anonymous uploads: PyPI and TestPyPI."""
        return self.kind != "index"


class Credentials(Protocol):
    """Credentials that can be put on requests."""

    @property
    def found_in(self) -> str:
        """The provider that they come from, for messages."""
        ...

    def header(self, project: str | None) -> str:
        """Return the ``Authorization`` header for a request that concerns a project.

        Raises:
            BackendError: no credentials can be obtained.
        """
        ...


@dataclass(frozen=True, slots=True)
class Login:
    """A user name with a password or a token.

    Raises:
        ConfigError: one contains a control character, such as a line break at its end.
    """

    username: str = field(repr=False)
    password: str = field(repr=False)
    found_in: str

    def __post_init__(self) -> None:
        register_secret(self.password)
        if not is_one_line(self.username + self.password):
            raise ConfigError(
                f"The credentials from {self.found_in} contain a line break or another control character.",
                hint="Store them as one line.",
            )

    def header(self, _: str | None) -> str:
        """Return the header for basic authentication (RFC 7617), which is the same for all projects."""
        return basic_auth_header(self.username, self.password)


@dataclass(frozen=True, slots=True)
class NoCredentials:
    """The reason why a provider has no credentials.

    Attributes:
        reason: a clause, such as ``~/.pypirc does not exist``; empty if the provider is not meant for the
            remote.
        username: a user name that the provider has without a password.
    """

    reason: str
    username: str | None = field(default=None, repr=False)


Provider = Callable[[CredentialRequest, str | None], Credentials | NoCredentials]
"""Looks up credentials; the second argument is the user name, if an earlier provider had one."""
