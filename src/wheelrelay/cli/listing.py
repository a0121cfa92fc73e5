"""``list`` and ``backends``: what is there."""

from dataclasses import asdict

import click

from wheelrelay.cli.options import common, config_option, json_option, loaded, print_json
from wheelrelay.cli.words import complete_remote


@click.command(name="list")
@click.argument("remote", shell_complete=complete_remote)
@click.argument("requirements", nargs=-1, metavar="[REQUIREMENT]...")
@json_option
@config_option
@common
def list_(remote: str, requirements: tuple[str, ...], as_json: bool, config_path: str | None) -> None:
    """List the distribution files at a REMOTE.

    Each file is shown with its size and what is said of it there; whatever else lies there is passed over. A
    REQUIREMENT chooses projects and versions as installers do: pre-releases if they are asked for, and
    yanked files if their version is pinned. That nothing matches is an error.

    \b
    Examples:
      wheelrelay list ./dist
      wheelrelay list pypi 'markupsafe==3.0.2' --json
    """
    from wheelrelay import api

    files = api.list_files(loaded(config_path).remote(remote), requirements, with_digests=as_json)
    if as_json:
        from wheelrelay.report.documents import files_document

        print_json(files_document(files))
        return
    from wheelrelay.report.console import console
    from wheelrelay.report.files import files_table

    console().print(files_table(files))


@click.command()
@json_option
@common
def backends(as_json: bool) -> None:
    """List the types of remotes that are installed here.

    Each is told with the package that brings it and with what it can be at most: a source, a sink or both.

    \b
    Examples:
      wheelrelay backends
      wheelrelay backends --json
    """
    from wheelrelay.config.schema import installed_types

    types = installed_types()
    if as_json:
        print_json([asdict(one) for one in types])
        return
    for one in types:
        what = ", ".join(one.roles) if not one.problem else f"cannot be used: {one.problem}"
        click.echo(f"{one.type:<12} {one.package + ' ' + one.version:<30} {what}")
