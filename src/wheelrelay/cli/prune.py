"""The command ``prune``."""

import click

from wheelrelay.cli.options import (
    common_options,
    complete_remote,
    config_option,
    json_option,
    load_config,
    timeout_option,
)
from wheelrelay.cli.output import print_files


@click.command()
@click.argument("remote", shell_complete=complete_remote)
@click.option("--dry-run", is_flag=True, help="List the files without removing them.")
@json_option
@timeout_option
@config_option
@common_options
def prune(remote: str, dry_run: bool, as_json: bool, config_path: str | None) -> None:
    """Remove old files from a container.

    The key `retention` of the remote configures which files are kept. For example, with retention = { keep =
    3, max_age = "14d" }, each project keeps its newest three versions and all files that are less than 14
    days old.

    \b
    Examples:
      wheelrelay prune nightlies --dry-run
      wheelrelay prune nightlies
    """
    from wheelrelay import api

    pruned = api.prune(load_config(config_path).remote(remote), dry_run=dry_run)
    print_files(pruned, heading="Would remove" if dry_run else "Removed", as_json=as_json)
