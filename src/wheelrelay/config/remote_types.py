"""The configuration of one remote by its type: validated by the class that the type's backend brings."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from wheelrelay.config.base import RemoteConfig
from wheelrelay.config.errors import explain
from wheelrelay.errors import PluginLoadError, WheelrelayError
from wheelrelay.plugins import BACKEND_GROUP, KNOWN_PLUGINS, find_plugin, installed_plugins


def make_config(kind: str, keys: Mapping[str, Any], *, where: str, base: Path | None = None) -> RemoteConfig:
    """The configuration of one remote, validated by the class that its type's backend brings.

    Args:
        kind: the remote's type.
        keys: its keys, without ``type``.
        where: what to call it in errors.
        base: the folder that relative paths count from; the working directory if not given.

    Raises:
        UnknownBackend: the type is not installed.
        PluginLoadError: it is installed and broken.
        ConfigError: a key is wrong.
    """
    try:
        return config_class(kind).model_validate({"type": kind, **keys}, context={"base": base or Path()})
    except ValidationError as error:
        raise explain(error, where, model=config_class(kind)) from error


def config_class(kind: str) -> type[RemoteConfig]:
    """The configuration class of a type, imported from the distribution that provides it.

    Raises:
        UnknownBackend: the type is not installed.
        PluginLoadError: it is installed and broken.
    """
    plugin = find_plugin(BACKEND_GROUP, kind)
    loaded = plugin.load()
    if not (isinstance(loaded, type) and issubclass(loaded, RemoteConfig)):
        raise PluginLoadError(f"{kind!r} from {plugin.package} does not name a class of RemoteConfig.")
    return loaded


def config_by_scheme(scheme: str, text: str, where: str) -> RemoteConfig:
    """The configuration that an address stands for whose scheme is a type's, or one that fsspec knows.

    Args:
        scheme: of the address.
        text: the whole address.
        where: what to call it in errors.

    Raises:
        UnknownBackend: a backend that is not installed provides this scheme, or none does.
        ConfigError: the address is not of the type's form.
    """
    from fsspec import available_protocols

    if scheme in installed_plugins(BACKEND_GROUP):
        try:
            return config_class(scheme).from_address(text)
        except ValidationError as error:
            raise explain(error, where, model=config_class(scheme)) from error
    try:
        find_plugin(BACKEND_GROUP, scheme)
    except WheelrelayError as unknown:
        if scheme in KNOWN_PLUGINS or scheme not in available_protocols():
            raise unknown.at(where) from None
    return make_config("fsspec", {"url": text}, where=where)
