"""The command ``remove``."""

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
@json_option
@timeout_option
@config_option
@common_options
def remove(remote: str, filenames: tuple[str, ...], as_json: bool, config_path: str | None) -> None:
    """Remove files, such as a broken build, from a container.

    The files are first removed from the container's index pages, then deleted together with their signatures
    and metadata files. If any FILENAME does not exist, nothing is removed. Files cannot be removed from a
    package index.

    \b
    Example:
      wheelrelay remove staging sample-1.0-cp313-cp313-win_amd64.whl
    """
    from wheelrelay import api

    removed = api.remove(load_config(config_path).remote(remote), filenames)
    print_files(removed, heading="Removed", as_json=as_json)
