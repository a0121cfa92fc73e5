"""Publishers whose attestations a route trusts, each told by what a CI system vouches for."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from wheelrelay.signing import TrustedPublisher

_REPOSITORY = r"[^/\s]+(/[^/\s]+)+"


class _Publisher(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class GitHubPublisher(_Publisher):
    """A workflow of a repository on GitHub."""

    github: str = Field(pattern=f"^{_REPOSITORY}$", description="The repository, as OWNER/NAME.")
    workflow: str = Field(description="The file of the workflow in .github/workflows, as release.yml.")

    def trusted(self) -> TrustedPublisher:
        """As it is compared."""
        return TrustedPublisher("GitHub", {"repository": self.github, "workflow": self.workflow})


class GitLabPublisher(_Publisher):
    """A pipeline of a project on GitLab."""

    gitlab: str = Field(pattern=f"^{_REPOSITORY}$", description="The project, as GROUP/NAME.")
    workflow: str = Field(default=".gitlab-ci.yml", description="The path of the pipeline's file.")

    def trusted(self) -> TrustedPublisher:
        """As it is compared."""
        return TrustedPublisher("GitLab", {"repository": self.gitlab, "workflow_filepath": self.workflow})


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

    def trusted(self) -> TrustedPublisher:
        """As it is compared."""
        return TrustedPublisher(
            "CircleCI", {"project_id": self.circleci, "pipeline_definition_id": self.pipeline}
        )


_KINDS = ("github", "gitlab", "google", "circleci")


def _kind_of(given: Any) -> str | None:
    names = given if isinstance(given, dict) else getattr(given, "model_fields_set", ())
    return next((kind for kind in _KINDS if kind in names), None)


PublisherField = Annotated[
    Annotated[GitHubPublisher, Tag("github")]
    | Annotated[GitLabPublisher, Tag("gitlab")]
    | Annotated[GooglePublisher, Tag("google")]
    | Annotated[CircleCIPublisher, Tag("circleci")],
    Discriminator(
        _kind_of,
        custom_error_type="publisher",
        custom_error_message="a publisher is a table with github, gitlab, google or circleci, as "
        '{ github = "OWNER/NAME", workflow = "release.yml" }',
    ),
]
"""One of the publishers."""
