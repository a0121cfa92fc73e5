"""What commands print: findings, JSON documents, progress and receipts."""

import logging
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from wheelrelay.cli.ci.current import reporter
from wheelrelay.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from wheelrelay.cli.render.console import AnyConsole
    from wheelrelay.config import Remote
    from wheelrelay.errors import RelayFailed, ReleaseRefused
    from wheelrelay.events import Progress
    from wheelrelay.model import DistFile
    from wheelrelay.records import Finding, Receipt

_log = logging.getLogger(__name__)


def print_findings(findings: "Sequence[Finding]") -> None:
    """Print all findings on standard output, as text."""
    if not findings:  # then nothing needs to be imported
        return
    from wheelrelay.cli.render.console import console, wraps_words
    from wheelrelay.cli.render.tables import findings_lines

    stdout = console()
    for line in findings_lines(findings, include_demoted=True):
        stdout.print(line, soft_wrap=not wraps_words(stdout))


def print_json(document: "Mapping[str, Any] | Sequence[Mapping[str, Any]]") -> None:
    """Print a JSON document on standard output."""
    from wheelrelay.cli.render.console import write_output
    from wheelrelay.json_text import to_json

    write_output(to_json(document))


def print_files(files: "Sequence[DistFile]", *, heading: str, as_json: bool) -> None:
    """Print the files that ``remove``, ``prune`` or ``yank`` changed.

    Args:
        files: the files.
        heading: such as ``Removed``; a count follows.
        as_json: whether to print JSON.
    """
    if as_json:
        from wheelrelay.documents import files_document

        print_json(files_document(files))
        return
    from wheelrelay.cli.render.blocks import counted

    for file in files:
        click.echo(file.filename)
    click.echo(f"{heading} {counted(len(files))}.")


@contextmanager
def progress_on(
    console: "AnyConsole", *, quiet: bool = False, before_line: Callable[[], None] = lambda: None
) -> "Iterator[Progress]":
    """Yield a progress function that shows events on a console.

    Args:
        console: gets moving bars if it is a terminal, otherwise plain lines.
        quiet: show nothing.
        before_line: called before each line about a step.
    """
    from wheelrelay.events import ignore_events

    if quiet:
        yield ignore_events
        return
    if console.is_terminal:
        from wheelrelay.cli.render.live import LiveProgress
        from wheelrelay.cli.render.terminal import interrupts_not_echoed

        with interrupts_not_echoed(sys.stderr):
            live = LiveProgress(console)  # type: ignore[arg-type]  # a LogConsole is no terminal
            try:
                yield live
            finally:
                live.close()
        return
    from wheelrelay.cli.render.progress import PlainProgress

    yield PlainProgress(console, before_line=before_line)


@contextmanager
def relay_progress(*, quiet: bool = False) -> "Iterator[Progress]":
    """Yield a progress function that shows a relay on standard error and reports it to the CI system.

    Args:
        quiet: show nothing on standard error.
    """
    from wheelrelay.cli.render.console import console

    with (
        progress_on(console(stderr=True), quiet=quiet, before_line=reporter().before_line) as progress,
        reporter().wrap(progress, grouped=not quiet) as wrapped,
    ):
        yield wrapped


@contextmanager
def receipt_of_failure(path: str | None) -> "Iterator[None]":
    """Write a receipt with the error if the route or an option is wrong, so that no relay can begin.

    Args:
        path: the file that ``--receipt`` names, if any.
    """
    from wheelrelay.errors import ConfigError

    try:
        yield
    except (click.UsageError, ConfigError) as error:
        if path:
            from wheelrelay.api.outputs import write_failure

            write_failure(path, error.format_message() if isinstance(error, click.UsageError) else str(error))
        raise


@dataclass(frozen=True, slots=True)
class ReceiptPrinter:
    """Prints the receipt of a relay.

    Attributes:
        as_json: print JSON on standard output.
        quiet: print no table.
        path: the file that the receipt is also written to.
        sinks: the remotes that files are published to.
        has_json: whether the command has the option ``--json``, which messages refer to.
    """

    as_json: bool
    quiet: bool
    path: str | None = None
    sinks: "Sequence[Remote]" = ()
    has_json: bool = True

    def run(self, move: "Callable[[Progress], Receipt]") -> None:
        """Run a relay with progress output and print its receipt.

        An interrupt after the relay has ended is ignored, because nothing is left to interrupt.

        Args:
            move: runs the relay; called with a progress function.

        Raises:
            RelayFailed: The relay failed; its receipt was printed.
            ReleaseRefused: The release was refused; nothing was published.
        """
        from wheelrelay.errors import RelayFailed, ReleaseRefused

        receipt = None
        try:
            with relay_progress(quiet=self.quiet) as progress:
                try:
                    receipt = move(progress)
                except (RelayFailed, ReleaseRefused) as error:
                    self.print_failure(error)
                    raise
            self.print_receipt(receipt)
        except KeyboardInterrupt:
            if receipt is None:
                raise

    def print_receipt(self, receipt: "Receipt") -> None:
        """Print the receipt on standard output and report it to the CI system.

        Raises:
            RelayFailed: The JSON receipt cannot be written; published files stay published.
        """
        reporter().receipt(receipt, self.path, self.sinks)
        if self.as_json:
            _print_json_receipt(receipt)
        elif not self.quiet:
            from wheelrelay.cli.render.console import console, discard_output
            from wheelrelay.cli.render.tables import receipt_table

            try:
                console().print(receipt_table(receipt, has_json=self.has_json))
            except OSError as error:  # the table is only for people, so the relay has not failed
                _log.warning("Cannot write the receipt to standard output: %s.", error.strerror)
                discard_output(sys.stdout)

    def print_failure(self, error: "RelayFailed | ReleaseRefused") -> None:
        """Print the receipt of a relay that failed; the findings of a refusal are printed with its error."""
        from wheelrelay.cli.render.console import discard_output
        from wheelrelay.errors import RelayFailed

        if error.receipt and (self.as_json or isinstance(error, RelayFailed)):
            try:
                self.print_receipt(error.receipt)
            except RelayFailed as print_error:  # the first error is the one to report
                _log.warning("%s", print_error.message)
                discard_output(sys.stdout)
        elif error.receipt:
            reporter().receipt(error.receipt, self.path, self.sinks)


def _print_json_receipt(receipt: "Receipt") -> None:
    from wheelrelay.documents import receipt_document
    from wheelrelay.errors import RelayFailed

    try:
        print_json(receipt_document(receipt))
    except OSError as error:
        raise RelayFailed(
            f"Cannot write the receipt to standard output: {error.strerror}.",
            receipt=receipt,
            hint="Run the same command again; published files are skipped.",
        ) from error
