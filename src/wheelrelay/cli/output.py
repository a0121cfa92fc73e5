"""What commands that move files show at their end."""

import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from wheelrelay.cli.ci.current import board, shown
from wheelrelay.cli.options import print_json
from wheelrelay.cli.render.streams import give_up
from wheelrelay.config import Remote
from wheelrelay.errors import RelayFailed, ReleaseRefused
from wheelrelay.events import Progress
from wheelrelay.records import Receipt

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ReceiptPrinter:
    """How a receipt is shown.

    Attributes:
        as_json: as JSON.
        quiet: not at all.
        path: of the file that has it as well.
        sinks: where the files go.
    """

    as_json: bool
    quiet: bool
    path: str | None = None
    sinks: Sequence[Remote] = ()

    def around(self, move: Callable[[Progress], Receipt]) -> None:
        """Show a relay from its beginning to its end; an interrupt that comes after that changes nothing.

        Args:
            move: does it, given what shows its progress.

        Raises:
            RelayFailed: it did not do all; its receipt was shown.
            ReleaseRefused: nothing was published.
        """
        done = None
        try:
            with shown(quiet=self.quiet) as progress:
                try:
                    done = move(progress)
                except (RelayFailed, ReleaseRefused) as ended:
                    self.end(ended)
                    raise
            self.receipt(done)
        except KeyboardInterrupt:
            if done is None:
                raise

    def receipt(self, receipt: Receipt) -> None:
        """Print it on standard output, and put it on the board.

        Raises:
            RelayFailed: a program that wants it cannot be given it; what was published is so all the same.
        """
        board().receipt(receipt, self.path, self.sinks)
        if self.as_json:
            _print(receipt)
        elif not self.quiet:
            from wheelrelay.cli.render.console import console
            from wheelrelay.cli.render.tables import receipt_table

            try:
                console().print(receipt_table(receipt))
            except OSError as error:  # people can read it in the log, and nothing of the relay depends on it
                _log.warning("What is shown cannot be written: %s.", error.strerror)
                give_up(sys.stdout)

    def end(self, error: RelayFailed | ReleaseRefused) -> None:
        """Print the receipt of a relay that did not do all; the findings of a refusal are told elsewhere."""
        if error.receipt and (self.as_json or isinstance(error, RelayFailed)):
            try:
                self.receipt(error.receipt)
            except RelayFailed as unprinted:  # what ended the relay matters more
                _log.warning("%s", unprinted.message)
                give_up(sys.stdout)
        elif error.receipt:
            board().receipt(error.receipt, self.path, self.sinks)


def _print(receipt: Receipt) -> None:
    from wheelrelay.documents import receipt_document

    try:
        print_json(receipt_document(receipt))
    except OSError as error:
        raise RelayFailed(
            f"The receipt cannot be written to standard output: {error.strerror}.",
            receipt=receipt,
            hint="Run the same command again: what is in place is skipped.",
        ) from error
