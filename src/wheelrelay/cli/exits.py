"""What a command ends with: its exit code, and the sentence that says why."""

import sys
from collections.abc import Callable
from enum import IntEnum
from typing import TYPE_CHECKING, Any, TypeGuard

import click

if TYPE_CHECKING:
    from wheelrelay.cli.ci.base import Board
    from wheelrelay.cli.render.streams import ResultLost


class Exit(IntEnum):
    """The exit codes; scripts lean on them."""

    IN_PLACE = 0
    FAILED = 1
    USAGE = 2
    REFUSED = 3
    PARTLY = 4
    INTERRUPTED = 130


def guarded(run: Callable[[], Any], *, debug: bool, board: "Board | None" = None) -> int:
    """Run a command; turn what it raises into a sentence on standard error and an exit code.

    Args:
        run: the command.
        debug: show a traceback as well.
        board: is told too.
    """
    try:
        code = run()
    except (click.Abort, KeyboardInterrupt) as interrupt:
        ended = interrupt.__context__
        while ended is not None and not _is_end_of_relay(ended):
            ended = ended.__context__
        if isinstance(ended, Exception):  # it came while the end of a relay was shown
            say(ended, board)
            return int(code_of(ended))
        click.echo("Interrupted; nothing was published.", err=True)
        return int(Exit.INTERRUPTED)
    except click.ClickException as wrong:
        wrong.show()
        if board:
            board.error(wrong, wrong.format_message())
        return int(Exit.USAGE)
    except Exception as error:  # noqa: BLE001  (the last place where anything can be said)
        if debug:
            import traceback

            traceback.print_exc()
        if _is_lost_result(error):
            return _say_unprinted(error, board)
        say(error, board)
        return int(code_of(error))
    return code if isinstance(code, int) else int(Exit.IN_PLACE)


def _is_lost_result(error: Exception) -> "TypeGuard[ResultLost]":
    from wheelrelay.cli.render.streams import ResultLost

    return isinstance(error, ResultLost)


def _say_unprinted(error: "ResultLost", board: "Board | None") -> int:
    """Say that the result of a command is lost; what the command changed stays changed."""
    from wheelrelay.cli.render.streams import give_up
    from wheelrelay.disk.writing import write_error_hint
    from wheelrelay.errors import WheelrelayError

    give_up(sys.stdout)
    message = f"The result cannot be written to standard output: {error.strerror}."
    say(
        WheelrelayError(message, hint=write_error_hint(error, otherwise="Run the same command again.")), board
    )
    return int(Exit.PARTLY)


def _is_end_of_relay(error: BaseException) -> bool:
    from wheelrelay.errors import RelayFailed, ReleaseRefused

    return isinstance(error, RelayFailed | ReleaseRefused)


def code_of(error: Exception) -> Exit:
    """The exit code that an error stands for."""
    from wheelrelay.errors import ConfigError, RelayFailed, ReleaseRefused
    from wheelrelay.records import Severity

    if isinstance(error, ConfigError):
        return Exit.USAGE
    if isinstance(error, ReleaseRefused):
        return Exit.REFUSED
    if isinstance(error, RelayFailed):
        receipt = error.receipt
        wrong = any(finding.severity is Severity.ERROR for finding in receipt.findings)
        after_all = receipt.is_complete  # what failed is a thing that comes after the last file
        partly = receipt.mode == "mirror" or receipt.has_changes or wrong or after_all
        return Exit.PARTLY if partly else Exit.FAILED
    return Exit.FAILED


def say(error: Exception, board: "Board | None" = None) -> None:
    """Print an error, with every finding that it carries, on standard error; put it on the board as well."""
    from wheelrelay.cli.render.console import console
    from wheelrelay.cli.render.findings import findings_lines
    from wheelrelay.cli.render.sheet import Line
    from wheelrelay.errors import ReleaseRefused, WheelrelayError

    shown = console(stderr=True)
    if isinstance(error, ReleaseRefused):
        for line in findings_lines(error.findings):
            shown.print(line, soft_wrap=True)
    told = str(error) if isinstance(error, WheelrelayError) else _unforeseen(error)
    shown.print(Line("error: ", "bold red").append(told), soft_wrap=True)
    if board:
        board.error(error, told)


def _unforeseen(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        where = f" ({error.filename})" if error.filename else ""
        return f"The system does not let it go on: {error.strerror}{where}."
    told = str(error).strip().rstrip(".")
    kind = type(error).__name__
    return f"Unforeseen {kind}{f': {told}' if told else ''}. This is a bug; --debug shows where it is."
