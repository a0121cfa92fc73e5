"""The command ``yank``."""

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
@click.argument("filenames", nargs=-1, required=True, metavar="FILENAME...")
@click.option("--reason", default="", metavar="TEXT", help="The reason, which installers show.")
@click.option("--undo", is_flag=True, help="Restore yanked files.")
@click.option("--dry-run", is_flag=True, help="List the files without changing them.")
@json_option
@timeout_option
@config_option
@common_options
def yank(
    remote: str,
    filenames: tuple[str, ...],
    reason: str,
    undo: bool,
    dry_run: bool,
    as_json: bool,
    config_path: str | None,
) -> None:
    """Yank files of a container: installers avoid them.

    Installers still use a yanked file for a version that is pinned with ==, and show the reason. If any
    FILENAME does not exist, nothing is changed. Later mirror runs keep the change. A package index yanks
    files on its own web pages.

    \b
    Examples:
      wheelrelay yank staging sample-1.0-py3-none-any.whl --reason "broken on Windows"
      wheelrelay yank staging sample-1.0-py3-none-any.whl --undo
    """
    from wheelrelay import api

    if undo and reason:
        raise click.UsageError("--reason and --undo exclude each other.")
    container = load_config(config_path).remote(remote)
    changed = api.yank(container, filenames, reason=reason, undo=undo, dry_run=dry_run)
    verb = "restore" if undo else "yank"
    heading = f"Would {verb}" if dry_run else f"{verb.capitalize()}d" if undo else f"{verb.capitalize()}ed"
    print_files(changed, heading=heading, as_json=as_json)
