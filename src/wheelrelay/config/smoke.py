"""How a route tries a release before it is published."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from wheelrelay.config.values import Duration


class Smoke(BaseModel):
    """A command that must succeed where the staged release is installed; this runs code of the release.

    >>> Smoke(python=["3.13"], run=["python", "-c", "import sample"]).sdist
    False
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    python: Annotated[Sequence[str], Field(min_length=1), AfterValidator(tuple)] = Field(
        description="Versions of CPython, such as '3.13' or '3.13t', or paths of interpreters. Those that "
        "are not on this machine are reported."
    )
    run: Annotated[Sequence[str], Field(min_length=1), AfterValidator(tuple)] = Field(
        description="The command and its arguments. 'python' is the interpreter of the fresh environment."
    )
    sdist: bool = Field(default=False, description="Whether to build and try the sdist, too.")
    timeout: Duration = Field(
        default=timedelta(minutes=5), description="How long the command may take, such as '10m'."
    )
