"""The command line of wheelrelay: one module for each command.

A command's module is imported when the command is used, and it imports the rest of wheelrelay only when the
command runs. So ``--version`` and ``--help`` answer at once.
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

COMMANDS = (
    "audit",
    "backends",
    "check",
    "compare",
    "completion",
    "config",
    "demo",
    "expect",
    "index",
    "init",
    "list",
    "plan",
    "preflight",
    "prune",
    "push",
    "receipt",
    "relay",
    "remove",
    "verify",
    "yank",
)
"""The commands; each is defined in the module of the same name, except for `MODULES`."""

MODULES = {"list": "list_files"}  # a module named `list` would hide the built-in class in this package

GC_THRESHOLD = 200_000
"""New objects before a garbage collection: start-up creates up to 150,000 and none of them is garbage."""

SWITCH_INTERVAL = 0.02
"""Seconds until a thread that computes lets another one run.

With Python's 0.005, waiting threads wake up more often only to wait again. Transfers spend most of their time
in calls that let other threads run anyway.
"""


class LazyGroup(click.Group):
    """The group of all commands, which imports a command only when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command, or return ``None`` if it does not exist."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"{__name__}.{MODULES.get(cmd_name, cmd_name)}")
        commands = (value for value in vars(module).values() if isinstance(value, click.Command))
        return next(command for command in commands if command.name == cmd_name)


def _print_version(context: click.Context, _: click.Parameter, is_set: bool) -> None:
    if is_set and not context.resilient_parsing:
        click.echo(f"wheelrelay {__version__}")
        context.exit()


@click.group(
    cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version and exit.",
)
def cli() -> None:
    """Publish Python distribution files from wherever CI built them.

    A REMOTE is a name from the configuration, or an address: ./dist, pypi, testpypi, https://...,
    index+https://..., listing+https://..., s3://bucket/prefix. A REQUIREMENT is a project with optional
    versions, such as astropy==1.3.2. A ROUTE is a configured source with its sinks. Configure remotes and
    routes in wheelrelay.toml, or under [tool.wheelrelay] in pyproject.toml.

    \b
    Examples:
      wheelrelay demo
      wheelrelay check dist/
      wheelrelay push dist/ --to staging
      wheelrelay plan release 'astropy==1.3.2'
      wheelrelay relay release 'astropy==1.3.2' --receipt receipt.json

    \b
    Exit codes:
      0  success                    3  refused, nothing was published
      1  failed, nothing published  4  partly published, run the same command again
      2  usage or configuration   130  interrupted, nothing was published

    Run `wheelrelay COMMAND --help` for the options of a command.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its exit code.

    Args:
        arguments: the command-line arguments; those of the process by default.
    """
    run(cli, "wheelrelay", arguments)


def run(command: click.Command, name: str, arguments: Sequence[str] | None) -> NoReturn:
    """Run a command as the program of this process, report its error if it fails, and exit.

    Args:
        command: the command to run.
        name: the name of the program, for usage messages.
        arguments: the command-line arguments; those of the process by default.
    """
    # Without this, pydantic searches all installed distributions for its own plugins, which is slow.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    gc.set_threshold(GC_THRESHOLD, *gc.get_threshold()[1:])
    sys.setswitchinterval(SWITCH_INTERVAL)
    signal.signal(signal.SIGTERM, _interrupt)  # CI systems cancel jobs with it: clean up as after Ctrl-C
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # filenames may not be encodable here
    from wheelrelay.cli.ci.current import ci_reporter
    from wheelrelay.cli.exits import run_to_exit_code
    from wheelrelay.cli.render.console import protected_streams
    from wheelrelay.redaction import register_login

    command_line = sys.argv[1:] if arguments is None else list(arguments)
    for argument in command_line:
        register_login(argument)

    with protected_streams(), ci_reporter() as reporter:

        def invoke() -> Any:
            return command.main(args=command_line, prog_name=name, standalone_mode=False, obj=reporter)

        code = run_to_exit_code(
            invoke,
            debug="--debug" in command_line,
            has_json=isinstance(command, click.Group),  # wheel-uploader has no --json to refer to
            reporter=reporter,
        )
    if arguments is None:
        _exit_now(code)
    sys.exit(code)


def _exit_now(code: int) -> NoReturn:
    """Exit without tearing down the interpreter.

    Teardown takes a while, and it would wait for a thread that is blocked on a silent connection. It would
    also end the process by the signal, not by the exit code, after a Ctrl-C that arrived during an ``exec``
    (a dataclass that is being defined, for example).
    """
    atexit._run_exitfuncs()  # noqa: SLF001  (plugins may have registered some, and there is no public call)
    for stream in filter(None, (sys.stdout, sys.stderr)):
        with suppress(OSError):  # the reader of the pipe may have exited
            stream.flush()
    os._exit(code)


def _interrupt(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt
