"""Say what is wrong with a configuration: the path of each key, what is wrong with it, what may be meant."""

import difflib
from collections.abc import Iterable, Iterator
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from wheelrelay.errors import ConfigError

SECRET_TAGS = ("env", "file", "keyring", "command", "text")
"""Which kind of value pydantic took a field's to be: part of its path of a key, not of what people write."""


def explain(error: ValidationError, where: str, *, model: type[BaseModel]) -> ConfigError:
    """One error that tells every problem in a sentence of its own, values left out.

    Args:
        error: what pydantic found.
        where: the file and table, as ``wheelrelay.toml: remotes.staging``.
        model: what was validated; its keys are suggested for an unknown one.
    """
    return ConfigError(" ".join(_sentences(error, where, model)))


def unknown_key(key: str, where: str, known: Iterable[str]) -> ConfigError:
    """The error for a key that is not known, with the nearest that is."""
    return ConfigError(f"{where}: {_unknown(key, known)}")


def _sentences(error: ValidationError, where: str, model: type[BaseModel]) -> Iterator[str]:
    for problem in error.errors(include_url=False, include_input=False):
        path = _written_path(problem["loc"])
        if problem["type"] == "extra_forbidden":
            *tables, key = path
            yield f"{'.'.join([where, *tables])}: {_unknown(key, _keys(model, tables))}"
        else:
            yield f"{'.'.join([where, *path])}: {_reason(problem)}."


def _written_path(location: tuple[int | str, ...]) -> list[str]:
    """The path of a key as people wrote it: without the tags that pydantic puts in its middle."""
    last = len(location) - 1
    return [
        str(part)
        for number, part in enumerate(location)
        if number in (0, last) or part not in SECRET_TAGS
        if not str(part).startswith("<")
    ]


def _reason(problem: Any) -> str:
    reason: str = problem["msg"].removeprefix("Value error, ").rstrip(".")
    if problem["type"] == "missing":
        return "this key is required"
    if problem["type"] == "too_short":
        return "this is empty, and needs something in it"
    return reason[:1].lower() + reason[1:]


def _unknown(key: str, known: Iterable[str]) -> str:
    names = sorted(known)
    close = difflib.get_close_matches(key.replace("-", "_"), names, n=1, cutoff=0.5)
    return f"there is no key {key!r}. " + (
        f"Did you mean {close[0]!r}?" if close else f"Known are: {', '.join(names)}."
    )


def _keys(model: type[BaseModel], path: Iterable[str]) -> set[str]:
    """The keys that a table may have which lies at ``path`` within what ``model`` describes."""
    models = [model]
    for key in path:
        fields = [model.model_fields[key] for model in models if key in model.model_fields]
        models = [inner for field in fields for inner in models_in(field.annotation)]
    return {key for model in models for key in model.model_fields}


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models that a field's value may be of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from models_in(inner)
