"""Exit codes, and the report of the error that a command ended with."""

import sys
from collections.abc import Callable
from enum import IntEnum
from typing import TYPE_CHECKING, Any, TypeGuard

import click

if TYPE_CHECKING:
    from wheelrelay.cli.ci.current import Reporter
    from wheelrelay.cli.render.console import OutputLost


class ExitCode(IntEnum):
    """The exit codes; scripts depend on them."""

    SUCCESS = 0
    FAILED = 1
    USAGE = 2
    REFUSED = 3
    PARTIAL = 4
    INTERRUPTED = 130


def run_to_exit_code(
    run: Callable[[], Any], *, debug: bool, has_json: bool = True, reporter: "Reporter | None" = None
) -> int:
    """Run a command and return its exit code; report an exception on standard error.

    Args:
        run: the command.
        debug: whether to print a traceback as well.
        has_json: whether the command has the option ``--json``, which messages refer to.
        reporter: reports the error to the CI system as well.
    """

    def report(error: Exception) -> int:
        report_error(error, reporter, has_json=has_json)
        return int(exit_code_of(error))

    try:
        code = run()
    except (click.Abort, KeyboardInterrupt) as interrupt:
        # An interrupt while the end of a relay is being shown must not hide how the relay ended.
        cause = interrupt.__context__
        while cause is not None and not _is_end_of_relay(cause):
            cause = cause.__context__
        if isinstance(cause, Exception):
            return report(cause)
        click.echo("Interrupted; nothing was published.", err=True)
        return int(ExitCode.INTERRUPTED)
    except click.ClickException as error:
        error.show()
        if reporter:
            reporter.error(error, error.format_message())
        return int(ExitCode.USAGE)
    except Exception as error:  # noqa: BLE001  (the last place that can report it)
        if debug:
            import traceback

            traceback.print_exc()
        if _is_output_lost(error):
            return _report_lost_output(error, reporter)
        return report(error)
    return code if isinstance(code, int) else int(ExitCode.SUCCESS)


def _is_output_lost(error: Exception) -> "TypeGuard[OutputLost]":
    from wheelrelay.cli.render.console import OutputLost

    return isinstance(error, OutputLost)


def _report_lost_output(error: "OutputLost", reporter: "Reporter | None") -> int:
    """Report that the result could not be printed; the changes that the command made remain."""
    from wheelrelay.cli.render.console import discard_output
    from wheelrelay.disk.writing import write_error_hint
    from wheelrelay.errors import WheelrelayError

    discard_output(sys.stdout)
    message = f"Cannot write the result to standard output: {error.strerror}."
    hint = write_error_hint(error, otherwise="Run the same command again.")
    report_error(WheelrelayError(message, hint=hint), reporter)
    return int(ExitCode.PARTIAL)


def _is_end_of_relay(error: BaseException) -> bool:
    from wheelrelay.errors import RelayFailed, ReleaseRefused

    return isinstance(error, RelayFailed | ReleaseRefused)


def exit_code_of(error: Exception) -> ExitCode:
    """Return the exit code for an error."""
    from wheelrelay.errors import ConfigError, InvalidFilename, RelayFailed, ReleaseRefused
    from wheelrelay.records import Severity

    # Files of a remote with other names are ignored, so an invalid filename comes from the command line.
    if isinstance(error, ConfigError | InvalidFilename):
        return ExitCode.USAGE
    if isinstance(error, ReleaseRefused):
        return ExitCode.REFUSED
    if isinstance(error, RelayFailed):
        receipt = error.receipt
        has_errors = any(finding.severity is Severity.ERROR for finding in receipt.findings)
        # A complete receipt means that a step after the last file failed.
        is_partial = receipt.mode == "mirror" or receipt.has_changes or has_errors or receipt.is_complete
        return ExitCode.PARTIAL if is_partial else ExitCode.FAILED
    return ExitCode.FAILED


def report_error(error: Exception, reporter: "Reporter | None" = None, *, has_json: bool = True) -> None:
    """Print an error and its findings on standard error, and report it to the CI system."""
    from wheelrelay.cli.option_names import with_option_names
    from wheelrelay.cli.render.blocks import Line
    from wheelrelay.cli.render.console import console, wraps_words
    from wheelrelay.errors import ReleaseRefused, WheelrelayError

    stderr = console(stderr=True)
    if isinstance(error, ReleaseRefused):
        from wheelrelay.cli.render.tables import findings_lines  # slow to import

        for line in findings_lines(error.findings, has_json=has_json):
            stderr.print(line, soft_wrap=not wraps_words(stderr))
    message = with_option_names(str(error)) if isinstance(error, WheelrelayError) else _unexpected(error)
    stderr.print(Line("error: ", "bold red").append(message), soft_wrap=not wraps_words(stderr))
    if reporter:
        reporter.error(error, message)


def _unexpected(error: Exception) -> str:
    from wheelrelay.errors import describe_unexpected

    if isinstance(error, OSError) and error.strerror:
        path = f" ({error.filename})" if error.filename else ""
        return f"Operating system error: {error.strerror}{path}."
    return f"{describe_unexpected(error)}. This is a bug in wheelrelay; `--debug` prints a traceback."
