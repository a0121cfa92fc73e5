"""What is looked for, and what a place may give: a login, or the reason why it has none."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from wheelrelay.config import SecretValue
from wheelrelay.config.secrets import is_one_line
from wheelrelay.errors import ConfigError
from wheelrelay.http import basic_auth_header, display_url
from wheelrelay.redaction import register_secret

TOKEN_USER = "__token__"  # noqa: S105  (the user name that goes with any token)


@dataclass(frozen=True, slots=True)
class Account:
    """What the configuration of a remote says of credentials.

    Attributes:
        remote: what the remote is called, or its address; empty if it has no name.
        username: as configured.
        password: as configured, a token too; the same object for all who ask, so that it is resolved once.
        audience: whom the identity of a CI job is for that is sent there; ``None`` to send none.
    """

    remote: str = ""
    username: SecretValue | None = None
    password: SecretValue | None = None
    audience: str | None = None

    @property
    def has_name(self) -> bool:
        """Whether the remote has a name, and not only an address."""
        return bool(self.remote) and "/" not in self.remote

    def renew(self) -> None:
        """Forget what the references led to, so that the next use follows them again."""
        for secret in (self.username, self.password):
            if secret:
                secret.renew()


@dataclass(frozen=True, slots=True)
class CredentialRequest:
    """What credentials are wanted for: a remote, at the address of its upload API, or that is read."""

    account: Account
    address: str

    def __str__(self) -> str:
        name = f"{self.account.remote!r}, " if self.account.has_name else ""
        return name + display_url(self.address)

    @property
    def is_guarded(self) -> bool:
        """Whether nothing is taken there without credentials: PyPI and TestPyPI."""
        from wheelrelay.config.pypirc import kind_of

        return kind_of(self.address) != "index"


class Credentials(Protocol):
    """What puts an ``Authorization`` header on requests."""

    @property
    def found_in(self) -> str:
        """Where it comes from, in words."""
        ...

    def header(self, project: str | None) -> str:
        """The header's value for a request that concerns a project.

        Raises:
            BackendError: none can be had.
        """
        ...


@dataclass(frozen=True, slots=True)
class Login:
    """A user name with a password or a token.

    Raises:
        ConfigError: one holds a control character, as when a line end was stored with it.
    """

    username: str = field(repr=False)
    password: str = field(repr=False)
    found_in: str

    def __post_init__(self) -> None:
        register_secret(self.password)
        if not is_one_line(self.username + self.password):
            raise ConfigError(
                f"The credentials from {self.found_in} hold a line end or another control character.",
                hint="Store them as one line.",
            )

    def header(self, _: str | None) -> str:
        """The value for basic authentication (RFC 7617), the same for every project."""
        return basic_auth_header(self.username, self.password)


@dataclass(frozen=True, slots=True)
class NoCredentials:
    """Why a place has no credentials.

    Attributes:
        reason: a clause, as ``there is no ~/.pypirc``.
        username: the user name that it gives all the same.
    """

    reason: str
    username: str | None = field(default=None, repr=False)


Place = Callable[[CredentialRequest, str | None], Credentials | NoCredentials]
"""Looks for credentials; the second argument is the user name, if an earlier place gave one."""
