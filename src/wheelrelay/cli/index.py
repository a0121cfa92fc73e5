"""The command ``index``."""

import click

from wheelrelay.cli.exits import ExitCode
from wheelrelay.cli.options import (
    common_options,
    complete_remote,
    config_option,
    json_option,
    load_config,
    timeout_option,
)
from wheelrelay.cli.output import print_json


@click.command()
@click.argument("remote", shell_complete=complete_remote)
@click.option(
    "--check",
    is_flag=True,
    help="Verify the pages instead of writing them; exit with 3 if one is missing or outdated.",
)
@json_option
@timeout_option
@config_option
@common_options
def index(remote: str, check: bool, as_json: bool, config_path: str | None) -> int:
    """Rebuild the index pages of a container from its files.

    All other commands keep the pages up to date. Use this one after other programs changed the container, or
    to add pages to a container that has none.

    \b
    Examples:
      wheelrelay index staging
      wheelrelay index staging --check
    """
    from wheelrelay import api

    container = load_config(config_path).remote(remote)
    if as_json and not check:
        raise click.UsageError("--json requires --check.")
    if not check:
        api.index(container)
        click.echo("Wrote all pages.")
        return int(ExitCode.SUCCESS)
    outdated = api.check_index(container)
    if as_json:
        print_json([{"page": name} for name in outdated])
        return int(ExitCode.REFUSED if outdated else ExitCode.SUCCESS)
    for name in outdated:
        click.echo(f"{name} is missing or outdated.")
    if not outdated:
        click.echo("All pages are up to date.")
    return int(ExitCode.REFUSED if outdated else ExitCode.SUCCESS)
