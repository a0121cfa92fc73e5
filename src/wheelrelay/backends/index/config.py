"""How to reach a package index, and the presets for PyPI and TestPyPI."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field, model_validator

from wheelrelay.checks import Profile
from wheelrelay.config import (
    Confirm,
    LocalPath,
    SecretReference,
    SinkConfig,
    TextOrReference,
    WebAddress,
)
from wheelrelay.protocols import Backend

if TYPE_CHECKING:
    from wheelrelay.http import HttpClient


class IndexConfig(SinkConfig):
    """A package index: PyPI, a private index, or one on this machine."""

    type: Literal["index"] = "index"
    url: WebAddress | None = Field(default=None, description="Address of the Simple API, as .../simple/.")
    upload_url: WebAddress | None = Field(
        default=None, description="Address of the legacy upload API; without it the index is only read."
    )
    username: TextOrReference | None = Field(default=None, description="User name, or a reference to it.")
    password: SecretReference | None = Field(default=None, description="Reference to the password.")
    token: SecretReference | None = Field(
        default=None, description="Reference to an API token; it takes the place of username and password."
    )
    ca_cert: LocalPath | None = Field(
        default=None, description="CA bundle to trust instead of the usual one."
    )
    client_cert: LocalPath | None = Field(
        default=None, description="Client certificate and its key, in one PEM file."
    )
    allow_insecure: bool = Field(
        default=False, description="Send credentials over plain HTTP to other machines too."
    )

    @model_validator(mode="after")
    def _addresses_and_credentials_make_sense(self) -> Self:
        if self.url is None and self.upload_url is None:
            raise ValueError("an index needs url, or upload_url, or both")
        if self.url is None and self.confirm is not Confirm.NONE:
            raise ValueError(
                "without url nothing can be compared or confirmed: "
                'give the address of the Simple API, or say confirm = "none"'
            )
        if self.token and (self.username or self.password):
            raise ValueError("give either token, or username and password")
        return self

    @contextmanager
    def open(self) -> Iterator[Backend]:
        """Connect: with ``upload_url`` as a sink, with ``url`` as a source, with both as both."""
        from wheelrelay.backends.index.backend import open_index

        http = self._http()
        try:
            yield open_index(http, self.url, self.upload_url)
        finally:
            http.close()

    def _http(self) -> "HttpClient":
        from wheelrelay.backends.index.credentials import credentials_for
        from wheelrelay.http import HttpClient

        addresses = tuple(address for address in (self.url, self.upload_url) if address)
        return HttpClient(
            auth=credentials_for(self.username, self.password, self.token, self.upload_url),
            origins=addresses,
            ca_cert=str(self.ca_cert) if self.ca_cert else None,
            client_cert=str(self.client_cert) if self.client_cert else None,
            allow_insecure=self.allow_insecure,
        )


class PyPIConfig(IndexConfig):
    """The Python Package Index."""

    usual_profile: ClassVar[Profile] = Profile.PYPI

    type: Literal["pypi"] = "pypi"  # type: ignore[assignment]  # a preset of an index, and a type of its own
    url: WebAddress | None = Field(
        default_factory=lambda: _presets().PYPI_SIMPLE, description="Address of the Simple API."
    )
    upload_url: WebAddress | None = Field(
        default_factory=lambda: _presets().PYPI_UPLOAD, description="Address of the upload API."
    )


class TestPyPIConfig(IndexConfig):
    """The test instance of the Python Package Index."""

    __test__ = False  # pytest takes the name for a test's
    usual_profile: ClassVar[Profile] = Profile.PYPI

    type: Literal["testpypi"] = "testpypi"  # type: ignore[assignment]  # as above
    url: WebAddress | None = Field(
        default_factory=lambda: _presets().TESTPYPI_SIMPLE, description="Address of the Simple API."
    )
    upload_url: WebAddress | None = Field(
        default_factory=lambda: _presets().TESTPYPI_UPLOAD, description="Address of the upload API."
    )


def _presets() -> "type[Presets]":
    """The addresses, from the libraries' constants; imported late, for these libraries are heavy."""
    from wheelrelay.backends.index.upload import Presets

    return Presets


if TYPE_CHECKING:
    from wheelrelay.backends.index.upload import Presets
