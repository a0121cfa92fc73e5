"""Configuration of a package index, and the presets for PyPI and TestPyPI."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar, Literal, Self, TypeVar

from pydantic import Field, model_validator

from wheelrelay.backends.credentials.config import LoginConfig
from wheelrelay.checks import Profile
from wheelrelay.config import SinkConfig, WebAddress
from wheelrelay.config.pypi_urls import PYPI_SIMPLE, PYPI_UPLOAD, TESTPYPI_SIMPLE, TESTPYPI_UPLOAD
from wheelrelay.protocols import Backend


class IndexConfig(SinkConfig, LoginConfig):
    """A package index: PyPI, a private index, or an index on this machine."""

    usual_profile: ClassVar[Profile] = Profile.INDEX

    type: Literal["index"] = "index"
    url: WebAddress | None = Field(
        default=None, description="URL of the Simple API, ending in /simple/ on most indexes."
    )
    upload_url: WebAddress | None = Field(
        default=None, description="URL of the legacy upload API. Without it, the index is only read."
    )
    trusted_publishing: bool | None = Field(
        default=None,
        description="Publish with the identity of the CI job. Default for PyPI and TestPyPI; other indexes "
        "also need an audience.",
    )
    audience: str | None = Field(
        default=None,
        min_length=1,
        description="Audience of the CI job's identity, as documented by the index. Not needed for PyPI and "
        "TestPyPI.",
    )

    attestations: Literal["publisher", "any"] = Field(
        default="publisher",
        description="The attestations that the index accepts: 'publisher', only those of the uploading "
        "identity with trusted publishing, as on PyPI; 'any', those of every publisher, as on Pulp.",
    )

    @model_validator(mode="after")
    def _check_urls_and_audience(self) -> Self:
        if self.url is None and self.upload_url is None:
            raise ValueError("an index needs url, upload_url or both")
        if self.trusted_publishing is not None or self.audience is not None:
            self._audience()
        return self

    def address(self) -> str:
        """Return the URL of the Simple API, or of the upload API if there is no other."""
        return self.url or self.upload_url or super().address()

    @contextmanager
    def open(self) -> Iterator[Backend]:
        """Connect: with ``upload_url`` as a sink, with ``url`` as a source, with both as both.

        Credentials are looked up as `wheelrelay.backends.credentials` describes.

        Raises:
            ConfigError: a certificate does not exist, or ``~/.pypirc`` cannot be read.
        """
        from wheelrelay.backends.index.backend import Connection, connect

        account = self._account(self._audience())
        connection = Connection(self.ca_cert, self.client_cert, self.allow_insecure, self.timeout)
        with connect(
            account,
            connection,
            self.url,
            self.upload_url,
            is_public=self._is_public(),
            takes_any_attestation=self.attestations == "any",
        ) as backend:
            yield backend

    def _audience(self) -> str | None:
        """Return the audience of identities for this index; ``None`` if it must not receive any.

        Raises:
            ValueError: the configured audience is not allowed, or it is missing.
        """
        if self.upload_url is None:
            return None
        from wheelrelay.backends.credentials.ci_identity import audience_for

        return audience_for(
            self.upload_url, trusted_publishing=self.trusted_publishing, configured=self.audience
        )

    def _is_public(self) -> bool:
        """Return whether the index is read without credentials."""
        return False


Preset = TypeVar("Preset", bound=IndexConfig)


class PyPIConfig(IndexConfig):
    """The Python Package Index."""

    usual_profile: ClassVar[Profile] = Profile.PYPI

    type: Literal["pypi"] = "pypi"  # type: ignore[assignment]  # a preset of an index, with its own type
    url: WebAddress | None = Field(default=PYPI_SIMPLE, description="URL of the Simple API.")
    upload_url: WebAddress | None = Field(default=PYPI_UPLOAD, description="URL of the upload API.")

    @model_validator(mode="after")
    def _check_urls(self) -> Self:
        return _with_preset_urls(self, PYPI_SIMPLE)

    def _is_public(self) -> bool:
        return True


class TestPyPIConfig(IndexConfig):
    """The test instance of the Python Package Index."""

    __test__ = False  # pytest collects classes with this prefix
    usual_profile: ClassVar[Profile] = Profile.PYPI

    type: Literal["testpypi"] = "testpypi"  # type: ignore[assignment]  # as above
    url: WebAddress | None = Field(default=TESTPYPI_SIMPLE, description="URL of the Simple API.")
    upload_url: WebAddress | None = Field(default=TESTPYPI_UPLOAD, description="URL of the upload API.")

    @model_validator(mode="after")
    def _check_urls(self) -> Self:
        return _with_preset_urls(self, TESTPYPI_SIMPLE)

    def _is_public(self) -> bool:
        return True


def _with_preset_urls(config: Preset, simple_url: str) -> Preset:
    """Return the configuration if its URLs are those of PyPI or TestPyPI.

    Credentials are looked up by these names, so they must not be sent to other URLs.
    """
    if config.attestations != "publisher":
        raise ValueError(f"{config.type} accepts attestations of the uploading identity only")
    from wheelrelay.config.pypirc import kind_of, same_place

    is_simple = config.url is None or same_place(config.url, simple_url)
    is_upload = config.upload_url is None or (
        config.upload_url.startswith("https://") and kind_of(config.upload_url) == config.type
    )
    if not (is_simple and is_upload):
        key = "upload_url" if is_simple else "url"
        raise ValueError(
            f"{key} of {config.type} cannot be changed: for another index, use another name and "
            'type = "index"'
        )
    return config
