"""Options that several commands share, and the values that a shell completes.

A shell requests values at each press of a key, so their functions do not validate the configuration, import a
backend or use the network.
"""

import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import CompletionItem

from wheelrelay.cli.ci.current import reporter

if TYPE_CHECKING:
    from wheelrelay.config import Config
    from wheelrelay.model import Shard


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


def complete_engine(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the name of a configured engine."""
    return _matching(incomplete, _configured_names(context, "engines"), "engine")


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


Command = TypeVar("Command", bound=Callable[..., Any])


class _StandardError:
    """The current ``sys.stderr``: while progress bars move, rich replaces it to print above them."""

    def write(self, text: str) -> int:
        """Write text."""
        return sys.stderr.write(text)

    def flush(self) -> None:
        """Flush the stream."""
        sys.stderr.flush()


def _set_verbosity(context: click.Context, _: click.Parameter, count: int) -> None:
    if context.resilient_parsing or not count:
        return
    import logging

    logger = logging.getLogger("wheelrelay")
    logger.setLevel(logging.INFO if count == 1 else logging.DEBUG)
    handler = logging.StreamHandler(_StandardError())
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    logger.addHandler(handler)


def _set_color(context: click.Context, _: click.Parameter, choice: str) -> None:
    if context.resilient_parsing or choice == "auto":
        return
    from wheelrelay.cli.render.console import choose_color

    choose_color(choice)


def _set_timeout(context: click.Context, _: click.Parameter, text: str | None) -> None:
    if context.resilient_parsing or text is None:
        return
    from wheelrelay.config.values import parse_timeout
    from wheelrelay.http.limits import override_timeout

    try:
        override_timeout(parse_timeout(text))
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _set_longest_pause(context: click.Context, _: click.Parameter, text: str | None) -> None:
    if context.resilient_parsing or text is None:
        return
    from wheelrelay.transfer.retry import override_longest_pause

    override_longest_pause(seconds(text, option="--max-retry-wait"))


def _parse_shard(context: click.Context, _: click.Parameter, text: str | None) -> "Shard | None":
    if context.resilient_parsing or text is None:
        return None
    from wheelrelay.model import Shard

    try:
        return Shard.parse(text)
    except ValueError as error:
        raise click.BadParameter(f"{error}.") from error


def common_options(command: Command) -> Command:
    """Add the options that every command has."""
    for option in (
        click.option(
            "-v",
            "--verbose",
            count=True,
            expose_value=False,
            callback=_set_verbosity,
            help="Use verbose output; -vv for debug output.",
        ),
        click.option(
            "--color",
            type=click.Choice(["auto", "always", "never"]),
            default="auto",
            expose_value=False,
            callback=_set_color,
            help="Control colors in output. [default: auto, which is off if NO_COLOR is set]",
        ),
        click.option("--debug", is_flag=True, expose_value=False, help="Print a traceback on errors."),
    ):
        command = option(command)
    return command


config_option = click.option(
    "--config",
    "config_path",
    metavar="FILE",
    shell_complete=complete_file,
    help="The configuration file. "
    "[default: $WHEELRELAY_CONFIG, or the nearest wheelrelay.toml or pyproject.toml]",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON on standard output.")
quiet_option = click.option("-q", "--quiet", is_flag=True, help="Print errors only.")
jobs_option = click.option(
    "-j", "--jobs", type=int, help="The number of parallel transfers. [default: adaptive]"
)
shard_option = click.option(
    "--shard",
    metavar="I/N",
    callback=_parse_shard,
    help="Take one of N parts of the projects, such as 1/4, for parallel jobs. Each project is in one part.",
)
engine_option = click.option(
    "--engine",
    metavar="NAME",
    shell_complete=complete_engine,
    help="Use the workers of a configured engine, possibly on other machines.",
)
receipt_option = click.option(
    "--receipt",
    metavar="FILE",
    shell_complete=complete_file,
    help="Write a JSON receipt, from the beginning of the relay on, and also if it fails.",
)
sums_option = click.option(
    "--sums",
    metavar="FILE",
    shell_complete=complete_file,
    help="Write the sha256 of every file, in the format of sha256sum.",
)
sign_option = click.option(
    "-s",
    "--sign",
    is_flag=True,
    help="Publish a GPG signature with each file; gpg creates missing ones.",
)
sign_with_option = click.option(
    "--sign-with",
    default="gpg",
    show_default=True,
    metavar="PROGRAM",
    help="The program that creates signatures.",
)
identity_option = click.option(
    "--identity", metavar="KEY", help="The key to sign with. [default: gpg's default key]"
)
yes_option = click.option("-y", "--yes", is_flag=True, help="Publish without asking for confirmation.")
wait_option = click.option(
    "--wait",
    metavar="DURATION",
    help="Wait until the source has all expected files, at most this long: 90s, 20m.",
)
allow_unexpected_option = click.option(
    "--allow-unexpected", is_flag=True, help="Accept files that match nothing in the route's `expect`."
)
replace_option = click.option(
    "--replace",
    is_flag=True,
    help="Replace files in containers that have other contents. Package indexes never replace files.",
)
resolve_option = click.option(
    "--resolve",
    is_flag=True,
    help="Refuse the release if uv cannot resolve it for an environment; needs uv and the network.",
)
confirm_timeout_option = click.option(
    "--confirm-timeout",
    metavar="DURATION",
    help="How long to wait until a sink lists the published files: 90s, 20m. "
    "[default: the sink's confirm_timeout, or 15m]",
)


def timeout_option(command: Command) -> Command:
    """Add the options for the timeout of a request and the longest pause between attempts."""
    for option in (
        click.option(
            "--max-retry-wait",
            metavar="DURATION",
            expose_value=False,
            callback=_set_longest_pause,
            help="The longest pause between attempts, even if a server's Retry-After requests more. "
            "[default: $WHEELRELAY_MAX_RETRY_WAIT, or 60s]",
        ),
        click.option(
            "--timeout",
            metavar="SECONDS",
            expose_value=False,
            callback=_set_timeout,
            help="Fail if a server does not respond, or is too slow, for this long. "
            "[default: the remote's timeout, $WHEELRELAY_TIMEOUT, or 50]",
        ),
    ):
        command = option(command)
    return command


def load_config(config_path: str | None) -> "Config":
    """Load the file that ``--config`` names, or the default configuration."""
    from wheelrelay.config import load_config as load
    from wheelrelay.config import which_config

    path = reporter().config_path = which_config(config_path)
    return load(path)


def refuse_config_as_output(config: "Config", **outputs: str | None) -> None:
    """Refuse to overwrite the configuration with an output file.

    Args:
        config: the loaded configuration.
        outputs: the paths of output files, by the name of their option.

    Raises:
        ConfigError: An output file is the configuration file.
    """
    if config.path is not None and any(outputs.values()):
        from wheelrelay.api.outputs import refuse_inputs

        refuse_inputs(outputs, [config.path])


def confirm_seconds(duration: str | None) -> float | None:
    """Return the value of ``--confirm-timeout`` in seconds, or ``None`` if it was not given."""
    return None if duration is None else seconds(duration, option="--confirm-timeout")


def seconds(duration: str, *, option: str) -> float:
    """Return a duration such as ``20m`` in seconds.

    Raises:
        click.BadParameter: It is not a duration; the message names the option.
    """
    from wheelrelay.durations import parse_duration

    try:
        return parse_duration(duration).total_seconds()
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=option) from error
