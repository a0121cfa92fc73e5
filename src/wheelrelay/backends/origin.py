"""Where a build comes from, as CI systems tell it in the environment: commit, run and job."""

import os
import string
from collections.abc import Mapping
from dataclasses import dataclass

from wheelrelay.errors import ConfigError


@dataclass(frozen=True, slots=True)
class CISystem:
    """How one CI system tells of a build: each value is a template over its environment variables."""

    commit: str
    run: str
    job: str

    def origin(self, environment: Mapping[str, str]) -> dict[str, str]:
        """What it tells here; what it leaves out is left out."""
        told = {"commit": self.commit, "run": self.run, "job": self.job}
        return {
            key: string.Template(text).substitute(environment)
            for key, text in told.items()
            if all(environment.get(name) for name in string.Template(text).get_identifiers())
        }


SYSTEMS = (
    CISystem(  # GitHub Actions
        "$GITHUB_SHA", "$GITHUB_SERVER_URL/$GITHUB_REPOSITORY/actions/runs/$GITHUB_RUN_ID", "$GITHUB_JOB"
    ),
    CISystem("$CI_COMMIT_SHA", "$CI_PIPELINE_URL", "$CI_JOB_NAME"),  # GitLab
    CISystem(  # Azure Pipelines
        "$BUILD_SOURCEVERSION",
        "$SYSTEM_COLLECTIONURI$SYSTEM_TEAMPROJECT/_build/results?buildId=$BUILD_BUILDID",
        "$SYSTEM_JOBDISPLAYNAME",
    ),
    CISystem("$TRAVIS_COMMIT", "$TRAVIS_BUILD_WEB_URL", "$TRAVIS_JOB_NUMBER"),
    CISystem(  # AppVeyor
        "$APPVEYOR_REPO_COMMIT",
        "$APPVEYOR_URL/project/$APPVEYOR_ACCOUNT_NAME/$APPVEYOR_PROJECT_SLUG/builds/$APPVEYOR_BUILD_ID",
        "$APPVEYOR_JOB_ID",
    ),
    CISystem("$CIRCLE_SHA1", "$CIRCLE_BUILD_URL", "$CIRCLE_JOB"),
    CISystem("$BUILDKITE_COMMIT", "$BUILDKITE_BUILD_URL", "$BUILDKITE_LABEL"),
    CISystem("$GIT_COMMIT", "$BUILD_URL", "$JOB_NAME"),  # Jenkins
)


def origin_from(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Commit, run and job of the build, as the CI system that this runs on tells; empty elsewhere.

    >>> origin_from({"CI_COMMIT_SHA": "1f2e3d", "CI_JOB_NAME": "wheels"})
    {'commit': '1f2e3d', 'job': 'wheels'}
    """
    return next((told for system in SYSTEMS if "commit" in (told := system.origin(environment))), {})


def parse_origin(pairs: tuple[str, ...]) -> dict[str, str]:
    """Read ``key=value`` pairs.

    Raises:
        ConfigError: one is not a pair, or its key is not plain.
    """
    origin = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.isidentifier() or not key.isascii() or not value.isprintable():
            raise ConfigError(f"{pair!r} is not an origin.", hint="Write key=value, as in commit=1f2e3d.")
        origin[key.lower()] = value
    return origin
