"""The configuration of the types ``github-release`` and ``github-artifacts``."""

import os
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from wheelrelay.config import (
    NetworkConfig,
    SecretReference,
    SecretValue,
    StoreConfig,
    WebAddress,
)
from wheelrelay.errors import ConfigError
from wheelrelay_github.addresses import PUBLIC_API, validate_template

if TYPE_CHECKING:
    from wheelrelay.http import HttpClient
    from wheelrelay_github.api import GitHubApi, Token
    from wheelrelay_github.artifacts import ArtifactSource, RunChoice
    from wheelrelay_github.release_store import ReleaseStore

_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}")


def _repository(text: str) -> str:
    if not _REPOSITORY.fullmatch(text) or text.endswith(("/.", "/..")):
        raise ValueError("a repository is written owner/name")
    return text


Repository = Annotated[str, AfterValidator(_repository)]


class GitHubApp(BaseModel):
    """A GitHub App that is installed for the repository."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=True)

    id: str = Field(description="The App's client id, or its numeric id.", coerce_numbers_to_str=True)
    private_key: SecretReference = Field(description="Reference to the App's private key, in PEM form.")
    installation: int | None = Field(
        default=None, description="The id of the installation; by default, that of the repository."
    )


class GitHubConfig(NetworkConfig):
    """A repository on GitHub or a GitHub Enterprise server."""

    repository: Repository = Field(description="The repository, such as numpy/numpy.")
    api_url: WebAddress = Field(
        default=PUBLIC_API,
        description="Address of the API; that of an Enterprise server is https://HOST/api/v3.",
    )
    token: SecretReference | None = Field(
        default=None,
        description="Reference to a token; by default GITHUB_TOKEN or GH_TOKEN in the environment.",
    )
    app: GitHubApp | None = Field(default=None, description="The GitHub App whose tokens to use.")

    @model_validator(mode="after")
    def _one_credential(self) -> Self:
        if self.token and self.app:
            raise ValueError("give only one of token and app")
        return self

    @contextmanager
    def _connected(self) -> Iterator["GitHubApi"]:
        from wheelrelay.http import HttpClient
        from wheelrelay_github.api import GitHubApi

        with closing(HttpClient(own_urls=(self.api_url,), timeout=self.timeout)) as http:
            yield GitHubApi(http, self.api_url, self.repository, self._token(http))

    def _token(self, http: "HttpClient") -> "Token | None":
        from wheelrelay_github.api import GitHubApi
        from wheelrelay_github.credentials import AppJwt, AppToken, token_in_environment

        if self.app:
            jwt = AppJwt(self.app.id, self.app.private_key)
            api = GitHubApi(http, self.api_url, self.repository, jwt)
            return AppToken(api, self.api_url, self.app.installation)
        if self.token:
            return SecretValue(self.token)
        if name := token_in_environment(self.api_url):
            return SecretValue(TypeAdapter(SecretReference).validate_python({"env": name}))
        return None


class GitHubReleaseConfig(GitHubConfig, StoreConfig):
    """The assets of a repository's releases."""

    type: Literal["github-release"] = "github-release"
    tag: Annotated[str, AfterValidator(validate_template)] = Field(
        default="v{version}",
        description="Tag of the release of a file; {version} and {project} stand for those of the file. As a "
        "source, all releases with such a tag are read.",
    )
    create: bool = Field(default=False, description="Create a release that does not exist.")
    draft: bool = Field(default=False, description="Create releases as drafts.")
    prerelease: bool = Field(default=False, description="Mark created releases as pre-releases.")

    @model_validator(mode="after")
    def _created(self) -> Self:
        if (self.draft or self.prerelease) and not self.create:
            raise ValueError("draft and prerelease are for releases that are created: set create = true")
        return self

    @classmethod
    def from_address(cls, address: str) -> Self:
        """``github-release://owner/name`` or ``github-release://owner/name@tag``."""
        repository, _, tag = address.partition("://")[2].partition("@")
        if not _REPOSITORY.fullmatch(repository):
            raise ConfigError(
                f"{address!r} names no repository.", hint="Write github-release://owner/name@tag."
            )
        return cls(repository=repository, tag=tag) if tag else cls(repository=repository)

    def address(self) -> str:
        """``github-release://owner/name@tag``."""
        return f"github-release://{self.repository}@{self.tag}"

    @contextmanager
    def open(self) -> Iterator["ReleaseStore"]:
        """Connect; nothing is requested yet.

        Raises:
            ConfigError: a certificate or the timeout cannot be used.
        """
        from wheelrelay_github.addresses import TagTemplate
        from wheelrelay_github.release_store import NewReleases, ReleaseStore

        new = NewReleases(self.create, self.draft, self.prerelease)
        with self._connected() as api:
            yield ReleaseStore(api, TagTemplate(self.tag), new)


class GitHubArtifactsConfig(GitHubConfig):
    """The artifacts of a workflow run; they can only be read."""

    type: Literal["github-artifacts"] = "github-artifacts"
    run: int | Literal["this"] | None = Field(
        default=None, description='Id of the workflow run; "this" is the run that wheelrelay is part of.'
    )
    commit: str | None = Field(
        default=None,
        pattern=r"^[0-9a-f]{40}$",
        description="Full id of a commit: take its newest successful run.",
    )
    branch: str | None = Field(default=None, description="Take the newest successful run of this branch.")
    workflow: str | None = Field(
        default=None, description="File name of the workflow, such as wheels.yml, to find the run by."
    )
    artifacts: tuple[str, ...] = Field(
        default=("*",), min_length=1, description='Patterns for the names of artifacts, such as "wheels-*".'
    )

    @model_validator(mode="after")
    def _one_run(self) -> Self:
        found_by = (self.commit, self.branch, self.workflow)
        if self.run is None and not any(found_by):
            raise ValueError('say which run: run = "this", a run\'s id, commit, branch or workflow')
        if self.run is not None and any(found_by):
            raise ValueError("give either run, or what the run is found by: commit, branch, workflow")
        return self

    def address(self) -> str:
        """The repository's address with the run."""
        return f"github-artifacts of {self.repository}"

    @contextmanager
    def open(self) -> Iterator["ArtifactSource"]:
        """Connect; nothing is requested yet.

        Raises:
            ConfigError: ``run = "this"`` outside of GitHub Actions.
        """
        from wheelrelay_github.artifacts import ArtifactSource

        choice = self._choice()
        with self._connected() as api:
            yield ArtifactSource(api, choice, self.artifacts)

    def _choice(self) -> "RunChoice":
        from wheelrelay_github.artifacts import RunChoice

        if self.run != "this":
            return RunChoice(self.run, self.commit, self.branch, self.workflow)
        run = os.environ.get("GITHUB_RUN_ID", "")
        if not run.isdecimal():
            raise ConfigError(
                'run = "this" works only in a job of GitHub Actions.', hint="Give the id of a run."
            )
        return RunChoice(int(run))
