"""What commands that move files show at their end."""

from dataclasses import dataclass

from wheelrelay.cli.options import print_json
from wheelrelay.errors import RelayFailed, ReleaseRefused
from wheelrelay.records import Receipt


@dataclass(frozen=True, slots=True)
class Shown:
    """How a receipt is shown."""

    as_json: bool
    quiet: bool

    def receipt(self, receipt: Receipt) -> None:
        """Print it on standard output."""
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
