"""The types of remotes: find the configuration class of a type, and validate a table with it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from wheelrelay.config.base import RemoteConfig
from wheelrelay.config.errors import explain
from wheelrelay.errors import PluginLoadError, WheelrelayError
from wheelrelay.plugins import BACKEND_GROUP, KNOWN_PLUGINS, TYPES_BY_SCHEME, find_plugin, installed_plugins


def make_config(kind: str, keys: Mapping[str, Any], *, where: str, base: Path | None = None) -> RemoteConfig:
    """Return the configuration of one remote, validated by the class of its type.

    Args:
        kind: The type of the remote.
        keys: Its keys, without ``type``.
        where: The table to name in errors, such as ``wheelrelay.toml: remotes.staging``.
        base: The folder that relative paths are relative to. [default: the working directory]

    Raises:
        UnknownBackend: No backend of this type is installed.
        PluginLoadError: The backend cannot be imported.
        ConfigError: A key is wrong.
    """
    try:
        return config_class(kind).model_validate({"type": kind, **keys}, context={"base": base or Path()})
    except ValidationError as error:
        raise explain(error, where, model=config_class(kind)) from error


def config_class(kind: str) -> type[RemoteConfig]:
    """Return the configuration class of a type, imported from the distribution that provides it.

    Raises:
        UnknownBackend: No backend of this type is installed.
        PluginLoadError: The backend cannot be imported.
    """
    plugin = find_plugin(BACKEND_GROUP, kind)
    loaded = plugin.load()
    if not (isinstance(loaded, type) and issubclass(loaded, RemoteConfig)):
        raise PluginLoadError(
            f"The entry point {kind!r} of {plugin.package} is not a subclass of RemoteConfig."
        )
    return loaded


def config_by_scheme(scheme: str, text: str, where: str) -> RemoteConfig:
    """Return the configuration for an address whose scheme is a type, or one that fsspec supports.

    An address goes to the installed backend for its scheme, and to fsspec if there is none.

    Args:
        scheme: The scheme of the address.
        text: The whole address.
        where: The address to show in errors, without credentials.

    Raises:
        UnknownBackend: No installed backend supports this scheme.
        ConfigError: The address is malformed.
    """
    kind = TYPES_BY_SCHEME.get(scheme, scheme)
    if kind in installed_plugins(BACKEND_GROUP):
        try:
            return config_class(kind).from_address(text)
        except ValidationError as error:
            raise explain(error, where, model=config_class(kind)) from error
    from fsspec import available_protocols  # heavy, and most runs use no such address

    try:
        find_plugin(BACKEND_GROUP, scheme)
    except WheelrelayError as unknown:
        # For a scheme such as s3, which fsspec supports too, the error names the plugin to install.
        if scheme in KNOWN_PLUGINS or scheme not in available_protocols():
            raise unknown.at(where) from None
    return make_config("fsspec", {"url": text}, where=where)
