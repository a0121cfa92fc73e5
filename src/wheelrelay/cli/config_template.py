"""The configuration that ``init`` writes: the chosen values, and all other keys commented out."""

import json
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from wheelrelay.config.base import SinkConfig
from wheelrelay.config.errors import models_in
from wheelrelay.config.pypirc import sections
from wheelrelay.config.remote_types import make_config
from wheelrelay.config.remotes import PRESETS, Remote, as_remote
from wheelrelay.config.routes import Expect, Route
from wheelrelay.config.secrets import EnvSecret
from wheelrelay.errors import ConfigError
from wheelrelay.lazy_dataclass import dataclass

SCHEMA = "wheelrelay.schema.json"
"""The file name of the JSON Schema, which the configuration names for editors."""

ROUTE = "release"
"""The name of the route in the template."""

_WIDTH = 100

_HEAD = f"""\
#:schema ./{SCHEMA}

# Run `wheelrelay plan {ROUTE}` to see what would be published, and `wheelrelay relay {ROUTE}` to publish.
# Keys that are commented out show their default. Do not write secrets into this file, but references:
# {{ env = "NAME" }}, {{ file = "PATH" }}, {{ command = ["..."] }} or
# {{ keyring = "SERVICE", username = "NAME" }}."""


@dataclass(frozen=True, slots=True)
class ConfigTemplate:
    """The values for a new configuration.

    Attributes:
        source: the remote to read from, or how to find it: an address, ``pypi``, ``testpypi``, or a section
            of ``~/.pypirc``.
        sinks: the remotes to publish to, in order.
        upload_url: the upload URL of sinks that are private indexes.
        projects: requirements; all projects if empty.
        wheels: tag patterns of expected wheels; nothing is expected if empty.
        sdist: whether an sdist is expected together with ``wheels``.
    """

    source: str | Remote
    sinks: Sequence[str | Remote]
    upload_url: str | None = None
    projects: Sequence[str] = ()
    wheels: Sequence[str] = ()
    sdist: bool = True

    def text(self) -> str:
        """Return the configuration as TOML; relative paths are relative to its own directory.

        Raises:
            ConfigError: A remote is unknown, or a sink cannot be published to.
        """
        source = as_remote(self.source)
        remotes = {source.name if _is_predefined(source) else "staging": source}
        sinks: list[str] = []
        for sink in map(self._as_sink, map(as_remote, self.sinks)):
            sinks.append(_free_name(sink, [*remotes, *sinks]))
            remotes[sinks[-1]] = sink
        route = {"source": next(iter(remotes)), "sinks": sinks, "projects": list(self.projects)}
        expect = {"wheels": list(self.wheels), "sdist": self.sdist} if self.wheels else {}
        tables = [
            _HEAD,
            *(
                _remote_table(name, remote)
                for name, remote in remotes.items()
                if not _is_pypirc_section(remote)
            ),
            _table(f"routes.{ROUTE}", Route, {key: value for key, value in route.items() if value}),
            _table(f"routes.{ROUTE}.expect", Expect, expect),
        ]
        return "\n\n\n".join(tables) + "\n"

    def _as_sink(self, remote: Remote) -> Remote:
        config = remote.config
        if not isinstance(config, SinkConfig):
            raise ConfigError(f"{remote.name} is read-only and cannot be published to.")
        if _is_predefined(remote) or getattr(config, "upload_url", self) is not None:
            return remote
        if self.upload_url is None:
            raise ConfigError(
                f"{remote.name} has no upload URL, so it cannot be published to.",
                hint="Set it with `--upload-url`.",
            )
        keys = {**config.model_dump(exclude_unset=True, exclude={"type"}), "upload_url": self.upload_url}
        return Remote(remote.name, make_config(config.type, keys, where=remote.name))


def _is_pypirc_section(remote: Remote) -> bool:
    """Whether a remote is a section of ``~/.pypirc``, which a table of the same name would replace."""
    return remote.name not in PRESETS and remote.name in sections()


def _is_predefined(remote: Remote) -> bool:
    """Whether a remote needs no table, because its name is known."""
    return remote.name in PRESETS or _is_pypirc_section(remote)


def _free_name(remote: Remote, taken: Sequence[str]) -> str:
    assert remote.config is not None
    name = remote.name if _is_predefined(remote) else remote.config.type
    names = (name, *(f"{name}-{number}" for number in range(2, len(taken) + 2)))
    return next(name for name in names if name not in taken)


def _remote_table(name: str, remote: Remote) -> str:
    config = remote.config
    assert config is not None
    if remote.name in PRESETS:
        return _table(f"remotes.{name}", type(config), {})
    keys = config.model_fields_set | {"type"}
    return _table(f"remotes.{name}", type(config), config.model_dump(mode="json", include=keys))


def _table(name: str, model: type[BaseModel], values: Mapping[str, Any]) -> str:
    """Return a table with some values, and all other keys of the model commented out."""
    lines = [*_comment((model.__doc__ or "").partition("\n\n")[0]), f"[{name}]"]
    if "type" in values:
        lines.append(f"type = {toml_value(values['type'])}")
    for key in sorted(model.model_fields, key=lambda key: key not in values):
        field = model.model_fields[key]
        if key == "type" or Expect in models_in(field.annotation):
            continue
        lines += ["", *_comment(field.description or "")]
        lines.append(f"{key} = {toml_value(values[key])}" if key in values else _default(name, model, key))
    return "\n".join(lines)


def _default(table: str, model: type[BaseModel], key: str) -> str:
    """Return a key with its default, commented out; a secret gets an example of a reference."""
    field = model.model_fields[key]
    default = field.get_default(call_default_factory=True)
    if EnvSecret in models_in(field.annotation):
        value: Any = {"env": f"{table.rpartition('.')[2]}_{key}".upper().replace("-", "_")}
    elif default is None:
        return f"# {key} ="
    else:
        instance = model.model_construct(**{key: default})
        value = instance.model_dump(mode="json", include={key}, exclude_none=True)[key]
    return f"# {key} = {toml_value(value)}"


def _comment(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)


def toml_value(value: Any) -> str:
    """Return a value as one line of TOML.

    >>> toml_value({"keep": 3, "names": ["a"], "on": True})
    '{ keep = 3, names = ["a"], on = true }'
    """
    if isinstance(value, dict):
        pairs = (f"{key} = {toml_value(inner)}" for key, inner in value.items())
        return "{ " + ", ".join(pairs) + " }" if value else "{}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml_value, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
