"""The ``trust`` table of a route: the keys and publishers whose files may be published."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationInfo,
    model_validator,
)

from wheelrelay.config.values import LocalPath, as_value_error
from wheelrelay.signing import TrustedPublisher, parse_fingerprint

_REPOSITORY = r"[^/\s]+(/[^/\s]+)+"

Ref = Annotated[str | None, Field(pattern=r"^(refs/|\*)")]
Environment = Annotated[str | None, Field(min_length=1, max_length=255)]

_REF = 'Git refs that count, as a pattern such as "refs/tags/v*". [default: any]'
_ENVIRONMENT = "Environment that the job must have used. [default: any or none]"


class _Publisher(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class GitHubPublisher(_Publisher):
    """A workflow of a GitHub repository."""

    github: str = Field(pattern=f"^{_REPOSITORY}$", description="The repository: OWNER/NAME.")
    workflow: str = Field(description="File name of the workflow in .github/workflows, such as release.yml.")
    ref: Ref = Field(default=None, description=_REF)
    environment: Environment = Field(default=None, description=_ENVIRONMENT)

    def trusted(self) -> TrustedPublisher:
        """Return the publisher in the form that attestations are compared with."""
        details = {"repository": self.github, "workflow": self.workflow}
        return TrustedPublisher("GitHub", details, self.ref, self.environment)


class GitLabPublisher(_Publisher):
    """A pipeline of a GitLab project."""

    gitlab: str = Field(pattern=f"^{_REPOSITORY}$", description="The project: GROUP/NAME.")
    workflow: str = Field(default=".gitlab-ci.yml", description="Path of the pipeline file.")
    ref: Ref = Field(default=None, description=_REF)
    environment: Environment = Field(default=None, description=_ENVIRONMENT)

    def trusted(self) -> TrustedPublisher:
        """Return the publisher in the form that attestations are compared with."""
        details = {"repository": self.gitlab, "workflow": self.workflow}
        return TrustedPublisher("GitLab", details, self.ref, self.environment)


class GooglePublisher(_Publisher):
    """A Google Cloud service account."""

    google: str = Field(pattern=r"^[^@\s]+@[^@\s]+$", description="E-mail address of the account.")

    def trusted(self) -> TrustedPublisher:
        """Return the publisher in the form that attestations are compared with."""
        return TrustedPublisher("Google", {"email": self.google})


class CircleCIPublisher(_Publisher):
    """A pipeline of a CircleCI project."""

    circleci: str = Field(description="Id of the project.")
    pipeline: str = Field(description="Id of the pipeline definition.")
    ref: Ref = Field(default=None, description=_REF)

    def trusted(self) -> TrustedPublisher:
        """Return the publisher in the form that attestations are compared with."""
        details = {"project": self.circleci, "pipeline": self.pipeline}
        return TrustedPublisher("CircleCI", details, self.ref)


_PROVIDERS = ("github", "gitlab", "google", "circleci")


def _normalize_key(text: str, info: ValidationInfo) -> str:
    """Return a fingerprint in one spelling, or a key file's path relative to the configuration file."""
    with as_value_error():
        fingerprint = parse_fingerprint(text)
    base = (info.context or {}).get("base", "")
    return fingerprint or str(Path(base) / os.path.expanduser(text))


KeyField = Annotated[str, AfterValidator(_normalize_key)]
"""A field that takes the fingerprint of a key, or the path of a key file."""


def _provider_of(publisher: Any) -> str | None:
    keys = publisher if isinstance(publisher, dict) else getattr(publisher, "model_fields_set", ())
    return next((f"<{provider}>" for provider in _PROVIDERS if provider in keys), None)


Publisher = Annotated[
    Annotated[GitHubPublisher, Tag("<github>")]
    | Annotated[GitLabPublisher, Tag("<gitlab>")]
    | Annotated[GooglePublisher, Tag("<google>")]
    | Annotated[CircleCIPublisher, Tag("<circleci>")],
    Discriminator(
        _provider_of,
        custom_error_type="publisher",
        custom_error_message="not a publisher: write a table with github, gitlab, google or circleci, such "
        'as { github = "OWNER/NAME", workflow = "release.yml" }',
    ),
]
"""A field that takes one publisher; the name of its provider distinguishes it."""


class Trust(BaseModel):
    """The keys and publishers whose files may be published; a file needs one of them."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=True)

    keys: Annotated[Sequence[KeyField], Field(min_length=1), AfterValidator(tuple)] | None = Field(
        default=None,
        description="OpenPGP keys that may have signed the files: the fingerprint or long key id of a key in "
        "gpg's keyring, or the path of a key file.",
    )
    publishers: Annotated[Sequence[Publisher], Field(min_length=1), AfterValidator(tuple)] | None = Field(
        default=None,
        description="CI jobs that may have attested the files (PEP 740), each as a table.",
    )
    root: LocalPath | None = Field(
        default=None,
        description="trusted_root.json of a private Sigstore, used to verify attestations. "
        "[default: the public Sigstore]",
    )

    @model_validator(mode="after")
    def _needs_publishers(self) -> Self:
        if self.root is not None and not self.publishers:
            raise ValueError("root verifies attestations, but publishers is not configured")
        return self
