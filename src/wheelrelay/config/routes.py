"""A route: a source, one or more sinks, the files to move, and the conditions for publishing them."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, TypeVar

from packaging.version import InvalidVersion, Version
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

from wheelrelay.config.base import RemoteConfig  # noqa: F401  (pydantic resolves `RemoteLike`)
from wheelrelay.config.errors import explain
from wheelrelay.config.files import read_text
from wheelrelay.config.remotes import RemoteLike, as_remote
from wheelrelay.config.smoke import Smoke
from wheelrelay.config.trust import Trust
from wheelrelay.config.values import Duration, LocalPath, as_value_error
from wheelrelay.errors import ConfigError
from wheelrelay.expect import Expected, expected_wheels, from_build_identifiers, parse_sha256sums
from wheelrelay.model import Mode, Order
from wheelrelay.select import Selection, parse_requirement
from wheelrelay.tags import TagPattern

if TYPE_CHECKING:
    from packaging.requirements import Requirement

    from wheelrelay.lock_files import Lock

Parsed = TypeVar("Parsed")


class _RemoteSchema:
    """Makes pydantic resolve a field with `as_remote` instead of inspecting the classes of `RemoteLike`."""

    @staticmethod
    def __get_pydantic_core_schema__(_: Any, __: Any) -> CoreSchema:
        return with_info_plain_validator_function(_resolve_remote)


def _resolve_remote(remote: RemoteLike, info: ValidationInfo) -> RemoteLike:
    """Resolve names while the configured remotes are known."""
    with as_value_error():
        return as_remote(remote, configured=(info.context or {}).get("remotes"))


def _validate_requirement(text: str) -> str:
    with as_value_error():
        parse_requirement(text)
    return text


def _validate_pattern(text: str) -> str:
    with as_value_error():
        TagPattern.parse(text)
    return text


def _validate_local_version(text: str) -> str:
    """Return a local version as versions show it; empty means none."""
    if not text:
        return text
    try:
        return Version(f"0+{text}").local or ""
    except InvalidVersion as error:
        raise ValueError(f"{text!r} is not a local version; write it without +, such as 'cu129'") from error


def _one_or_more(value: Any) -> Any:
    return (value,) if isinstance(value, str | Path) else value


RemoteField = Annotated[RemoteLike, _RemoteSchema, WithJsonSchema({"type": "string", "title": "Remote"})]
RequirementField = Annotated[str, AfterValidator(_validate_requirement)]
PatternField = Annotated[str, AfterValidator(_validate_pattern)]
Patterns = Annotated[Sequence[PatternField], AfterValidator(tuple)]
LocalPaths = Annotated[
    Sequence[LocalPath],
    BeforeValidator(_one_or_more),
    AfterValidator(tuple),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
LocalVersion = Annotated[str, AfterValidator(_validate_local_version)]


class Expect(BaseModel):
    """The files that a release must consist of; otherwise nothing is published."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    wheels: Patterns | None = Field(
        default=None,
        description="Tag patterns, python-abi-platform. Each pattern must match a wheel, and each wheel must "
        "match a pattern.",
    )
    cibuildwheel: LocalPath | None = Field(
        default=None,
        description="A file of cibuildwheel build identifiers, one per line, instead of tag patterns.",
    )
    sdist: bool | None = Field(
        default=None, description="true: an sdist is required; false: an sdist is an error. [default: either]"
    )
    count: int | None = Field(default=None, ge=1, description="The exact number of files.")
    commit: str | None = Field(
        default=None,
        description="The commit that every file must have been built from; it may be abbreviated.",
    )
    sha256sums: LocalPath | None = Field(
        default=None,
        description="A file of sha256 digests in the format of sha256sum. Files that it does not list are "
        "refused.",
    )

    def sums(self) -> dict[str, str] | None:
        """Read ``sha256sums``; return the digest of each file by its name, ``None`` if it is not set.

        Raises:
            ConfigError: The file cannot be read or parsed.
        """
        return None if self.sha256sums is None else self._read(self.sha256sums, parse_sha256sums)

    def expected(self) -> Expected:
        """Return the expected files; this reads the file of build identifiers.

        Raises:
            ConfigError: The file cannot be read, or a line is not a build identifier.
        """
        wheels = None if self.wheels is None else expected_wheels(self.wheels)
        if self.cibuildwheel is not None:
            wheels = (*(wheels or ()), *self._read(self.cibuildwheel, from_build_identifiers))
        return Expected(wheels, self.sdist, self.count)

    @staticmethod
    def _read(path: Path, parse: Callable[[str], Parsed]) -> Parsed:
        text = read_text(path)
        try:
            return parse(text)
        except ConfigError as error:
            raise error.at(str(path)) from None


class Route(BaseModel):
    """A source and one or more sinks, with the files to move and the conditions for publishing them.

    Every validation error is a `ConfigError` that names the wrong keys.

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

    source: RemoteField = Field(description="The remote to read from: a name or an address.")
    sinks: Annotated[
        Sequence[RemoteField],
        Field(min_length=1),
        BeforeValidator(lambda value: (value,) if isinstance(value, str) else value),
        AfterValidator(tuple),
    ] = Field(description="The remotes to publish to, in this order: names or addresses.")
    projects: Annotated[Sequence[RequirementField], AfterValidator(tuple)] = Field(
        default=(),
        description='Requirements that choose projects and versions, such as "astropy==1.3.2". '
        "[default: all]",
    )
    wheels: Patterns | None = Field(
        default=None,
        description="Tag patterns, python-abi-platform, that choose wheels; an empty list chooses none. "
        "[default: all]",
    )
    sdist: bool = Field(default=True, description="Whether to take sdists.")
    lock: LocalPaths = Field(
        default=(),
        description="Lock files: pylock.toml, uv.lock, or requirements with hashes. Exactly their files are "
        "taken, for all platforms, and each must have the digest of the lock. 'projects', 'wheels', 'sdist' "
        "and 'local' choose among them. [default: none]",
    )
    requirements: LocalPaths = Field(
        default=(),
        description="Requirements files. One with hashes is a lock; one without adds to 'projects', and its "
        "markers and extras are ignored. [default: none]",
    )
    local: LocalVersion | None = Field(
        default=None,
        description="The local version that files must have, such as 'cu129' of 2.9.0+cu129; '' takes the "
        "files without one. [default: any]",
    )
    mode: Mode = Field(
        default=Mode.RELEASE,
        description="'release': one version per project, all files or none; 'mirror': each file on its own.",
    )
    min_age: Duration | None = Field(
        default=None,
        description="Take only files uploaded at least this long ago, such as '7d'. [default: that of the "
        "source]",
    )
    unknown_age: Literal["skip", "take"] | None = Field(
        default=None,
        description="With min_age, whether to take files whose upload time is unknown. [default: that of the "
        "source, or 'skip']",
    )
    provenance: bool = Field(
        default=True,
        description="In mode 'mirror': keep the provenance (PEP 740) that an index serves, in containers. "
        "It takes one more request for each file that has some.",
    )
    wait: Duration = Field(
        default=timedelta(0),
        description="How long to wait until the source has all expected files, such as '20m'; for sources "
        "behind a CDN.",
    )
    order: Order = Field(
        default=Order.SDIST_LAST,
        description="'sdist-last': publish the sdist once all wheels are confirmed; 'any': all in parallel.",
    )
    expect: Expect | None = Field(
        default=None, description="The files that the release must consist of. [default: any files]"
    )
    trust: Trust = Field(
        default=Trust.model_construct(),
        description="Keys and publishers whose files may be published. [default: files need no signature]",
    )
    resolve: bool = Field(
        default=False,
        description="Whether uv must be able to resolve the release for each of its environments, from the "
        "staged files, the index of the sink and 'indexes'. Needs uv and the network.",
    )
    smoke: Smoke | None = Field(
        default=None,
        description="A command that must succeed where the release is installed. [default: none]",
    )
    indexes: Annotated[Sequence[RemoteField], AfterValidator(tuple)] = Field(
        default=(),
        description="Remotes with dependencies, used by 'resolve' and 'smoke' after the sink.",
    )

    @model_validator(mode="wrap")
    @classmethod
    def _explain_errors(
        cls, value: Any, handler: ModelWrapValidatorHandler[Self], info: ValidationInfo
    ) -> Self:
        where = (info.context or {}).get("where", cls.__name__)
        try:
            route = handler(value)
        except ValidationError as error:
            raise explain(error, where, model=cls) from error
        if route.mode is Mode.MIRROR and (route.resolve or route.smoke):
            raise ConfigError(
                f"{where}: a mirror cannot be tried before it is published.",
                hint="Remove `resolve` and `smoke`, or set the mode 'release'.",
            )
        return route

    def selection(self, requirements: "Sequence[str | Requirement]" = ()) -> Selection:
        """Return which files of the source to move; this reads the lock files and requirements files.

        Args:
            requirements: Requirements that replace the route's ``projects`` and its requirements files
                without hashes.

        Raises:
            ConfigError: A requirement is invalid, or a file cannot be read.
        """
        lock, listed = self._locked()
        chosen = requirements or (*self.projects, *listed)
        return Selection(
            requirements=tuple(parse_requirement(str(text)) for text in chosen),
            wheels=None
            if self.wheels is None
            else tuple(pattern for text in self.wheels for pattern in TagPattern.parse(text)),
            sdist=self.sdist,
            lock=lock,
            local=self.local,
        )

    def _locked(self) -> "tuple[Lock | None, tuple[Requirement, ...]]":
        """Return the lock of all lock files, and the requirements of the files without hashes."""
        if not (self.lock or self.requirements):
            return None, ()
        from wheelrelay.lock_files import Lock, read_lock, read_requirements  # most routes have none

        locks = [read_lock(path) for path in self.lock]
        listed: list[Requirement] = []
        for path in self.requirements:
            read = read_requirements(path)
            if isinstance(read, Lock):
                locks.append(read)
            else:
                listed += read
        return (sum(locks[1:], locks[0]) if locks else None), tuple(listed)
