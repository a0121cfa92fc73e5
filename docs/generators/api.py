"""Pages for the Python API, one for each public module, with autodoc."""

import inspect
from collections.abc import Iterable
from importlib import import_module
from types import ModuleType

import wheelrelay
from wheelrelay import errors

FOLDER = "reference/api"

TOPICS = {
    "functions": ("Functions", "What the commands do.", ("wheelrelay.api", "wheelrelay.filenames")),
    "configuration": (
        "Configuration",
        "Routes, remotes and what they consist of. [The keys](../configuration.md) have the same names.",
        ("wheelrelay.config", "wheelrelay.backends", "wheelrelay.checks", "wheelrelay.select"),
    ),
    "results": (
        "Results",
        "What the functions return.",
        (
            "wheelrelay.records",
            "wheelrelay.findings",
            "wheelrelay.model",
            "wheelrelay.lock_files",
            "wheelrelay.tags",
        ),
    ),
    "events": ("Progress", "The events of a relay.", ("wheelrelay.events",)),
    "signing": ("Signing", "How files are signed.", ("wheelrelay.signing", "wheelrelay.staged")),
}
"""Pages for the public names of `wheelrelay`: the title, an introduction, and where the names are defined."""

MODULES = ("errors", "protocols", "model", "config", "containers", "http", "checks", "testing")
"""Public modules whose names are not all public names of `wheelrelay`."""


def pages() -> dict[str, str]:
    """Return the pages, by path."""
    of_topics = {f"{FOLDER}/{name}.md": _topic(name) for name in TOPICS}
    return {**of_topics, **{f"{FOLDER}/{name}.md": _module(name) for name in MODULES}, **_index()}


def _index() -> dict[str, str]:
    names = "\n".join((*TOPICS, *MODULES))
    text = (
        "# Python API\n\n[Use it as a library](../../guides/as-a-library.md) explains it with examples. "
        "`import wheelrelay` imports only what is used.\n\n"
        f":::{{toctree}}\n:maxdepth: 1\n\n{names}\n:::\n"
    )
    return {f"{FOLDER}/index.md": text}


def _topic(topic: str) -> str:
    title, introduction, prefixes = TOPICS[topic]
    names = [name for name in wheelrelay.__all__ if _defined_in(name).startswith(prefixes)]
    return f"# {title}\n\n{introduction}\n\n{_directives(wheelrelay, names)}"


def _defined_in(name: str) -> str:
    return str(getattr(getattr(wheelrelay, name), "__module__", "")) + "."


def _module(name: str) -> str:
    module = import_module(f"wheelrelay.{name}")
    public = list(module.__all__)
    if module is not errors:
        public = [each for each in public if each not in wheelrelay.__all__]
    return f"# wheelrelay.{name}\n\n{_summary(module)}\n\n{_directives(module, public)}"


def _summary(module: ModuleType) -> str:
    return (module.__doc__ or "").partition("\n")[0].replace("`", "``")


def _directives(module: ModuleType, names: Iterable[str]) -> str:
    lines = [f".. currentmodule:: {module.__name__}\n"]
    for name in names:
        kind, options = _kind(getattr(module, name))
        lines.append(f".. auto{kind}:: {name}\n{options}")
    return "```{eval-rst}\n" + "\n".join(lines) + "```\n"


def _kind(thing: object) -> tuple[str, str]:
    if inspect.isclass(thing):
        if issubclass(thing, BaseException):
            return "exception", "   :members:\n   :show-inheritance:\n"
        return "class", "   :members:\n"
    return ("function", "") if inspect.isroutine(thing) else ("data", "")
