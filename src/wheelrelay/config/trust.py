"""Those who may vouch for files: the owners of keys, and publishers that a CI system tells apart."""

import os
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationInfo,
)

from wheelrelay.errors import ConfigError
from wheelrelay.signing import TrustedPublisher, parse_fingerprint

_REPOSITORY = r"[^/\s]+(/[^/\s]+)+"

Ref = Annotated[str | None, Field(pattern=r"^(refs/|\*)")]
Environment = Annotated[str | None, Field(min_length=1, max_length=255)]

_REF = 'Which git refs count, a pattern such as "refs/tags/v*"; any if not given.'
_ENVIRONMENT = "The environment that the job must have run in; any or none if not given."


class _Publisher(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class GitHubPublisher(_Publisher):
    """A workflow of a repository on GitHub."""

    github: str = Field(pattern=f"^{_REPOSITORY}$", description="The repository, as OWNER/NAME.")
    workflow: str = Field(description="The file of the workflow in .github/workflows, as release.yml.")
    ref: Ref = Field(default=None, description=_REF)
    environment: Environment = Field(default=None, description=_ENVIRONMENT)

    def trusted(self) -> TrustedPublisher:
        """As it is compared."""
        details = {"repository": self.github, "workflow": self.workflow}
        return TrustedPublisher("GitHub", details, self.ref, self.environment)


class GitLabPublisher(_Publisher):
    """A pipeline of a project on GitLab."""

    gitlab: str = Field(pattern=f"^{_REPOSITORY}$", description="The project, as GROUP/NAME.")
    workflow: str = Field(default=".gitlab-ci.yml", description="The path of the pipeline's file.")
    ref: Ref = Field(default=None, description=_REF)
    environment: Environment = Field(default=None, description=_ENVIRONMENT)

    def trusted(self) -> TrustedPublisher:
        """As it is compared."""
        details = {"repository": self.gitlab, "workflow": self.workflow}
        return TrustedPublisher("GitLab", details, self.ref, self.environment)


class GooglePublisher(_Publisher):
    """A service account of Google Cloud."""

    google: str = Field(pattern=r"^[^@\s]+@[^@\s]+$", description="The account's e-mail address.")

    def trusted(self) -> TrustedPublisher:
        """As it is compared."""
        return TrustedPublisher("Google", {"email": self.google})


class CircleCIPublisher(_Publisher):
    """A pipeline of a project on CircleCI."""

    circleci: str = Field(description="The id of the project.")
    pipeline: str = Field(description="The id of the pipeline definition.")
    ref: Ref = Field(default=None, description=_REF)

    def trusted(self) -> TrustedPublisher:
        """As it is compared."""
        details = {"project": self.circleci, "pipeline": self.pipeline}
        return TrustedPublisher("CircleCI", details, self.ref)


_KINDS = ("github", "gitlab", "google", "circleci")


def _key(text: str, info: ValidationInfo) -> str:
    """A fingerprint in one spelling, or the path of a key file, counted from the configuration file."""
    try:
        fingerprint = parse_fingerprint(text)
    except ConfigError as error:
        raise ValueError(str(error)) from error
    return fingerprint or str(Path((info.context or {}).get("base", "")) / Path(os.path.expanduser(text)))


def _kind_of(given: Any) -> str | None:
    if isinstance(given, str):
        return "<key>"
    names = given if isinstance(given, dict) else getattr(given, "model_fields_set", ())
    return next((f"<{kind}>" for kind in _KINDS if kind in names), None)


VoucherField = Annotated[
    Annotated[str, AfterValidator(_key), Tag("<key>")]
    | Annotated[GitHubPublisher, Tag("<github>")]
    | Annotated[GitLabPublisher, Tag("<gitlab>")]
    | Annotated[GooglePublisher, Tag("<google>")]
    | Annotated[CircleCIPublisher, Tag("<circleci>")],
    Discriminator(
        _kind_of,
        custom_error_type="publisher",
        custom_error_message="neither a key nor a publisher, which is a table with github, gitlab, google "
        "or circleci, as "
        '{ github = "OWNER/NAME", workflow = "release.yml" }',
    ),
]
"""A key or a publisher."""
