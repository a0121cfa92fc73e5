"""What a command ends with: its exit code, and the sentence that says why."""

import sys
from collections.abc import Callable
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from wheelrelay.errors import WheelrelayError


class Exit(IntEnum):
    """The exit codes; scripts lean on them."""

    IN_PLACE = 0
    FAILED = 1
    USAGE = 2
    REFUSED = 3
    PARTLY = 4
    INTERRUPTED = 130


def guarded(run: Callable[[], Any]) -> int:
    """Run a command; turn what it raises into a sentence on standard error and an exit code."""
    from wheelrelay.errors import WheelrelayError

    try:
        code = run()
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.Abort:
        return _interrupted()
    except click.ClickException as wrong:
        wrong.show()
        return int(Exit.USAGE)
    except KeyboardInterrupt:
        return _interrupted()
    except WheelrelayError as error:
        if "--debug" in sys.argv:
            raise
        say(error)
        return int(code_of(error))
    except BrokenPipeError:
        # The reader of our output is gone, as in `wheelrelay list ... | head`: that is no error of ours.
        sys.stderr.close()
        return int(Exit.IN_PLACE)
    return code if isinstance(code, int) else int(Exit.IN_PLACE)


def code_of(error: "WheelrelayError") -> Exit:
    """The exit code that an error stands for."""
    from wheelrelay.errors import ConfigError, RelayFailed, ReleaseRefused

    if isinstance(error, ConfigError):
        return Exit.USAGE
    if isinstance(error, ReleaseRefused):
        return Exit.REFUSED
    if isinstance(error, RelayFailed):
        mirrored = error.receipt.mode == "mirror"
        return Exit.PARTLY if mirrored or error.receipt.touched() or error.receipt.findings else Exit.FAILED
    return Exit.FAILED


def say(error: "WheelrelayError") -> None:
    """Print an error, with every finding that it carries, on standard error."""
    from rich.console import Console
    from rich.text import Text

    from wheelrelay.errors import ReleaseRefused
    from wheelrelay.report.tables import findings_lines

    console = Console(stderr=True, soft_wrap=True, highlight=False)
    if isinstance(error, ReleaseRefused):
        for line in findings_lines(error.findings):
            console.print(line)
    console.print(Text.assemble(("error: ", "bold red"), str(error)))


def _interrupted() -> int:
    click.echo("Interrupted; nothing was published.", err=True)
    return int(Exit.INTERRUPTED)
