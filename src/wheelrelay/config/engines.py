"""The configuration of engines: the base class of their classes, and how one is found by its type."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Union

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from wheelrelay.checks.config import Size
from wheelrelay.config.errors import explain
from wheelrelay.errors import PluginLoadError
from wheelrelay.plugins import ENGINE_GROUP, find_plugin
from wheelrelay.protocols import Engine

EngineLike = Union["EngineConfig", Engine]
"""Whatever can be used as an engine: a configuration, or a connected engine."""


class EngineConfig(BaseModel):
    """How to connect to the workers that run a relay. Instances are frozen, and unknown keys are errors.

    The class of a plugin narrows ``type`` to one literal, the name of its entry point, which is also the
    default. It adds its own keys and returns the connected engine from `open`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=True)

    type: str = Field(description="The type of the engine, such as 'dask'.")
    batch_files: int = Field(
        default=500, ge=1, description="The most files that a worker moves or verifies as one task."
    )
    batch_size: Size = Field(
        default=Size(2 << 30),
        gt=0,
        validate_default=False,
        description="The most bytes of such a task, such as '2 GiB'. A larger file is a separate task.",
    )
    host_limit: int | None = Field(
        default=None,
        ge=1,
        description="The most connections to one host for files, of all workers together. "
        "[default: no limit]",
    )

    def open(self) -> AbstractContextManager[Engine]:
        """Connect to the workers, or start them; leaving the context cancels what has not started.

        Raises:
            ConfigError: The configuration is not safe, or a required package is not installed.
            EngineFailed: There are no workers, or they cannot be reached.
        """
        raise NotImplementedError


def make_engine_config(
    kind: str, keys: Mapping[str, Any], *, where: str, base: Path | None = None
) -> EngineConfig:
    """Return the configuration of one engine, validated by the class of its type.

    Args:
        kind: The type of the engine.
        keys: Its keys, without ``type``.
        where: The table to name in errors, such as ``wheelrelay.toml: engines.farm``.
        base: The folder that relative paths are relative to. [default: the working directory]

    Raises:
        UnknownEngine: No engine of this type is installed.
        PluginLoadError: The engine cannot be imported.
        ConfigError: A key is wrong.
    """
    found = engine_class(kind)
    try:
        return found.model_validate({"type": kind, **keys}, context={"base": base or Path()})
    except ValidationError as error:
        raise explain(error, where, model=found) from error


def engine_class(kind: str) -> type[EngineConfig]:
    """Return the configuration class of a type of engine, from the distribution that provides it.

    Raises:
        UnknownEngine: No engine of this type is installed.
        PluginLoadError: The engine cannot be imported.
    """
    plugin = find_plugin(ENGINE_GROUP, kind)
    loaded = plugin.load()
    if not (isinstance(loaded, type) and issubclass(loaded, EngineConfig)):
        raise PluginLoadError(
            f"The entry point {kind!r} of {plugin.package} is not a subclass of EngineConfig."
        )
    return loaded
