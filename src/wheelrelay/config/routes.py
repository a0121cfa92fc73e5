"""A route: from one remote to one or more remotes, with a selection and the conditions for release."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)
from pydantic_core.core_schema import CoreSchema, with_info_plain_validator_function

from wheelrelay.config.base import RemoteConfig  # noqa: F401  (`RemoteLike` speaks of it)
from wheelrelay.config.errors import explain
from wheelrelay.config.remotes import RemoteLike, as_remote
from wheelrelay.config.text_files import read_text
from wheelrelay.config.trust import Trust
from wheelrelay.config.values import Duration, LocalPath
from wheelrelay.errors import ConfigError
from wheelrelay.expect import Expected, expected_wheels, from_build_identifiers, parse_sha256sums
from wheelrelay.model import Mode, Order
from wheelrelay.select import Selection, parse_requirement
from wheelrelay.tags import TagPattern

if TYPE_CHECKING:
    from packaging.requirements import Requirement

Parsed = TypeVar("Parsed")


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


class _Place:
    """Tells pydantic that a field takes whatever stands for a remote, and not to look into the classes."""

    @staticmethod
    def __get_pydantic_core_schema__(_: Any, __: Any) -> CoreSchema:
        return with_info_plain_validator_function(_resolved)


RemoteField = Annotated[RemoteLike, _Place, WithJsonSchema({"type": "string", "title": "Remote"})]


class Expect(BaseModel):
    """What a release has to consist of before any of it is published."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

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
    commit: str | None = Field(
        default=None,
        description="The commit that every file must have been pushed from; it may be abbreviated.",
    )
    sha256sums: LocalPath | None = Field(
        default=None,
        description="A file of sha256 sums, as sha256sum writes it: what is not in it is refused.",
    )

    def sums(self) -> dict[str, str] | None:
        """The sha256 of each file by its name, if a list was given; it is read now.

        Raises:
            ConfigError: it cannot be read.
        """
        return None if self.sha256sums is None else self._read(self.sha256sums, parse_sha256sums)

    def expected(self) -> Expected:
        """The expected set; the file of build identifiers is read now.

        Raises:
            ConfigError: it cannot be read, or a line of it is not an identifier.
        """
        given = None if self.wheels is None else expected_wheels(self.wheels)
        if self.cibuildwheel is not None:
            given = (*(given or ()), *self._read(self.cibuildwheel, from_build_identifiers))
        return Expected(given, self.sdist, self.count)

    @staticmethod
    def _read(path: Path, parse: Callable[[str], Parsed]) -> Parsed:
        text = read_text(path)
        try:
            return parse(text)
        except ConfigError as error:
            raise error.at(str(path)) from None


class Route(BaseModel):
    """From one remote to one or more remotes.

    What cannot be a route is a `ConfigError`, wherever it was written: its context may say so with ``where``.

    >>> route = Route(source="./dist", sinks=["testpypi", "pypi"], projects=["astropy==1.3.2"])
    >>> route.mode
    <Mode.RELEASE: 'release'>
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        arbitrary_types_allowed=True,
        hide_input_in_errors=True,
        defer_build=True,
    )

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
    wait: Duration = Field(
        default=timedelta(0),
        description="How long to wait until what is expected is there, as '20m'; for places behind a CDN.",
    )
    order: Order = Field(
        default=Order.SDIST_LAST,
        description="'sdist-last': the sdist when all wheels are confirmed; 'any': all at once.",
    )
    expect: Expect | None = Field(
        default=None, description="What has to be there; else nothing is published."
    )
    trust: Trust = Field(
        default=Trust.model_construct(),
        description="Keys and publishers whose files may be published. [default: files need no signature]",
    )

    @model_validator(mode="wrap")
    @classmethod
    def _explained(cls, given: Any, handler: ModelWrapValidatorHandler[Self], info: ValidationInfo) -> Self:
        try:
            return handler(given)
        except ValidationError as error:
            raise explain(error, (info.context or {}).get("where", cls.__name__), model=cls) from error

    def selection(self, requirements: "Sequence[str | Requirement]" = ()) -> Selection:
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
