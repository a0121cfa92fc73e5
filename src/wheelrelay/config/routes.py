"""A route: from one remote to one or more remotes, with a selection and the conditions for release."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
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
from wheelrelay.config.values import LocalPath
from wheelrelay.errors import ConfigError
from wheelrelay.expect import Expected, ExpectedWheel, expected_wheels, from_build_identifiers
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


class Expect(BaseModel):
    """What a release has to consist of before any of it is published."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    wheels: tuple[Annotated[str, AfterValidator(_checked_pattern)], ...] | None = Field(
        default=None,
        description="Tag patterns, python-abi-platform: each must be met by a wheel, each wheel meets one.",
    )
    cibuildwheel: LocalPath | None = Field(
        default=None,
        description="A file of cibuildwheel build identifiers, one a line, in place of tag patterns.",
    )
    sdist: bool | None = Field(default=None, description="Whether there must be an sdist, or must be none.")
    count: int | None = Field(default=None, ge=1, description="How many files there must be.")

    def expected(self) -> Expected:
        """The expected set; the file of build identifiers is read now.

        Raises:
            ConfigError: it cannot be read, or a line of it is not an identifier.
        """
        given = None if self.wheels is None else expected_wheels(self.wheels)
        if self.cibuildwheel is not None:
            given = (*(given or ()), *self._from_cibuildwheel(self.cibuildwheel))
        return Expected(given, self.sdist, self.count)

    @staticmethod
    def _from_cibuildwheel(path: Path) -> tuple[ExpectedWheel, ...]:
        try:
            return from_build_identifiers(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise ConfigError(f"{path} cannot be read: {reason}.") from error
        except ConfigError as error:
            raise error.at(str(path)) from None


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
    expect: Expect | None = Field(
        default=None, description="What has to be there; else nothing is published."
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
