"""The configuration of remotes of the type ``webdav``."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, model_validator

from wheelrelay.config import ContainerConfig, SecretReference, SecretValue, TextOrReference, WebAddress
from wheelrelay.http import is_secure

if TYPE_CHECKING:
    from wheelrelay.containers import ContainerStore


class WebDavConfig(ContainerConfig):
    """A folder on a WebDAV server."""

    type: Literal["webdav"] = "webdav"
    url: WebAddress = Field(description="Address of the folder, which must exist.")
    username: TextOrReference | None = Field(default=None, description="User name, or a reference to it.")
    password: SecretReference | None = Field(default=None, description="Reference to the password.")

    @model_validator(mode="after")
    def _require_safe_credentials(self) -> Self:
        if bool(self.username) != bool(self.password):
            raise ValueError("username and password must be set together")
        if self.password and not is_secure(self.url):
            raise ValueError("the password would be sent over plain HTTP; use an https address")
        return self

    @contextmanager
    def open(self) -> Iterator["ContainerStore"]:
        """Open the folder as a store.

        Raises:
            MissingSecret: A secret reference has no value.
        """
        from wheelrelay.containers import ContainerStore  # imported on use, so that commands start fast
        from wheelrelay_webdav.dav import Dav
        from wheelrelay_webdav.objects import WebDavObjects

        account = None
        if self.username and self.password:
            account = (SecretValue(self.username).get(), SecretValue(self.password).get())
        with closing(Dav(self.url, account)) as dav:
            store = ContainerStore(
                WebDavObjects(dav), pages=self.pages, public_url=self.public_url, cdn_lag=self.cdn_lag
            )
            with closing(store):
                yield store
