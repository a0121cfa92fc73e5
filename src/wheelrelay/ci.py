"""Detect the CI system, and read commit, run and job of the build from its variables."""

import os
import string
from collections.abc import Mapping

from wheelrelay.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class CISystem:
    """A CI system and the environment variables that it sets.

    Attributes:
        name: The name in lower case, such as ``github``.
        sign: A variable that is always set.
        commit: Template of the built commit, with the names of variables.
        run: Template of the URL of the run.
        job: Template of the name of the job.
        provides_identity: Whether the package `id` can obtain an identity token from it.
    """

    name: str
    sign: str
    commit: str
    run: str
    job: str
    provides_identity: bool = False

    def build(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Return commit, run and job of the build, as far as the variables are set."""
        templates = {"commit": self.commit, "run": self.run, "job": self.job}
        return {
            key: string.Template(text).substitute(environment)
            for key, text in templates.items()
            if all(environment.get(name) for name in string.Template(text).get_identifiers())
        }


CI_SYSTEMS = (
    CISystem(
        "github",
        "GITHUB_ACTIONS",
        "$GITHUB_SHA",
        "$GITHUB_SERVER_URL/$GITHUB_REPOSITORY/actions/runs/$GITHUB_RUN_ID",
        "$GITHUB_JOB",
        provides_identity=True,
    ),
    CISystem(
        "gitlab", "GITLAB_CI", "$CI_COMMIT_SHA", "$CI_PIPELINE_URL", "$CI_JOB_NAME", provides_identity=True
    ),
    CISystem(
        "azure",
        "TF_BUILD",
        "$BUILD_SOURCEVERSION",
        "$SYSTEM_COLLECTIONURI$SYSTEM_TEAMPROJECT/_build/results?buildId=$BUILD_BUILDID",
        "$SYSTEM_JOBDISPLAYNAME",
    ),
    CISystem("travis", "TRAVIS", "$TRAVIS_COMMIT", "$TRAVIS_BUILD_WEB_URL", "$TRAVIS_JOB_NUMBER"),
    CISystem(
        "appveyor",
        "APPVEYOR",
        "$APPVEYOR_REPO_COMMIT",
        "$APPVEYOR_URL/project/$APPVEYOR_ACCOUNT_NAME/$APPVEYOR_PROJECT_SLUG/builds/$APPVEYOR_BUILD_ID",
        "$APPVEYOR_JOB_ID",
    ),
    CISystem(
        "circleci", "CIRCLECI", "$CIRCLE_SHA1", "$CIRCLE_BUILD_URL", "$CIRCLE_JOB", provides_identity=True
    ),
    CISystem(
        "buildkite",
        "BUILDKITE",
        "$BUILDKITE_COMMIT",
        "$BUILDKITE_BUILD_URL",
        "$BUILDKITE_LABEL",
        provides_identity=True,
    ),
    CISystem("jenkins", "JENKINS_URL", "$GIT_COMMIT", "$BUILD_URL", "$JOB_NAME"),
)


def current_system(environment: Mapping[str, str] = os.environ) -> CISystem | None:
    """Return the CI system that this process runs on, or ``None``.

    >>> current_system({"GITLAB_CI": "true"}).name
    'gitlab'
    """
    return next((system for system in CI_SYSTEMS if environment.get(system.sign)), None)


def current_build(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return commit, run and job of the build from the CI system's variables; empty elsewhere.

    The variables of any system count, because jobs may pass only some variables into a Docker container.

    >>> current_build({"CI_COMMIT_SHA": "1f2e3d", "CI_JOB_NAME": "wheels"})
    {'commit': '1f2e3d', 'job': 'wheels'}
    """
    current = current_system(environment)
    systems = CI_SYSTEMS if current is None else (current, *CI_SYSTEMS)
    return next((build for system in systems if "commit" in (build := system.build(environment))), {})
