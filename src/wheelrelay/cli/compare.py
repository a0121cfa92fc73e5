"""The command ``compare``."""

import click

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
@click.argument("before")
@click.argument("after")
@json_option
@timeout_option
@config_option
@common_options
def compare(remote: str, before: str, after: str, as_json: bool, config_path: str | None) -> None:
    """Compare two releases of a project.

    Shows the environments that lost or gained a wheel, and the differences in size, Requires-Python, license,
    dependencies, extras and entry points. BEFORE and AFTER are requirements; if several versions match, the
    newest is compared. The metadata is read from one wheel of each release without downloading all of it.

    \b
    Examples:
      wheelrelay compare pypi 'numpy==2.1.0' 'numpy==2.2.0'
      wheelrelay compare ./wheelhouse 'astropy<7' astropy --json
    """
    from wheelrelay import api

    comparison = api.compare(load_config(config_path).remote(remote), before, after)
    if as_json:
        from wheelrelay.comparison import comparison_document

        print_json(comparison_document(comparison))
        return
    from wheelrelay.cli.render.comparison import comparison_blocks
    from wheelrelay.cli.render.console import console

    console().print(comparison_blocks(comparison))
