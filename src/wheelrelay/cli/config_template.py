"""Write a configuration to start from: what was asked for, and every other key with what it is for."""

import json
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from wheelrelay.config.base import SinkConfig
from wheelrelay.config.errors import models_in
from wheelrelay.config.pypirc import sections
from wheelrelay.config.remote_types import make_config
from wheelrelay.config.remotes import PRESETS, Remote, from_address
from wheelrelay.config.routes import Expect, Route
from wheelrelay.config.secrets import EnvSecret
from wheelrelay.errors import ConfigError

SCHEMA = "wheelrelay.schema.json"
"""The file that the configuration names as its schema, for editors."""

ROUTE = "release"
"""What the one route is called."""

_WIDTH = 100


@dataclass(frozen=True, slots=True)
class ConfigTemplate:
    """What a configuration is begun with.

    Attributes:
        source: a remote to read from: an address, or a name that is known without a configuration.
        sinks: the remotes to publish to, likewise, in this order.
        upload_url: where those sinks take uploads that are indexes and none of the known ones.
        projects: requirements; none means all that is there.
        wheels: tag patterns that must be met; none means that nothing is expected.
        sdist: whether an sdist is expected, where something is.
    """

    source: str
    sinks: Sequence[str]
    upload_url: str | None = None
    projects: Sequence[str] = ()
    wheels: Sequence[str] = ()
    sdist: bool = True

    def written(self) -> str:
        """The text of the configuration; relative paths count from the folder that it will lie in.

        Raises:
            ConfigError: a remote is none, or cannot be published to.
        """
        source = from_address(self.source)
        remotes = {source.name if _is_known(source) else "staging": source}
        sinks: list[str] = []
        for sink in map(self._as_sink, map(from_address, self.sinks)):
            sinks.append(_free_name(sink, [*remotes, *sinks]))
            remotes[sinks[-1]] = sink
        route = {"source": next(iter(remotes)), "sinks": sinks, "projects": list(self.projects)}
        expect = {"wheels": list(self.wheels), "sdist": self.sdist} if self.wheels else {}
        tables = [
            _HEAD,
            *(_remote_table(name, remote) for name, remote in remotes.items() if not _is_section(remote)),
            _table(f"routes.{ROUTE}", Route, {key: value for key, value in route.items() if value}),
            _table(f"routes.{ROUTE}.expect", Expect, expect),
        ]
        return "\n\n\n".join(tables) + "\n"

    def _as_sink(self, remote: Remote) -> Remote:
        config = remote.config
        if not isinstance(config, SinkConfig):
            raise ConfigError(f"{remote.name}: nothing can be published there.", hint="It can only be read.")
        if _is_known(remote) or getattr(config, "upload_url", self) is not None:
            return remote
        if self.upload_url is None:
            raise ConfigError(
                f"{remote.name}: where does this index take uploads?", hint="Give --upload-url."
            )
        keys = {**config.model_dump(exclude_unset=True, exclude={"type"}), "upload_url": self.upload_url}
        return Remote(remote.name, make_config(config.type, keys, where=remote.name))


_HEAD = f"""\
#:schema ./{SCHEMA}

# What is moved from where to where: `wheelrelay plan {ROUTE}` shows it, `wheelrelay relay {ROUTE}` does it.
# What is commented out has the value that is shown, or none. Secrets are never written here, but referred to:
# {{ env = "NAME" }}, {{ file = "PATH" }}, {{ command = ["..."] }} or
# {{ keyring = "SERVICE", username = "NAME" }}."""


def _is_section(remote: Remote) -> bool:
    """Whether a remote is a section of ``~/.pypirc``, whose place a table of its name would take."""
    return remote.name not in PRESETS and remote.name in sections()


def _is_known(remote: Remote) -> bool:
    """Whether a remote is known by its name without a table."""
    return remote.name in PRESETS or _is_section(remote)


def _free_name(remote: Remote, taken: Sequence[str]) -> str:
    assert remote.config is not None
    name = remote.name if _is_known(remote) else remote.config.type
    names = (name, *(f"{name}-{number}" for number in range(2, len(taken) + 2)))
    return next(name for name in names if name not in taken)


def _remote_table(name: str, remote: Remote) -> str:
    config = remote.config
    assert config is not None
    if remote.name in PRESETS:
        return _table(f"remotes.{name}", type(config), {})
    given = config.model_fields_set | {"type"}
    return _table(f"remotes.{name}", type(config), config.model_dump(mode="json", include=given))


def _table(name: str, model: type[BaseModel], given: Mapping[str, Any]) -> str:
    """A table: what is given, and all other keys commented out."""
    lines = [*_comment((model.__doc__ or "").partition("\n\n")[0]), f"[{name}]"]
    if "type" in given:
        lines.append(f"type = {written_value(given['type'])}")
    for key in sorted(model.model_fields, key=lambda key: key not in given):
        field = model.model_fields[key]
        if key == "type" or Expect in models_in(field.annotation):
            continue
        lines += ["", *_comment(field.description or "")]
        lines.append(
            f"{key} = {written_value(given[key])}" if key in given else _commented_out(name, model, key)
        )
    return "\n".join(lines)


def _commented_out(table: str, model: type[BaseModel], key: str) -> str:
    """A key that was not given, with its default; one for a secret, with a reference as an example."""
    field = model.model_fields[key]
    default = field.get_default(call_default_factory=True)
    if EnvSecret in models_in(field.annotation):
        shown: Any = {"env": f"{table.rpartition('.')[2]}_{key}".upper().replace("-", "_")}
    elif default is None:
        return f"# {key} ="
    else:
        whole = model.model_construct(**{key: default})
        shown = whole.model_dump(mode="json", include={key}, exclude_none=True)[key]
    return f"# {key} = {written_value(shown)}"


def _comment(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)


def written_value(value: Any) -> str:
    """A value as TOML writes it in one line.

    >>> written_value({"keep": 3, "names": ["a"], "on": True})
    '{ keep = 3, names = ["a"], on = true }'
    """
    if isinstance(value, dict):
        pairs = (f"{key} = {written_value(inner)}" for key, inner in value.items())
        return "{ " + ", ".join(pairs) + " }" if value else "{}"
    if isinstance(value, list):
        return "[" + ", ".join(map(written_value, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
