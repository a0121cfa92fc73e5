"""The configuration of checks: the ``checks`` table of a remote."""

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

from wheelrelay.checks.contract import Profile
from wheelrelay.checks.policy import CheckPolicy


def _validate_id(check_id: str) -> str:
    from wheelrelay.checks.registry import all_checks, unknown_check  # imports the installed checks

    if check_id not in {check.id for check in all_checks()}:
        raise ValueError(unknown_check(check_id))
    return check_id


CheckId = Annotated[str, AfterValidator(_validate_id)]


class IgnoredCheck(BaseModel):
    """A check to ignore, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    check: CheckId = Field(description="The id of the check.")
    reason: str = Field(default="", description="Why the check is ignored, for readers of the configuration.")


def _as_table(value: Any) -> Any:
    return {"check": value} if isinstance(value, str) else value


class _TableOrId:
    """Describes a table or an id in the JSON Schema, only when a schema is requested."""

    @staticmethod
    def __get_pydantic_json_schema__(schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [{"type": "string"}, handler(schema)]}


IgnoredCheckField = Annotated[IgnoredCheck, BeforeValidator(_as_table), _TableOrId]
Size = Annotated[ByteSize, WithJsonSchema({"anyOf": [{"type": "integer"}, {"type": "string"}]})]


class ChecksConfig(BaseModel):
    """Which checks apply at a sink, and its size limits.

    >>> ChecksConfig(profile="index", ignore=["wheel-tags"], max_file_size="1 GiB").max_file_size
    1073741824
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    profile: Profile | None = Field(
        default=None,
        description="'pypi' checks everything that PyPI refuses; 'index' what an index or an installer "
        "cannot handle; 'storage' only what makes a file unsafe or a different file than its name claims. "
        "The default is 'pypi' for PyPI and TestPyPI, 'index' for other indexes, and 'storage' for all other "
        "remotes.",
    )
    ignore: tuple[IgnoredCheckField, ...] = Field(
        default=(),
        description="Checks to ignore: ids, or tables with the keys 'check' and 'reason'.",
    )
    errors: tuple[CheckId, ...] = Field(
        default=(),
        description="Ids of checks whose violations block publishing, even if the profile has them as "
        "warnings or not at all.",
    )
    max_file_size: Size | None = Field(
        default=None,
        description="The largest file that the sink accepts, such as '1 GiB'. The profile 'pypi' defaults to "
        "100 MiB.",
    )
    max_project_size: Size | None = Field(
        default=None,
        description="The largest total size of a project's files, such as '20 GiB'. The profile 'pypi' "
        "defaults to 10 GiB.",
    )

    def policy(self, default_profile: Profile = Profile.PYPI) -> CheckPolicy:
        """Return the policy with all defaults applied.

        Args:
            default_profile: the profile to use if the configuration names none.
        """
        policy = CheckPolicy(
            ignored=frozenset(ignored.check for ignored in self.ignore),
            errors=frozenset(self.errors),
            max_file_size=self.max_file_size,
            max_project_size=self.max_project_size,
        )
        return policy.with_profile(self.profile or default_profile)
