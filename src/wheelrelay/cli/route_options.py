"""Arguments and options that select a route, for ``plan``, ``relay`` and ``verify``."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from wheelrelay.cli.options import complete_file, complete_remote, complete_route, seconds
from wheelrelay.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from wheelrelay.config import Config, Remote, Route
    from wheelrelay.errors import ConfigError
    from wheelrelay.select import Selection


SIMILARITY = 0.75
"""How similar a word must be to a route to count as a misspelled one, as `difflib` measures it."""


OPTIONS = "the options"
"""Where the values of a route come from, in errors."""

CHANGED_KEYS = ("wheels", "lock", "requirements", "local", "wait", "mode")
"""Keys of a route with an option of the same name."""


@dataclass(frozen=True, slots=True)
class RouteArguments:
    """The arguments and options that select a route and the files on it."""

    words: tuple[str, ...]
    source: str | None
    sinks: tuple[str, ...]
    wheels: tuple[str, ...]
    no_sdist: bool
    sdist_only: bool
    lock: tuple[str, ...]
    requirements: tuple[str, ...]
    local: str | None
    wait: str | None
    mode: str | None

    def route(self, config: "Config") -> "tuple[Route, Sequence[str]]":
        """Return the route and the requirements.

        The first word is the route if one of that name is configured. Otherwise all words are requirements,
        and the route is built from ``--from`` and ``--to``, or is the only configured one.

        Raises:
            click.UsageError: No route is selected.
        """
        from wheelrelay.config import Route

        if self.source or self.sinks:
            if not (self.source and self.sinks):
                raise click.UsageError("--from and --to must be used together.")
            source, sinks = config.remote(self.source), [config.remote(sink) for sink in self.sinks]
            return self._narrowed(Route(source=source, sinks=sinks)), self.words
        names = config.route_names()
        if self.words and self.words[0] in names:
            return self._narrowed(config.route(self.words[0])), self.words[1:]
        self._refuse_misspelled(config, names)
        if len(names) == 1:
            return self._narrowed(config.route(names[0])), self.words
        configured = f"Configured routes: {', '.join(names)}." if names else "No route is configured."
        raise click.UsageError(f"Missing route. Name one, or use --from and --to. {configured}")

    def _refuse_misspelled(self, config: "Config", names: Sequence[str]) -> None:
        """Refuse a first word that is almost the name of a route, and not a project of the only route.

        Raises:
            click.UsageError: The word is probably a misspelled route.
        """
        import difflib

        word = self.words[0] if self.words else ""
        nearest = difflib.get_close_matches(word, names, n=1, cutoff=SIMILARITY)
        only_route = config.routes.get(names[0]) if len(names) == 1 else None
        if not nearest or (only_route and word in only_route.projects):
            return
        raise click.UsageError(
            f"There is no route {word!r}. Did you mean {nearest[0]!r}? If {word!r} is a project, write a "
            f"route before it: {nearest[0]} {word}"
        )

    def names_a_remote(self, config: "Config") -> bool:
        """Whether the first word is a remote and not a route."""
        from wheelrelay.config import looks_like_remote

        if self.source or self.sinks or not self.words or self.words[0] in config.route_names():
            return False
        return looks_like_remote(self.words[0], config)

    def remote(self, config: "Config") -> "tuple[Remote, Selection]":
        """Return the remote that the first word names, and the files that words and options select."""
        from wheelrelay.config import Route

        remote = config.remote(self.words[0])
        route = self._narrowed(Route(source=remote, sinks=[remote]))
        return remote, route.selection(self.words[1:])

    def _narrowed(self, route: "Route") -> "Route":
        """Return the route with the options that override its keys."""
        from datetime import timedelta

        from wheelrelay.errors import ConfigError

        if self.sdist_only and (self.no_sdist or self.wheels):
            raise click.UsageError("--sdist-only cannot be used with --no-sdist or --wheels.")
        changes: dict[str, Any] = {}
        if self.wheels:
            changes["wheels"] = self.wheels
        if self.sdist_only:
            changes |= {"wheels": (), "sdist": True}
        if self.no_sdist:
            changes["sdist"] = False
        changes |= {"lock": self.lock} if self.lock else {}
        changes |= {"requirements": self.requirements} if self.requirements else {}
        changes |= {"local": self.local} if self.local is not None else {}
        if self.wait:
            changes["wait"] = timedelta(seconds=seconds(self.wait, option="--wait"))
        if self.mode:
            changes["mode"] = self.mode
        unchanged = {name: getattr(route, name) for name in route.model_fields_set}
        try:
            return type(route).model_validate({**unchanged, **changes}, context={"where": OPTIONS})
        except ConfigError as error:
            raise _with_option_names(error) from error


def _with_option_names(error: "ConfigError") -> "ConfigError":
    """Return an error that names options in place of the keys of a route."""
    from wheelrelay.errors import ConfigError

    if not error.problems:
        return error
    sentences = []
    for path, message in error.problems:
        reason = message.partition(": ")[2]
        key = path[0] if path else ""
        sentences.append(f"--{key}: {reason}" if key in CHANGED_KEYS else reason)
    return ConfigError(" ".join(sentences))


_SELECTION_OPTIONS = (
    click.option(
        "--from",
        "source",
        metavar="REMOTE",
        shell_complete=complete_remote,
        help="The remote to read from; use with --to instead of a ROUTE.",
    ),
    click.option(
        "--to",
        "sinks",
        metavar="REMOTE",
        multiple=True,
        shell_complete=complete_remote,
        help="A remote to publish to; may be repeated.",
    ),
    click.option(
        "--wheels",
        metavar="PATTERN",
        multiple=True,
        help="Select only wheels with these tags, such as 'cp312-*-manylinux*'; may be repeated. "
        "* as ABI does not match free-threaded ABIs; use 'cp314-cp314t-*' for those.",
    ),
    click.option("--no-sdist", is_flag=True, help="Select no sdist."),
    click.option("--sdist-only", is_flag=True, help="Select only the sdist."),
    click.option(
        "--lock",
        metavar="FILE",
        multiple=True,
        shell_complete=complete_file,
        help="Select exactly the files of a lock file, for all platforms: pylock.toml, uv.lock, or "
        "requirements with hashes; may be repeated.",
    ),
    click.option(
        "--requirements",
        metavar="FILE",
        multiple=True,
        shell_complete=complete_file,
        help="Select the projects of a requirements file, or exactly its files if it has hashes; may be "
        "repeated.",
    ),
    click.option(
        "--local",
        metavar="VERSION",
        help="Select only this local version, such as cu129 of 2.9.0+cu129; '' selects files without one.",
    ),
    click.option(
        "--mode",
        type=click.Choice(["release", "mirror"]),
        help="release: one version, all files or none; mirror: each file independently.",
    ),
)


def route_arguments(
    command: Callable[..., Any], *, complete_first_word: Callable[..., Any] = complete_route
) -> Callable[..., Any]:
    """Add the arguments and options that select a route; the command gets them as one `RouteArguments`.

    Args:
        command: a function that takes a `RouteArguments` and other options.
        complete_first_word: completes the first word in a shell.
    """

    def gather(
        words: tuple[str, ...],
        source: str | None,
        sinks: tuple[str, ...],
        wheels: tuple[str, ...],
        no_sdist: bool,
        sdist_only: bool,
        lock: tuple[str, ...],
        requirements: tuple[str, ...],
        local: str | None,
        mode: str | None,
        wait: str | None = None,
        **others: Any,
    ) -> Any:
        arguments = RouteArguments(
            words, source, sinks, wheels, no_sdist, sdist_only, lock, requirements, local, wait, mode
        )
        return command(arguments, **others)

    gather.__name__, gather.__doc__ = command.__name__, command.__doc__
    gather.__click_params__ = getattr(command, "__click_params__", [])  # type: ignore[attr-defined]
    decorated: Callable[..., Any] = gather
    for option in reversed(_SELECTION_OPTIONS):
        decorated = option(decorated)
    words = click.argument(
        "words", nargs=-1, metavar="[ROUTE] [REQUIREMENT]...", shell_complete=complete_first_word
    )
    return words(decorated)
