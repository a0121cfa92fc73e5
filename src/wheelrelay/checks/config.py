"""Which checks a sink asks for: the ``checks`` table of a remote."""

from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ByteSize,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core.core_schema import CoreSchema

from wheelrelay.checks.check import Profile
from wheelrelay.checks.policy import CheckPolicy


def _known(check: str) -> str:
    from wheelrelay.checks.registry import all_checks, unknown_check

    if check not in {known.id for known in all_checks()}:
        raise ValueError(unknown_check(check))
    return check


class Ignored(BaseModel):
    """A check that is left out, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    check: Annotated[str, AfterValidator(_known)] = Field(description="The id of the check.")
    reason: str = Field(default="", description="Why it may be left out; told with --verbose.")


def _as_table(given: Any) -> Any:
    return {"check": given} if isinstance(given, str) else given


class _OrItsId:
    """In the JSON Schema, a table or the id alone; made when it is asked for, which takes its time."""

    @staticmethod
    def __get_pydantic_json_schema__(schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [{"type": "string"}, handler(schema)]}


IgnoredField = Annotated[Ignored, BeforeValidator(_as_table), _OrItsId]
Size = Annotated[ByteSize, WithJsonSchema({"anyOf": [{"type": "integer"}, {"type": "string"}]})]


class ChecksConfig(BaseModel):
    """Which checks a sink asks for, and its limits.

    >>> ChecksConfig(profile="index", ignore=["wheel-tags"], max_file_size="1 GiB").max_file_size
    1073741824
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    profile: Profile | None = Field(
        default=None,
        description="'pypi': everything that PyPI refuses; 'index': what an index or an installer cannot "
        "handle; 'storage': what makes a file unsafe, or another file than it claims to be. The default is "
        "'pypi' for PyPI and TestPyPI, 'index' for other indexes, else 'storage'.",
    )
    ignore: tuple[IgnoredField, ...] = Field(
        default=(),
        description="Checks to leave out: their ids, or tables of 'check' and 'reason'.",
    )
    max_file_size: Size | None = Field(
        default=None,
        description="The largest file that the sink takes, as '1 GiB'. The profile 'pypi' has 100 MiB.",
    )
    max_project_size: Size | None = Field(
        default=None,
        description="What a project's files may have together, as '20 GiB'. The profile 'pypi' has 10 GiB.",
    )

    def policy(self, default_profile: Profile = Profile.PYPI) -> CheckPolicy:
        """Return the policy with all defaults applied.

        Args:
            default_profile: the profile to use if the configuration names none.
        """
        policy = CheckPolicy(
            ignored=frozenset(ignored.check for ignored in self.ignore),
            max_file_size=self.max_file_size,
            max_project_size=self.max_project_size,
        )
        return policy.with_profile(self.profile or default_profile)
