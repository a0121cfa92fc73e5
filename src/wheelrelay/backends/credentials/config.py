"""The configuration keys of remotes that take a login: package indexes and listings."""

from typing import Self

from pydantic import Field, model_validator

from wheelrelay.backends.credentials.requests import Account
from wheelrelay.config import LocalPath, NetworkConfig, SecretReference, SecretValue, TextOrReference


class LoginConfig(NetworkConfig):
    """A remote on a web server that may require a user name and a password, a token or a certificate."""

    username: TextOrReference | None = Field(default=None, description="User name, or a reference to it.")
    password: SecretReference | None = Field(default=None, description="Reference to the password.")
    token: SecretReference | None = Field(
        default=None, description="Reference to an API token, instead of username and password."
    )
    ca_cert: LocalPath | None = Field(
        default=None, description="CA bundle to use instead of the default one."
    )
    client_cert: LocalPath | None = Field(
        default=None, description="Client certificate and its key, in one PEM file."
    )
    allow_insecure: bool = Field(
        default=False, description="Send credentials over plain HTTP to other machines too."
    )

    @model_validator(mode="after")
    def _check_credentials(self) -> Self:
        if self.token and (self.username or self.password):
            raise ValueError("set either token, or username and password")
        return self

    def _account(self, audience: str | None = None) -> Account:
        """Return the configured credentials.

        Args:
            audience: the audience of identities of CI jobs for this remote, if it accepts any.
        """
        secret = self.token or self.password
        return Account(
            self.remote_name,
            None if self.token or not self.username else SecretValue(self.username),
            SecretValue(secret) if secret else None,
            audience,
        )
