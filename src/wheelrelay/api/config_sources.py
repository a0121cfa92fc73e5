"""The origin of each configured value: its file, a variable, ``~/.pypirc`` or the default."""

import os
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from wheelrelay.backends.credentials import Account, CredentialRequest, providers
from wheelrelay.backends.index import IndexConfig
from wheelrelay.backends.web.listing import ListingConfig
from wheelrelay.config import Config, Remote
from wheelrelay.config.load import CONFIG_VARIABLE
from wheelrelay.config.pypirc import PYPIRC, sections_for
from wheelrelay.config.remotes import PRESETS
from wheelrelay.config.secrets import is_reference

DEFAULT = "default"


def sources(config: Config, *, named: bool) -> dict[str, str]:
    """Return the origin of each key by its path, such as ``remotes.company.url``. No secret is read.

    For an index without configured credentials, the result includes the first variable or section of
    ``~/.pypirc`` that provides some. The keyring, netrc and the identity of a CI job are not queried.

    Args:
        config: The loaded configuration.
        named: Whether ``--config`` named the file.

    Raises:
        ConfigError: ``~/.pypirc`` cannot be read.
    """
    origins = {"path": _origin_of_file(config, named=named)}
    for name, remote in config.remotes.items():
        origins |= _origins_of_keys(f"remotes.{name}", remote.config, str(config.path))
        origins |= _origin_of_credentials(remote)
    for name, route in config.routes.items():
        origins |= _origins_of_keys(f"routes.{name}", route, str(config.path))
    for name, engine in config.engines.items():
        origins |= _origins_of_keys(f"engines.{name}", engine, str(config.path))
    for name in PRESETS:
        if name not in config.remotes:
            origins |= _origin_of_credentials(config.remote(name))
    return origins


def _origin_of_file(config: Config, *, named: bool) -> str:
    if config.path is None:
        return "no configuration file"
    if named:
        return "--config"
    in_variable = os.environ.get(CONFIG_VARIABLE)
    return f"the variable {CONFIG_VARIABLE}" if in_variable else "found by searching upward"


def _origins_of_keys(path: str, model: Any, file: str) -> dict[str, str]:
    """Return the origins of the keys of a table and of the tables in it."""
    origins: dict[str, str] = {}
    for key in type(model).model_fields:
        value, key_path = getattr(model, key), f"{path}.{key}"
        if key not in model.model_fields_set:
            origins[key_path] = DEFAULT
        elif is_reference(value):
            origins[key_path] = f"{file}, which refers to {value.place}"
        elif isinstance(value, BaseModel):
            origins |= _origins_of_keys(key_path, value, file)
        else:
            origins[key_path] = file
    return origins


def _origin_of_credentials(remote: Remote) -> dict[str, str]:
    """Return where the credentials of an index or a listing come from, if they are not configured."""
    config = remote.config
    if not isinstance(config, IndexConfig | ListingConfig) or config.token or config.password:
        return {}
    url = config.url if isinstance(config, ListingConfig) else config.upload_url
    request = CredentialRequest(Account(remote.name), url or "")
    if isinstance(config, ListingConfig):
        origin = next(_own_variables(request), None)
    else:
        origin = next(_providers_with_password(request), None) if url else None
    return {f"remotes.{remote.name}.password": origin} if origin else {}


def _own_variables(request: CredentialRequest) -> Iterator[str]:
    prefix = providers.own_prefix(request)
    for variable in (f"{prefix}_TOKEN", f"{prefix}_PASSWORD"):
        if os.environ.get(variable):
            yield f"the variable {variable}"


def _providers_with_password(request: CredentialRequest) -> Iterator[str]:
    yield from _own_variables(request)
    if providers.twine_variables_apply(request) and os.environ.get("TWINE_PASSWORD"):
        yield "the variable TWINE_PASSWORD"
    for section in sections_for(request.address, name=request.account.remote)[:1]:
        if section.password:
            yield f"section [{section.name}] of {PYPIRC}"
