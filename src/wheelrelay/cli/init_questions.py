"""The questions of ``init``: each answer is validated at once, and requested again if it is wrong."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, TypeVar

import click

from wheelrelay.config.base import RemoteConfig, SinkConfig
from wheelrelay.config.errors import models_in
from wheelrelay.config.remote_types import config_class, make_config
from wheelrelay.config.remotes import PRESETS, Remote, from_address
from wheelrelay.config.secrets import EnvSecret
from wheelrelay.errors import ConfigError, WheelrelayError
from wheelrelay.plugins import BACKEND_GROUP, installed_plugins
from wheelrelay.select import parse_requirement
from wheelrelay.tags import TagPattern

Answer = TypeVar("Answer")

SEVERAL = "(separated by spaces)"


def prompt_source() -> Remote:
    """Prompt for the remote to publish files from."""
    return _prompt("Publish files from (address or type)", "./dist", _source)


def prompt_sinks() -> tuple[Remote, ...]:
    """Prompt for the remotes to publish to."""
    return _prompt(f"Publish to, in order {SEVERAL}", "pypi", _each(_sink))


def prompt_projects() -> tuple[str, ...]:
    """Prompt for the projects of the route."""
    return _prompt(f"Projects, empty for all {SEVERAL}", "", _each(_project))


def prompt_wheels() -> tuple[str, ...]:
    """Prompt for the tag patterns of expected wheels."""
    return _prompt(f"Expected wheels such as cp312-*-win_amd64, empty for any {SEVERAL}", "", _each(_pattern))


def _prompt(question: str, default: str, parse: Callable[[str], Answer]) -> Answer:
    """Prompt until the answer is right; each wrong one is explained."""
    while True:
        answer: str = click.prompt(question, default=default, show_default=bool(default), err=True)
        try:
            return parse(answer.strip())
        except WheelrelayError as error:
            click.echo(str(error), err=True)


def _each(parse: Callable[[str], Answer]) -> Callable[[str], tuple[Answer, ...]]:
    return lambda text: tuple(parse(word) for word in text.split())


def _project(text: str) -> str:
    parse_requirement(text)
    return text


def _pattern(text: str) -> str:
    TagPattern.parse(text)
    return text


def _source(text: str) -> Remote:
    return _remote(text, ["url"])


def _sink(text: str) -> Remote:
    """Return the remote of an answer; prompt for its upload URL if it needs one.

    Raises:
        ConfigError: The remote does not exist, or is read-only.
    """
    remote = _remote(text, ["url", "upload_url"])
    config = remote.config
    if not isinstance(config, SinkConfig):
        raise ConfigError(f"{text} is read-only and cannot be published to.")
    if getattr(config, "upload_url", text) is None:
        keys = config.model_dump(exclude_unset=True, exclude={"type"})
        keys |= _prompt_keys(type(config), ["upload_url"], keys, where=text)
        return Remote(text, make_config(config.type, keys, where=text))
    return remote


def _remote(text: str, index_keys: Iterable[str]) -> Remote:
    """Return the remote of an address or a name; of a type, prompt for its required keys.

    Args:
        text: The answer.
        index_keys: The keys of an index that are needed although they are optional.
    """
    if text in PRESETS or text == "web" or text not in installed_plugins(BACKEND_GROUP):
        return from_address(text)
    model = config_class(text)
    needed = [name for name, field in model.model_fields.items() if field.is_required() and name != "type"]
    if text == "index":
        needed += index_keys
    return Remote(text, make_config(text, _prompt_keys(model, needed, {}, where=text), where=text))


def _prompt_keys(
    model: type[RemoteConfig], needed: Iterable[str], known: dict[str, Any], *, where: str
) -> dict[str, Any]:
    """Prompt for some keys of a remote, one after the other, and return them.

    Args:
        model: The class of its configuration.
        needed: The keys.
        known: Keys that are known already.
        where: The remote, for errors.
    """
    values: dict[str, Any] = {}
    for name in needed:
        field = model.model_fields[name]
        is_secret = EnvSecret in models_in(field.annotation) and _refuses_text(where, model, name)
        parse = partial(_value, where, model, {**known, **values}, name, is_secret=is_secret)
        description = (field.description or name).partition(". ")[0].rstrip(".")
        key = f"environment variable with {name}" if is_secret else name
        default = f"{where}_{name}".upper().replace("-", "_") if is_secret else ""
        values[name] = _prompt(f"{where}: {key} ({description})", default, parse)
    return values


def _value(
    where: str, model: type[RemoteConfig], keys: Mapping[str, Any], name: str, answer: str, *, is_secret: bool
) -> Any:
    """Return the value of a key for an answer.

    Raises:
        ConfigError: It is wrong.
    """
    value: Any = {"env": answer} if is_secret else answer
    _refuse_invalid(where, {**keys, name: value}, name, model.model_fields["type"].default)
    return value


def _refuses_text(where: str, model: type[RemoteConfig], name: str) -> bool:
    """Whether a key that can be a reference to a secret must not be written as text."""
    try:
        _refuse_invalid(where, {name: "x"}, name, model.model_fields["type"].default)
    except ConfigError:
        return True
    return False


def _refuse_invalid(where: str, keys: dict[str, Any], name: str, kind: str) -> None:
    """Refuse a key with a wrong value; other keys may still be missing.

    Raises:
        ConfigError: It is wrong.
    """
    if keys[name] in ("", {"env": ""}):
        raise ConfigError(f"{where}.{name}: this key is required.")
    try:
        make_config(kind, keys, where=where)
    except ConfigError as error:
        if not error.problems:
            raise
        problems = [message for path, message in error.problems if path[:1] == (name,)]
        if problems:
            raise ConfigError(" ".join(problems)) from error
