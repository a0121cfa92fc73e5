"""What the words and options of ``plan``, ``relay`` and ``verify`` ask for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import click

from wheelrelay.cli.options import seconds
from wheelrelay.config import Config, Route, looks_like_remote


@dataclass(frozen=True, slots=True)
class RouteArguments:
    """What the words and options of a command ask for."""

    words: tuple[str, ...]
    source: str | None
    sinks: tuple[str, ...]
    wheels: tuple[str, ...]
    no_sdist: bool
    sdist_only: bool
    wait: str | None
    mode: str | None

    def route(self, config: Config) -> tuple[Route, Sequence[str]]:
        """The route and the requirements.

        The first word is a route if one of that name is configured; else all words are requirements, and
        the route is given by ``--from`` and ``--to``, or is the only one that is configured.
        """
        if self.source or self.sinks:
            if not (self.source and self.sinks):
                raise click.UsageError("--from and --to go together: where to read, and where to publish.")
            route = Route(
                source=config.remote(self.source), sinks=[config.remote(sink) for sink in self.sinks]
            )
            return self._narrowed(route), self.words
        if self.words and self.words[0] in config.route_names():
            return self._narrowed(config.route(self.words[0])), self.words[1:]
        names = config.route_names()
        if len(names) == 1:
            return self._narrowed(config.route(names[0])), self.words
        there = f"Configured routes: {', '.join(names)}." if names else "No route is configured."
        raise click.UsageError(f"Which route? Name one, or give --from and --to. {there}")

    def names_a_remote(self, config: Config) -> bool:
        """Whether the first word is a remote, and no route."""
        if self.source or self.sinks or not self.words or self.words[0] in config.route_names():
            return False
        return looks_like_remote(self.words[0], config)

    def _narrowed(self, route: Route) -> Route:
        if self.sdist_only and (self.no_sdist or self.wheels):
            raise click.UsageError("--sdist-only excludes --no-sdist and --wheels.")
        changes: dict[str, Any] = {}
        if self.wheels:
            changes["wheels"] = self.wheels
        if self.sdist_only:
            changes |= {"wheels": (), "sdist": True}
        if self.no_sdist:
            changes["sdist"] = False
        if self.wait:
            changes["wait"] = timedelta(seconds=seconds(self.wait, option="--wait"))
        if self.mode:
            changes["mode"] = self.mode
        kept = {name: getattr(route, name) for name in route.model_fields_set}
        return Route.model_validate({**kept, **changes}, context={"where": "the options"})
