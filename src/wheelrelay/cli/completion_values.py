"""What the words on a command line may be, for shells that complete them: configured names, and files.

Shells ask at every press of a key, so nothing is validated here, no backend is imported, and nobody is asked.
"""

from collections.abc import Iterable

import click
from click.shell_completion import CompletionItem


def complete_remote(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """A remote: a configured one, PyPI or TestPyPI, or a folder."""
    if incomplete.startswith((".", "/", "~")):
        return [CompletionItem(incomplete, type="dir")]
    from wheelrelay.config.remotes import PRESETS

    return _beginning(incomplete, {*_configured(context, "remotes"), *PRESETS}, "remote")


def complete_route(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """A route as the first word; what follows it are requirements."""
    if context.params.get("words") or context.params.get("source") or context.params.get("sinks"):
        return []
    return _beginning(incomplete, _configured(context, "routes"), "route")


def complete_route_or_remote(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """A route or a remote as the first word."""
    if context.params.get("words"):
        return []
    routes = complete_route(context, parameter, incomplete)
    return [*routes, *complete_remote(context, parameter, incomplete)]


def complete_file(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """A file or a folder on this machine."""
    return [CompletionItem(incomplete, type="file")]


def _configured(context: click.Context, group: str) -> Iterable[str]:
    from wheelrelay.config.load import configured_names
    from wheelrelay.errors import ConfigError

    try:
        return configured_names(group, context.params.get("config_path"))
    except ConfigError:
        return ()  # it is told when the command is run


def _beginning(incomplete: str, names: Iterable[str], what: str) -> list[CompletionItem]:
    return [CompletionItem(name, help=what) for name in sorted(names) if name.startswith(incomplete)]
