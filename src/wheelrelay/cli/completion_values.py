"""Values that a shell completes on a command line: configured names, and paths.

A shell requests values at each press of a key, so nothing here validates the configuration, imports a backend
or uses the network.
"""

from collections.abc import Iterable

import click
from click.shell_completion import CompletionItem


def complete_remote(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete a remote: a configured one, PyPI or TestPyPI, or a directory."""
    if incomplete.startswith((".", "/", "~")):
        return [CompletionItem(incomplete, type="dir")]
    from wheelrelay.config.remotes import PRESETS

    return _matching(incomplete, {*_configured_names(context, "remotes"), *PRESETS}, "remote")


def complete_route(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete a route if this is the first word; the following words are requirements."""
    if context.params.get("words") or context.params.get("source") or context.params.get("sinks"):
        return []
    return _matching(incomplete, _configured_names(context, "routes"), "route")


def complete_route_or_remote(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Complete a route or a remote if this is the first word."""
    if context.params.get("words"):
        return []
    routes = complete_route(context, parameter, incomplete)
    return [*routes, *complete_remote(context, parameter, incomplete)]


def complete_file(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete a file or a directory."""
    return [CompletionItem(incomplete, type="file")]


def _configured_names(context: click.Context, section: str) -> Iterable[str]:
    from wheelrelay.config.load import configured_names
    from wheelrelay.errors import ConfigError

    try:
        return configured_names(section, context.params.get("config_path"))
    except ConfigError:
        return ()  # the command reports it when it runs


def _matching(incomplete: str, names: Iterable[str], description: str) -> list[CompletionItem]:
    return [CompletionItem(name, help=description) for name in sorted(names) if name.startswith(incomplete)]
