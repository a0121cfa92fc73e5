"""The command line: the only place that knows exit codes.

The module of a command is imported when the command is asked for, and imports the rest of wheelrelay only
when the command runs: ``--version`` and ``--help`` answer at once.
"""

import atexit
import gc
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from io import TextIOWrapper
from types import FrameType
from typing import Any, NoReturn

import click

from wheelrelay.version import __version__

COMMANDS = {
    "backends": "listing",
    "check": "check",
    "completion": "completion",
    "config": "config",
    "demo": "demo",
    "index": "containers",
    "init": "init",
    "list": "listing",
    "plan": "relay",
    "prune": "containers",
    "push": "containers",
    "relay": "relay",
    "remove": "containers",
    "verify": "relay",
}
"""In which module each command is."""


SELDOM = 50_000
"""New objects until Python looks for circles of them: starting makes many, and none of them is garbage."""


class Commands(click.Group):
    """The commands, each imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"{__name__}.{COMMANDS[cmd_name]}")
        found = (value for value in vars(module).values() if isinstance(value, click.Command))
        return next(command for command in found if command.name == cmd_name)


def _print_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        click.echo(f"wheelrelay {__version__}")
        context.exit()


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version.",
)
def cli() -> None:
    """Move Python distribution files from where CI left them to the indexes that people install from.

    A REMOTE is a configured name or an address: ./dist, pypi, testpypi, https://..., index+https://...,
    listing+https://..., s3://bucket/prefix. A REQUIREMENT names a project and perhaps versions, as in
    astropy==1.3.2. Routes, and remotes with a name, are written down in wheelrelay.toml or under
    [tool.wheelrelay] in pyproject.toml. `wheelrelay COMMAND --help` tells all of a command.

    \b
    Examples:
      wheelrelay demo
      wheelrelay check dist/
      wheelrelay push dist/ --to staging
      wheelrelay plan release 'astropy==1.3.2'
      wheelrelay relay release 'astropy==1.3.2' --receipt receipt.json

    \b
    Exit codes:
      0  all is in place            3  refused, nothing was published
      1  failed, nothing published  4  partly published: the same command again completes it
      2  usage or configuration   130  interrupted, nothing was published
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code.

    Args:
        arguments: in place of those that the process was started with.
    """
    run(cli, "wheelrelay", arguments)


def run(command: click.Command, name: str, arguments: Sequence[str] | None) -> NoReturn:
    """Run a command as the program of this process: to its exit code, with a sentence for what goes wrong.

    Args:
        command: what to run.
        name: what the program is called.
        arguments: those of the process if not given.
    """
    # Else pydantic looks at all that is installed for plugins of its own, which have no part in this program.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    gc.set_threshold(SELDOM, *gc.get_threshold()[1:])
    signal.signal(signal.SIGTERM, _as_interrupt)  # CI systems end jobs so: close and report as for Ctrl-C
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # names from anywhere, on any terminal
    from wheelrelay.cli.ci.current import board_of
    from wheelrelay.cli.exits import guarded
    from wheelrelay.cli.render.streams import bordered_streams
    from wheelrelay.redaction import register_login

    given = sys.argv[1:] if arguments is None else list(arguments)
    for argument in given:
        register_login(argument)

    with bordered_streams(), board_of() as board:

        def invoke() -> Any:
            return command.main(args=given, prog_name=name, standalone_mode=False, obj=board)

        code = guarded(invoke, debug="--debug" in given, board=board)
    if arguments is None:
        _end(code)
    sys.exit(code)


def _end(code: int) -> NoReturn:
    """End this program at once, without taking it apart, which takes Python a while.

    So it ends also while a thread waits for a connection from which nothing comes any more. And Python would
    end itself by the signal after a Ctrl-C that met an ``exec``, as of a dataclass that is made.
    """
    atexit._run_exitfuncs()  # noqa: SLF001  (there is no other way to have them run, and plugins may have some)
    for stream in filter(None, (sys.stdout, sys.stderr)):
        with suppress(OSError):  # whoever read it has gone
            stream.flush()
    os._exit(code)


def _as_interrupt(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt
