"""A route: from one remote to one or more remotes, with a selection and the conditions for release."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any

from packaging.requirements import Requirement
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
)

from wheelrelay.config.remotes import RemoteLike, as_remote
from wheelrelay.errors import ConfigError
from wheelrelay.select import Selection, TagPattern, parse_requirement


class Mode(StrEnum):
    """Whether files stand or fall together."""

    RELEASE = "release"
    MIRROR = "mirror"


def _resolved(given: RemoteLike, info: ValidationInfo) -> RemoteLike:
    """Turn names into remotes while the configured ones are at hand."""
    remote: RemoteLike = _as_value_error(as_remote, given, configured=(info.context or {}).get("remotes"))
    return remote


def _checked_requirement(text: str) -> str:
    _as_value_error(parse_requirement, text)
    return text


def _checked_pattern(text: str) -> str:
    _as_value_error(TagPattern.parse, text)
    return text


def _as_value_error(function: Any, *args: Any, **options: Any) -> Any:
    """Call ``function``; its ConfigError becomes the kind that pydantic collects."""
    try:
        return function(*args, **options)
    except ConfigError as error:
        raise ValueError(str(error)) from error


RemoteField = Annotated[
    RemoteLike, BeforeValidator(_resolved), WithJsonSchema({"type": "string", "title": "Remote"})
]


class Route(BaseModel):
    """From one remote to one or more remotes.

    >>> route = Route(source="./dist", sinks=["testpypi", "pypi"], projects=["astropy==1.3.2"])
    >>> route.mode
    <Mode.RELEASE: 'release'>
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    source: RemoteField = Field(description="The remote to read from: its name, or an address.")
    sinks: Annotated[
        tuple[RemoteField, ...],
        BeforeValidator(lambda given: (given,) if isinstance(given, str) else given),
    ] = Field(min_length=1, description="The remotes to publish to, in this order.")
    projects: tuple[Annotated[str, AfterValidator(_checked_requirement)], ...] = Field(
        default=(),
        description="Requirements that choose projects and versions; none means all that is there.",
    )
    wheels: tuple[Annotated[str, AfterValidator(_checked_pattern)], ...] | None = Field(
        default=None,
        description="Tag patterns, python-abi-platform, that choose wheels; an empty list chooses none.",
    )
    sdist: bool = Field(default=True, description="Whether sdists are taken.")
    mode: Mode = Field(
        default=Mode.RELEASE,
        description="'release': all or nothing, one version of each project; 'mirror': each file by itself.",
    )

    def selection(self, requirements: Sequence[str | Requirement] = ()) -> Selection:
        """Which files are meant.

        Args:
            requirements: given with the call; they take the place of the route's own.

        Raises:
            ConfigError: one is not a requirement.
        """
        given = requirements or self.projects
        return Selection(
            requirements=tuple(parse_requirement(str(wanted)) for wanted in given),
            wheels=None
            if self.wheels is None
            else tuple(pattern for text in self.wheels for pattern in TagPattern.parse(text)),
            sdist=self.sdist,
        )
