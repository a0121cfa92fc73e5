"""The configuration of the type ``gitlab-packages``."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Annotated, Literal, Self
from urllib.parse import unquote

from pydantic import AfterValidator, Field, TypeAdapter, model_validator

from wheelrelay.config import NetworkConfig, SecretReference, SecretValue, StoreConfig, WebAddress
from wheelrelay.errors import ConfigError
from wheelrelay.http import is_secure

if TYPE_CHECKING:
    from wheelrelay_gitlab.api import Token
    from wheelrelay_gitlab.store import GenericPackages

PUBLIC_API = "https://gitlab.com/api/v4"


def _api_of_the_job() -> str:
    return os.environ.get("CI_API_V4_URL") or PUBLIC_API


def _project(text: str) -> str:
    if text.isdecimal() or ("/" in text.strip("/") and text == text.strip("/ ")):
        return text
    raise ValueError("a project is written group/name, or as its id")


Project = Annotated[str, AfterValidator(_project)]


class GitLabPackagesConfig(StoreConfig, NetworkConfig):
    """The generic packages of a GitLab project, with one version for each release."""

    type: Literal["gitlab-packages"] = "gitlab-packages"
    project: Project = Field(description="The GitLab project, such as group/name, or its id.")
    api_url: WebAddress = Field(
        default_factory=_api_of_the_job,
        description="Address of the API; by default CI_API_V4_URL in a job, and gitlab.com elsewhere.",
    )
    token: SecretReference | None = Field(
        default=None,
        description="Reference to an access token; by default CI_JOB_TOKEN in a job of the same server, else "
        "GITLAB_TOKEN.",
    )

    @model_validator(mode="after")
    def _require_tls(self) -> Self:
        if not is_secure(self.api_url):
            raise ValueError("api_url: the token would be sent over plain HTTP; use an https address")
        return self

    @classmethod
    def from_address(cls, address: str) -> Self:
        """Parse ``gitlab-packages://group/name``."""
        project = unquote(address.partition("://")[2]).strip("/")
        if "/" not in project:
            raise ConfigError(f"{address!r} names no project.", hint="Write gitlab-packages://group/name.")
        return cls(project=project)

    def address(self) -> str:
        """Return ``gitlab-packages://group/name``."""
        return f"gitlab-packages://{self.project}"

    @contextmanager
    def open(self) -> Iterator["GenericPackages"]:
        """Connect; nothing is requested yet.

        Raises:
            ConfigError: a certificate or the timeout cannot be used.
        """
        from wheelrelay.http import HttpClient
        from wheelrelay_gitlab.api import GitLabApi
        from wheelrelay_gitlab.store import GenericPackages

        with closing(HttpClient(own_urls=(self.api_url,), timeout=self.timeout)) as http:
            yield GenericPackages(GitLabApi(http, self.api_url, self.project, self._token()))

    def _token(self) -> "Token | None":
        from wheelrelay_gitlab.api import Token

        if self.token:
            return Token(SecretValue(self.token), "PRIVATE-TOKEN")
        is_own_job = os.environ.get("CI_API_V4_URL", "").rstrip("/") == self.api_url.rstrip("/")
        if is_own_job and os.environ.get("CI_JOB_TOKEN"):
            return Token(_variable("CI_JOB_TOKEN"), "JOB-TOKEN")
        if os.environ.get("GITLAB_TOKEN"):
            return Token(_variable("GITLAB_TOKEN"), "PRIVATE-TOKEN")
        return None


def _variable(name: str) -> SecretValue:
    return SecretValue(TypeAdapter(SecretReference).validate_python({"env": name}))
