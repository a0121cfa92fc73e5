"""The configuration as a JSON Schema, for editors, and as it takes effect, for people."""

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Union

from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from wheelrelay.config.base import RemoteConfig, SinkConfig
from wheelrelay.config.configuration import Config
from wheelrelay.config.remote_types import config_class
from wheelrelay.config.remotes import PRESETS, Remote
from wheelrelay.config.routes import Route
from wheelrelay.durations import written_duration
from wheelrelay.errors import PluginLoadError
from wheelrelay.plugins import BACKEND_GROUP, installed_plugins

logger = logging.getLogger(__name__)


class _ForEditors(GenerateJsonSchema):
    """Says what people can write in TOML, which knows no null, and shows it as they would write it."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        described = super().default_schema(schema)
        if "default" in described and isinstance(described["default"], dict | None):
            del described["default"]
        return described

    def encode_default(self, dft: Any) -> Any:
        return written_duration(dft) if isinstance(dft, timedelta) else super().encode_default(dft)

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        described = super().model_schema(schema)
        if "description" in described:
            described["description"] = described["description"].partition("\n\n")[0]
        kind = described.get("properties", {}).get("type", {})
        if "const" in kind:
            kind["description"] = f"{kind['const']}: {described.get('description', '')}"
        return described


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of ``wheelrelay.toml``, with all installed types of remotes.

    A type that cannot be loaded is left out with a warning.
    """
    classes = _all_config_classes()
    any_remote: Any = Annotated[
        Union[tuple(classes.values())],  # noqa: UP007
        Field(discriminator="type", json_schema_extra={"required": ["type"]}),
    ]
    presets: Any = {name: (classes[name] | None, None) for name in PRESETS if name in classes}
    remotes = create_model(
        "Remotes",
        __config__=ConfigDict(extra="allow"),
        __pydantic_extra__=(dict[str, any_remote], ...),
        **presets,
    )
    document = create_model(
        "wheelrelay.toml",
        __config__=ConfigDict(extra="forbid"),
        remotes=(remotes, Field(default={}, description="Places to read from and to publish to, by name.")),
        routes=(dict[str, Route], Field(default={}, description="From a remote to remotes, by name.")),
    )
    described = document.model_json_schema(schema_generator=_ForEditors)
    whole: dict[str, Any] = _in_place_of_references(described, described["$defs"])
    return {"$schema": _ForEditors.schema_dialect, **whole}


def pyproject_schema() -> dict[str, Any]:
    """The JSON Schema of a ``pyproject.toml`` whose ``[tool.wheelrelay]`` is the configuration."""
    table = json_schema()
    return {
        "$schema": table.pop("$schema"),
        "$defs": table.pop("$defs"),
        "type": "object",
        "properties": {"tool": {"type": "object", "properties": {"wheelrelay": table}}},
    }


def effective(config: Config) -> dict[str, Any]:
    """The configuration with its defaults filled in; secrets stay references."""
    return {
        "path": str(config.path) if config.path else None,
        "remotes": {name: _shown(remote.config) for name, remote in config.remotes.items()},
        "routes": {
            name: {
                **route.model_dump(mode="json", exclude={"source", "sinks"}),
                "source": _name(route.source),
                "sinks": [_name(sink) for sink in route.sinks],
            }
            for name, route in config.routes.items()
        },
    }


@dataclass(frozen=True, slots=True)
class InstalledType:
    """A type of remote that is installed.

    Attributes:
        type: as configured.
        package: the distribution that brings it.
        version: that distribution's.
        roles: what its remotes can be at most.
        problem: why it cannot be used, if so.
    """

    type: str
    package: str
    version: str
    roles: tuple[str, ...] = ()
    problem: str | None = None


def installed_types() -> list[InstalledType]:
    """All installed types, the unusable too."""
    types = []
    for name, plugin in installed_plugins(BACKEND_GROUP).items():
        try:
            roles = ("source", "sink") if issubclass(config_class(name), SinkConfig) else ("source",)
            types.append(InstalledType(name, plugin.package, plugin.version, roles))
        except PluginLoadError as error:
            types.append(InstalledType(name, plugin.package, plugin.version, problem=str(error)))
    return types


def _all_config_classes() -> dict[str, type[RemoteConfig]]:
    classes = {}
    for kind in installed_plugins(BACKEND_GROUP):
        try:
            classes[kind] = config_class(kind)
        except PluginLoadError as error:
            logger.warning("%s", error)
    return classes


def _in_place_of_references(part: Any, definitions: dict[str, Any]) -> Any:
    """Write out in its place what is referred to: editors pass over a description beside a reference."""
    if isinstance(part, list):
        return [_in_place_of_references(one, definitions) for one in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part and "description" in part:
        there = definitions[part["$ref"].removeprefix("#/$defs/")]
        beside = {key: value for key, value in part.items() if key != "$ref"}
        return _in_place_of_references({**there, **beside}, definitions)
    return {key: _in_place_of_references(value, definitions) for key, value in part.items()}


def _shown(config: BaseModel | None) -> dict[str, Any]:
    return config.model_dump(mode="json", exclude_none=True) if config else {}


def _name(remote: Any) -> str:
    return remote.name if isinstance(remote, Remote) else str(remote)
