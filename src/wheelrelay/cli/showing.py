"""What commands that move files show at their end."""

from collections.abc import Sequence
from dataclasses import dataclass

from wheelrelay.cli.board import board
from wheelrelay.cli.options import print_json
from wheelrelay.config import Remote
from wheelrelay.errors import RelayFailed, ReleaseRefused
from wheelrelay.records import Receipt


@dataclass(frozen=True, slots=True)
class Shown:
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

    def receipt(self, receipt: Receipt) -> None:
        """Print it on standard output, and put it on the board."""
        board().receipt(receipt, self.path, self.sinks)
        if self.as_json:
            from wheelrelay.report.documents import receipt_document

            print_json(receipt_document(receipt))
        elif not self.quiet:
            from wheelrelay.report.console import console
            from wheelrelay.report.tables import receipt_table

            console().print(receipt_table(receipt))

    def end(self, error: RelayFailed | ReleaseRefused) -> None:
        """Print the receipt of a relay that did not do all; the findings of a refusal are told elsewhere."""
        if error.receipt and (self.as_json or isinstance(error, RelayFailed)):
            self.receipt(error.receipt)
        elif error.receipt:
            board().receipt(error.receipt, self.path, self.sinks)
