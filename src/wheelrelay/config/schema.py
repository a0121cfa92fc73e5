"""The JSON Schema of the configuration, for editors, and the configuration with its defaults filled in."""

import logging
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Annotated, Any, TypeVar, Union

from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from wheelrelay.config.base import SinkConfig
from wheelrelay.config.engines import EngineConfig, engine_class
from wheelrelay.config.load import Config
from wheelrelay.config.remote_types import config_class
from wheelrelay.config.remotes import PRESETS, Remote
from wheelrelay.config.routes import Route
from wheelrelay.durations import format_duration
from wheelrelay.errors import PluginLoadError
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.plugins import BACKEND_GROUP, ENGINE_GROUP, installed_plugins

Model = TypeVar("Model", bound=BaseModel)

logger = logging.getLogger(__name__)


class _EditorSchema(GenerateJsonSchema):
    """Describes values as users write them in TOML, which has no null."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        described = super().default_schema(schema)
        if "default" in described and isinstance(described["default"], dict | None):
            del described["default"]
        return described

    def encode_default(self, dft: Any) -> Any:
        return format_duration(dft) if isinstance(dft, timedelta) else super().encode_default(dft)

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        described = super().model_schema(schema)
        if "description" in described:
            described["description"] = described["description"].partition("\n\n")[0]
        kind = described.get("properties", {}).get("type", {})
        if "const" in kind:
            kind["description"] = f"{kind['const']}: {described.get('description', '')}"
        return described


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of ``wheelrelay.toml``, with all installed types.

    A type that cannot be imported is left out, with a warning.
    """
    classes = _all_config_classes(BACKEND_GROUP, config_class)
    engines = _all_config_classes(ENGINE_GROUP, engine_class)
    presets: Any = {name: (classes[name] | None, None) for name in PRESETS if name in classes}
    remotes = create_model(
        "Remotes",
        __config__=ConfigDict(extra="allow"),
        __pydantic_extra__=(_named(classes), ...),
        **presets,
    )
    document = create_model(
        "wheelrelay.toml",
        __config__=ConfigDict(extra="forbid"),
        remotes=(remotes, Field(default={}, description="Places to read from and to publish to, by name.")),
        routes=(
            dict[str, Route],
            Field(default={}, description="Which files to move, and where, by name."),
        ),
        engines=(
            _named(engines or {"": EngineConfig}),
            Field(default={}, description="Workers that run parts of relays, by name."),
        ),
    )
    described = document.model_json_schema(schema_generator=_EditorSchema)
    whole: dict[str, Any] = _inline_references(described, described["$defs"])
    return {"$schema": _EditorSchema.schema_dialect, **whole}


def pyproject_schema() -> dict[str, Any]:
    """Return the JSON Schema of a ``pyproject.toml`` with the configuration in ``[tool.wheelrelay]``."""
    table = json_schema()
    return {
        "$schema": table.pop("$schema"),
        "$defs": table.pop("$defs"),
        "type": "object",
        "properties": {"tool": {"type": "object", "properties": {"wheelrelay": table}}},
    }


def effective(config: Config) -> dict[str, Any]:
    """Return the configuration with its defaults filled in. Secrets stay references."""
    return {
        "path": str(config.path) if config.path else None,
        "remotes": {name: _dump(remote.config) for name, remote in config.remotes.items()},
        "routes": {
            name: {
                **route.model_dump(mode="json", exclude={"source", "sinks"}),
                "source": _name(route.source),
                "sinks": [_name(sink) for sink in route.sinks],
            }
            for name, route in config.routes.items()
        },
        "engines": {name: _dump(engine) for name, engine in config.engines.items()},
    }


@dataclass(frozen=True, slots=True)
class InstalledType:
    """An installed type of remote or engine.

    Attributes:
        type: The type, as it is configured.
        package: The distribution that provides it.
        version: The version of that distribution.
        roles: What its remotes can be used as: ``source``, ``sink``; or ``engine``.
        problem: Why it cannot be used; ``None`` if it can.
    """

    type: str
    package: str
    version: str
    roles: tuple[str, ...] = ()
    problem: str | None = None


def installed_types() -> list[InstalledType]:
    """Return all installed types, including those that cannot be used."""
    types = []
    for name, plugin in installed_plugins(BACKEND_GROUP).items():
        try:
            roles = ("source", "sink") if issubclass(config_class(name), SinkConfig) else ("source",)
            types.append(InstalledType(name, plugin.package, plugin.version, roles))
        except PluginLoadError as error:
            types.append(InstalledType(name, plugin.package, plugin.version, problem=str(error)))
    for name, plugin in installed_plugins(ENGINE_GROUP).items():
        try:
            engine_class(name)
            types.append(InstalledType(name, plugin.package, plugin.version, ("engine",)))
        except PluginLoadError as error:
            types.append(InstalledType(name, plugin.package, plugin.version, problem=str(error)))
    return types


def _all_config_classes(group: str, load: Callable[[str], type[Model]]) -> dict[str, type[Model]]:
    classes = {}
    for kind in installed_plugins(group):
        try:
            classes[kind] = load(kind)
        except PluginLoadError as error:
            logger.warning("%s", error)
    return classes


def _named(classes: Mapping[str, type[Model]]) -> Any:
    """Return the type of a mapping from names to tables, each validated by the class of its ``type``."""
    union: Any = Union[tuple(classes.values())]  # noqa: UP007
    discriminator = "type" if len(classes) > 1 else None
    table: Any = Annotated[
        union, Field(discriminator=discriminator, json_schema_extra={"required": ["type"]})
    ]
    return dict[str, table]


def _inline_references(part: Any, definitions: dict[str, Any]) -> Any:
    """Inline references that have a description: editors ignore one next to a reference."""
    if isinstance(part, list):
        return [_inline_references(item, definitions) for item in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part and "description" in part:
        target = definitions[part["$ref"].removeprefix("#/$defs/")]
        siblings = {key: value for key, value in part.items() if key != "$ref"}
        return _inline_references({**target, **siblings}, definitions)
    return {key: _inline_references(value, definitions) for key, value in part.items()}


def _dump(config: BaseModel | None) -> dict[str, Any]:
    return config.model_dump(mode="json", exclude_none=True) if config else {}


def _name(remote: Any) -> str:
    return remote.name if isinstance(remote, Remote) else str(remote)
