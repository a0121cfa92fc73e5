"""The command ``backends``."""

from dataclasses import asdict

import click

from wheelrelay.cli.options import common_options, json_option
from wheelrelay.cli.output import print_json


@click.command()
@json_option
@common_options
def backends(as_json: bool) -> None:
    """List the installed types of remotes and engines.

    Shows the package that provides each type, and its possible roles: source, sink or both, or engine.

    \b
    Examples:
      wheelrelay backends
      wheelrelay backends --json
    """
    from wheelrelay.config.schema import installed_types

    types = installed_types()
    if as_json:
        print_json([asdict(backend) for backend in types])
        return
    for backend in types:
        roles = f"unusable: {backend.problem}" if backend.problem else ", ".join(backend.roles)
        click.echo(f"{backend.type:<12} {backend.package + ' ' + backend.version:<30} {roles}")
