"""Where each value of a configuration comes from: its file, a variable, ``~/.pypirc`` or a default."""

import os
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from wheelrelay.backends.index import IndexConfig
from wheelrelay.backends.index.credentials import Account, CredentialRequest, providers
from wheelrelay.config import Config, Remote
from wheelrelay.config.load import VARIABLE
from wheelrelay.config.pypirc import FILE, sections_for
from wheelrelay.config.secrets import is_reference

DEFAULT = "default"


def sources(config: Config, *, named: bool) -> dict[str, str]:
    """Where each key comes from, by its path, as ``remotes.company.url``; no secret is looked up.

    Credentials of an index that are not configured are there with the first place that has some of a variable
    and ``~/.pypirc``; the keyring, netrc and a CI job's identity are asked only when they are needed.

    Args:
        config: as it was loaded.
        named: whether ``--config`` named the file.

    Raises:
        ConfigError: ``~/.pypirc`` cannot be read.
    """
    told = {"path": _how_found(config, named=named)}
    for name, remote in config.remotes.items():
        told |= _keys(f"remotes.{name}", remote.config, str(config.path))
        told |= _credentials(remote)
    for name, route in config.routes.items():
        told |= _keys(f"routes.{name}", route, str(config.path))
    for name in ("pypi", "testpypi"):
        if name not in config.remotes:
            told |= _credentials(config.remote(name))
    return told


def _how_found(config: Config, *, named: bool) -> str:
    if config.path is None:
        return "no file was found"
    if named:
        return "--config"
    return f"the variable {VARIABLE}" if os.environ.get(VARIABLE) else "found by searching upward"


def _keys(path: str, model: Any, file: str) -> dict[str, str]:
    """The keys of a table, and those of the tables within it."""
    told: dict[str, str] = {}
    for key in type(model).model_fields:
        value, place = getattr(model, key), f"{path}.{key}"
        if key not in model.model_fields_set:
            told[place] = DEFAULT
        elif is_reference(value):
            told[place] = f"{file}, which refers to {value.place}"
        elif isinstance(value, BaseModel):
            told |= _keys(place, value, file)
        else:
            told[place] = file
    return told


def _credentials(remote: Remote) -> dict[str, str]:
    """Where the credentials of an index lie that the configuration does not refer to."""
    config = remote.config
    if not isinstance(config, IndexConfig) or config.token or config.password or not config.upload_url:
        return {}
    wanted = CredentialRequest(Account(remote.name), config.upload_url)
    found = next(_ready(wanted), None)
    return {f"remotes.{remote.name}.password": found} if found else {}


def _ready(wanted: CredentialRequest) -> Iterator[str]:
    own = providers.own_prefix(wanted)
    twine = "TWINE" if providers.is_twines(wanted) else None
    for variable in (f"{own}_TOKEN", f"{own}_PASSWORD", f"{twine}_PASSWORD"):
        if os.environ.get(variable):
            yield f"the variable {variable}"
    for section in sections_for(wanted.address, name=wanted.account.remote)[:1]:
        if section.password:
            yield f"section [{section.name}] of {FILE}"
