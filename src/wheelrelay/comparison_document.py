"""The JSON document of ``wheelrelay compare``."""

from typing import Literal

from typing_extensions import TypedDict  # pydantic requires this one before Python 3.12


class ReleaseDocument(TypedDict):
    """One of two releases that are compared."""

    version: str
    wheels: int
    sdists: int
    size: int | None
    requires_python: str | None
    license: str | None
    metadata_from: str | None


class EnvironmentDocument(TypedDict):
    """An environment that differs between two releases."""

    python: str
    abi: str
    platform: str
    change: Literal["lost", "excluded", "raised", "lowered", "gained"]
    before: str
    after: str


class DifferencesDocument(TypedDict):
    """What one release has and the other has not."""

    removed: list[str]
    added: list[str]


class SizeDocument(TypedDict):
    """Two files with the same tags in two releases; the sdists have no tags."""

    before: str
    after: str
    size_before: int
    size_after: int


class ComparisonDocument(TypedDict):
    """How two releases of a project differ."""

    project: str
    before: ReleaseDocument
    after: ReleaseDocument
    environments: list[EnvironmentDocument]
    dependencies: DifferencesDocument
    extras: DifferencesDocument
    entry_points: DifferencesDocument
    sizes: list[SizeDocument]
