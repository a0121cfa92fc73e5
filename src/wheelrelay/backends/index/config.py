"""How to reach a package index, and the presets for PyPI and TestPyPI."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import ClassVar, Literal, Self, TypeVar

from pydantic import Field, model_validator

from wheelrelay.checks import Profile
from wheelrelay.config import (
    LocalPath,
    NetworkConfig,
    SecretReference,
    SecretValue,
    SinkConfig,
    TextOrReference,
    WebAddress,
)
from wheelrelay.protocols import Backend


class IndexConfig(SinkConfig, NetworkConfig):
    """A package index: PyPI, a private index, or one on this machine."""

    usual_profile: ClassVar[Profile] = Profile.INDEX

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
    trusted_publishing: bool | None = Field(
        default=None,
        description="Publish by the identity of the CI job. Usual for PyPI and TestPyPI; another index needs "
        "an audience as well.",
    )
    audience: str | None = Field(
        default=None,
        min_length=1,
        description="Whom the identity of the CI job is for: the name that the index has for itself. PyPI "
        "and TestPyPI need none.",
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
        if self.token and (self.username or self.password):
            raise ValueError("give either token, or username and password")
        if self.trusted_publishing is not None or self.audience is not None:
            self._audience()
        return self

    def address(self) -> str:
        """The address of the Simple API; of the upload API if that is all there is."""
        return self.url or self.upload_url or super().address()

    @contextmanager
    def open(self) -> Iterator[Backend]:
        """Connect: with ``upload_url`` as a sink, with ``url`` as a source, with both as both.

        Where credentials are looked for is told in `wheelrelay.backends.index.credentials`.

        Raises:
            ConfigError: a certificate is not there, or ``~/.pypirc`` cannot be read.
        """
        from wheelrelay.backends.index.connection import Reach, connected
        from wheelrelay.backends.index.credentials import Account

        secret = self.token or self.password
        account = Account(
            self.remote_name,
            None if self.token or not self.username else SecretValue(self.username),
            SecretValue(secret) if secret else None,
            self._audience(),
        )
        reach = Reach(self.ca_cert, self.client_cert, self.allow_insecure, self.timeout)
        with connected(
            account, reach, self.url, self.upload_url, read_by_all=self._is_read_by_all()
        ) as backend:
            yield backend

    def _audience(self) -> str | None:
        """Whom identities are for that the index gets; ``None`` if it gets none.

        Raises:
            ValueError: the index may not have identities for the configured audience, or none is configured.
        """
        if self.upload_url is None:
            return None
        from wheelrelay.backends.index.credentials.audience import audience_for

        return audience_for(self.upload_url, trusted=self.trusted_publishing, configured=self.audience)

    def _is_read_by_all(self) -> bool:
        """Whether nobody needs credentials to read here."""
        return False


Preset = TypeVar("Preset", bound=IndexConfig)


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

    @model_validator(mode="after")
    def _addresses_stay(self) -> Self:
        return _with_its_own_addresses(self, _presets().PYPI_SIMPLE)

    def _is_read_by_all(self) -> bool:
        return True


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

    @model_validator(mode="after")
    def _addresses_stay(self) -> Self:
        return _with_its_own_addresses(self, _presets().TESTPYPI_SIMPLE)

    def _is_read_by_all(self) -> bool:
        return True


def _with_its_own_addresses(config: Preset, simple_url: str) -> Preset:
    """Refuse other addresses under the name of PyPI or TestPyPI, which credentials are looked up by."""
    from wheelrelay.config.pypirc import kind_of, same_place

    read = config.url is None or same_place(config.url, simple_url)
    written = config.upload_url is None or (
        config.upload_url.startswith("https://") and kind_of(config.upload_url) == config.type
    )
    if not (read and written):
        key = "upload_url" if read else "url"
        raise ValueError(
            f"the addresses of {config.type} stay: for another {key}, give the remote another name and "
            'type = "index"'
        )
    return config


def _presets() -> ModuleType:
    from wheelrelay.backends.index import presets

    return presets
