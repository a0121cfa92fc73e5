"""Explain validation errors: name the key, what is wrong with it, and what to write instead."""

import difflib
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, get_args

from pydantic import BaseModel, ValidationError

from wheelrelay.errors import ConfigError

SECRET_TAGS = ("env", "file", "keyring", "command", "text")
"""Tags of the union of references. Pydantic inserts them into the path of a key; users do not write them."""


class KeyProblem(NamedTuple):
    """What is wrong with one key.

    Attributes:
        path: The path of the key within its table, or within the file.
        message: A sentence that names the key.
    """

    path: tuple[str, ...]
    message: str


def explain(error: ValidationError, where: str, *, model: type[BaseModel]) -> ConfigError:
    """Return one error with a sentence for each problem. Values are left out: they may be secrets.

    Args:
        error: The error that pydantic raised.
        where: The file and table, such as ``wheelrelay.toml: remotes.staging``.
        model: The class that was validated; its keys are suggested for an unknown one.
    """
    problems = tuple(_problems(error, where, model))
    invalid = ConfigError(" ".join(problem.message for problem in problems))
    invalid.problems = problems
    return invalid


def unknown_key(key: str, where: str, known: Iterable[str]) -> ConfigError:
    """Return the error for an unknown key, with the most similar known one."""
    return ConfigError(f"{where}: {_unknown(key, known)}")


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models that occur in the annotation of a field."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from models_in(argument)


def _problems(error: ValidationError, where: str, model: type[BaseModel]) -> Iterator[KeyProblem]:
    for problem in error.errors(include_url=False, include_input=False):
        path = _path_of(problem["loc"])
        if problem["type"] == "extra_forbidden":
            *tables, key = path
            message = f"{'.'.join([where, *tables])}: {_unknown(key, _keys_at(model, tables))}"
        else:
            message = f"{'.'.join([where, *path])}: {_reason(problem)}"
        yield KeyProblem(tuple(path), message)


def _path_of(location: tuple[int | str, ...]) -> list[str]:
    """Return the path of a key as users write it, without the tags that pydantic inserts for unions."""
    last = len(location) - 1
    return [
        str(part)
        for number, part in enumerate(location)
        if number in (0, last) or part not in SECRET_TAGS
        if not str(part).startswith("<")
    ]


def _reason(problem: Any) -> str:
    """Return what is wrong, as the end of a sentence."""
    if problem["type"] == "missing":
        return "this key is required."
    if problem["type"] == "too_short":
        return "this must not be empty."
    reason: str = problem["msg"].removeprefix("Value error, ")
    end = "" if reason.endswith((".", "?")) else "."
    return f"{reason[:1].lower()}{reason[1:]}{end}"


def _unknown(key: str, known: Iterable[str]) -> str:
    names = sorted(known)
    close = difflib.get_close_matches(key.replace("-", "_"), names, n=1, cutoff=0.5)
    return f"there is no key {key!r}. " + (
        f"Did you mean {close[0]!r}?" if close else f"Known keys: {', '.join(names)}."
    )


def _keys_at(model: type[BaseModel], path: Iterable[str]) -> set[str]:
    """Return the keys that the table at ``path`` within ``model`` may have."""
    models = [model]
    for key in path:
        fields = [model.model_fields[key] for model in models if key in model.model_fields]
        models = [inner for field in fields for inner in models_in(field.annotation)]
    return {key for model in models for key in model.model_fields}
