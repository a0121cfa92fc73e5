"""The command ``receipt`` and its subcommands."""

from typing import TYPE_CHECKING

import click

from wheelrelay.cli.exits import ExitCode
from wheelrelay.cli.options import common_options, complete_file, json_option
from wheelrelay.cli.output import print_json

if TYPE_CHECKING:
    from wheelrelay.records import Receipt


@click.group()
def receipt() -> None:
    """Show and merge the receipts that --receipt writes.

    \b
    Examples:
      wheelrelay receipt show receipt.json
      wheelrelay receipt merge shard-1.json shard-2.json -o receipt.json
    """


@receipt.command()
@click.argument("path", metavar="FILE", shell_complete=complete_file)
@json_option
@common_options
def show(path: str, as_json: bool) -> None:
    """Show the result of a relay.

    Prints the files that are not in place, the findings and the totals of a receipt.

    \b
    Example:
      wheelrelay receipt show receipt.json
    """
    from wheelrelay.api import read_receipt

    _print_receipt(read_receipt(path), as_json=as_json)


@receipt.command()
@click.argument("paths", metavar="FILE...", nargs=-1, required=True, shell_complete=complete_file)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    required=True,
    shell_complete=complete_file,
    help="Write the result to this file.",
)
@json_option
@common_options
def merge(paths: tuple[str, ...], output: str, as_json: bool) -> int:
    """Merge the receipts of several relays.

    The relays are of one route, such as those of its shards. If several receipts contain a file, its best
    outcome counts. Exits with 4 if a file is not in place, if the
    receipts have different digests for a file, or if a shard is missing.

    \b
    Example:
      wheelrelay receipt merge shard-1.json shard-2.json -o receipt.json
    """
    from pathlib import Path

    from wheelrelay.api import read_receipt
    from wheelrelay.api.outputs import refuse_inputs
    from wheelrelay.disk.writing import replace_file
    from wheelrelay.documents import receipt_document
    from wheelrelay.json_text import to_json
    from wheelrelay.records import RECEIPT_CONFLICT, Receipt

    refuse_inputs({"merged receipt": output}, map(Path, paths))
    merged = Receipt.merged(read_receipt(path) for path in paths)
    replace_file(Path(output), to_json(receipt_document(merged)).encode())
    _print_receipt(merged, as_json=as_json)
    if merged.missing_shards:
        click.echo(f"Missing receipts of shards: {', '.join(map(str, merged.missing_shards))}.", err=True)
    if not merged.files and not merged.missing_shards:
        click.echo("The receipts have no files: nothing was selected.", err=True)
    has_conflicts = any(finding.check == RECEIPT_CONFLICT for finding in merged.findings)
    is_whole = merged.files and merged.is_complete and not merged.missing_shards and not has_conflicts
    return int(ExitCode.SUCCESS if is_whole else ExitCode.PARTIAL)


def _print_receipt(content: "Receipt", *, as_json: bool) -> None:
    if as_json:
        from wheelrelay.documents import receipt_document

        print_json(receipt_document(content))
        return
    from wheelrelay.cli.render.console import console
    from wheelrelay.cli.render.tables import receipt_table

    console().print(receipt_table(content))
