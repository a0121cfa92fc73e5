"""Options that several commands share, each declared once."""

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from wheelrelay.cli.ci.current import board
from wheelrelay.cli.completion_values import complete_file, complete_remote

if TYPE_CHECKING:
    from wheelrelay.config import Config
    from wheelrelay.records import Finding

Command = TypeVar("Command", bound=Callable[..., Any])


class _StandardError:
    """Standard error as it is at the moment: while bars move, what is written there goes above them."""

    def write(self, text: str) -> int:
        """Write text."""
        return sys.stderr.write(text)

    def flush(self) -> None:
        """Let it be seen."""
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


def common(command: Command) -> Command:
    """The options that every command has."""
    for option in (
        click.option(
            "-v",
            "--verbose",
            count=True,
            expose_value=False,
            callback=_set_verbosity,
            help="Say more; -vv for all.",
        ),
        click.option(
            "--color",
            type=click.Choice(["auto", "always", "never"]),
            default="auto",
            expose_value=False,
            callback=_set_color,
            help="Whether to colour. [default: on a terminal, unless NO_COLOR is set]",
        ),
        click.option(
            "--debug", is_flag=True, expose_value=False, help="Show a traceback if an error ends this."
        ),
    ):
        command = option(command)
    return command


config_option = click.option(
    "--config",
    "config_path",
    metavar="FILE",
    shell_complete=complete_file,
    help="The configuration. [default: $WHEELRELAY_CONFIG, or the nearest wheelrelay.toml or pyproject.toml]",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
quiet_option = click.option("-q", "--quiet", is_flag=True, help="Show errors only.")
jobs_option = click.option(
    "-j", "--jobs", type=int, help="How many files to move at once. [default: found out by what is observed]"
)
receipt_option = click.option(
    "--receipt",
    metavar="FILE",
    shell_complete=complete_file,
    help="Write what was done as JSON, however it ends.",
)
sums_option = click.option(
    "--sums",
    metavar="FILE",
    shell_complete=complete_file,
    help="Write the sha256 of every file, as announcements carry them.",
)
sign_option = click.option(
    "-s", "--sign", is_flag=True, help="Publish a GPG signature with each file; gpg makes those that lack."
)
sign_with_option = click.option(
    "--sign-with", default="gpg", show_default=True, metavar="PROGRAM", help="What makes the signatures."
)
identity_option = click.option(
    "--identity", metavar="KEY", help="Which key to sign with. [default: gpg's default key]"
)
yes_option = click.option("-y", "--yes", is_flag=True, help="Do not ask before publishing.")
wait_option = click.option(
    "--wait",
    metavar="DURATION",
    help="Wait so long until everything that is expected is there: 90s, 20m.",
)
allow_unexpected_option = click.option(
    "--allow-unexpected", is_flag=True, help="Let files through that the expected set does not name."
)
replace_option = click.option(
    "--replace",
    is_flag=True,
    help="Overwrite files that a container holds under the same name with other bytes, for example after a "
    "CI re-run. Indexes never overwrite files.",
)
confirm_timeout_option = click.option(
    "--confirm-timeout",
    metavar="DURATION",
    help="How long to wait until a sink shows what was published, such as 90s or 20m. "
    "[default: confirm_timeout of the sink, or 15m]",
)


def timeout_option(command: Command) -> Command:
    """How long servers may take, and how long to wait before they are asked again."""
    for option in (
        click.option(
            "--max-retry-wait",
            metavar="DURATION",
            expose_value=False,
            callback=_set_longest_pause,
            help="The longest pause before another attempt, also if a server asks for a longer one with "
            "Retry-After. [default: $WHEELRELAY_MAX_RETRY_WAIT, or 60s]",
        ),
        click.option(
            "--timeout",
            metavar="SECONDS",
            expose_value=False,
            callback=_set_timeout,
            help="Give up a server that does not answer, or answers too slowly, for so long. "
            "[default: the remote's timeout, $WHEELRELAY_TIMEOUT, or 50]",
        ),
    ):
        command = option(command)
    return command


def selection_options(command: Command) -> Command:
    """The options that choose a route and the files on it."""
    for option in reversed(
        (
            click.option(
                "--from",
                "source",
                metavar="REMOTE",
                shell_complete=complete_remote,
                help="Where to read, instead of a ROUTE.",
            ),
            click.option(
                "--to",
                "sinks",
                metavar="REMOTE",
                multiple=True,
                shell_complete=complete_remote,
                help="Where to publish; repeat for several.",
            ),
            click.option(
                "--wheels",
                metavar="PATTERN",
                multiple=True,
                help="Take wheels of these tags only, as 'cp312-*-manylinux*'; may be repeated. "
                "* as ABI is never a free-threaded one: write 'cp314-cp314t-*'.",
            ),
            click.option("--no-sdist", is_flag=True, help="Take no sdist."),
            click.option("--sdist-only", is_flag=True, help="Take no wheels."),
            click.option(
                "--mode",
                type=click.Choice(["release", "mirror"]),
                help="release: all or nothing, one version; mirror: each file by itself.",
            ),
        )
    ):
        command = option(command)
    return command


def loaded(config_path: str | None) -> "Config":
    """The configuration that ``--config`` or the usual places give."""
    from wheelrelay.config import load_config, which_config

    found = board().config = which_config(config_path)
    return load_config(found)


def refuse_config(config: "Config", **outputs: str | None) -> None:
    """Refuse an output file that is the configuration.

    Args:
        config: what was read.
        outputs: the files that are written, by what they are called.
    """
    if config.path is not None and any(outputs.values()):
        from wheelrelay.api.outputs import refuse_inputs

        refuse_inputs(outputs, [config.path])


def confirm_seconds(duration: str | None) -> float | None:
    """Return the value of ``--confirm-timeout`` in seconds, or ``None`` if it was not given."""
    return None if duration is None else seconds(duration, option="--confirm-timeout")


def seconds(duration: str, *, option: str) -> float:
    """Return the seconds in a duration such as ``20m``."""
    from wheelrelay.durations import parse_duration

    try:
        return parse_duration(duration).total_seconds()
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=option) from error


def print_findings(findings: "Sequence[Finding]") -> None:
    """Print all findings on standard output, for people."""
    if not findings:  # then nothing has to be imported
        return
    from wheelrelay.cli.render.console import console
    from wheelrelay.cli.render.findings import findings_lines

    for line in findings_lines(findings, every=True):
        console().print(line, soft_wrap=True)


def print_json(document: "Mapping[str, Any] | Sequence[Mapping[str, Any]]") -> None:
    """Print a document on standard output."""
    from wheelrelay.cli.render.streams import write
    from wheelrelay.documents import to_json

    write(to_json(document))
