"""Say what is wrong with a configuration: the path of each key, what is wrong with it, what may be meant."""

import difflib
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ValidationError

from wheelrelay.errors import ConfigError


def explain(error: ValidationError, where: str, *, model: type[BaseModel] | None = None) -> ConfigError:
    """One error that tells every problem in a sentence of its own, values left out.

    Args:
        error: what pydantic found.
        where: the file and table, as ``wheelrelay.toml: remotes.staging``.
        model: whose keys to suggest from for an unknown key; by default those that pydantic names.
    """
    return ConfigError(" ".join(_sentences(error, where, _keys(model))))


def unknown_key(key: str, where: str, known: list[str]) -> ConfigError:
    """The error for a key that is not known, with the nearest that is."""
    return ConfigError(f"{where}: {_unknown(key, known)}")


def _sentences(error: ValidationError, where: str, known: list[str]) -> Iterator[str]:
    for problem in error.errors(include_url=False, include_input=False):
        path = [
            str(part) for part in problem["loc"] if part not in ("env", "file", "keyring", "command", "text")
        ]
        if problem["type"] == "extra_forbidden":
            yield f"{'.'.join([where, *path[:-1]])}: {_unknown(path[-1], known)}"
        else:
            yield f"{'.'.join([where, *path])}: {_reason(problem)}."


def _reason(problem: Any) -> str:
    reason: str = problem["msg"].removeprefix("Value error, ").rstrip(".")
    if problem["type"] == "missing":
        return "this key is required"
    return reason[:1].lower() + reason[1:]


def _unknown(key: str, known: list[str]) -> str:
    close = difflib.get_close_matches(key.replace("-", "_"), known, n=1, cutoff=0.5)
    meant = f"Did you mean {close[0]!r}?" if close else f"Known are: {', '.join(known)}." if known else ""
    return f"there is no key {key!r}. {meant}".rstrip()


def _keys(model: type[BaseModel] | None) -> list[str]:
    return sorted(model.model_fields) if model else []
