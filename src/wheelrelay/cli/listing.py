"""``list`` and ``backends``: what is there."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from wheelrelay.cli.completion_values import complete_remote
from wheelrelay.cli.options import common, config_option, json_option, loaded, print_json, timeout_option

if TYPE_CHECKING:
    from wheelrelay.config import Config
    from wheelrelay.expect import Expected
    from wheelrelay.model import DistFile


@click.command(name="list")
@click.argument("remote", shell_complete=complete_remote)
@click.argument("requirements", nargs=-1, metavar="[REQUIREMENT]...")
@click.option("--matrix", is_flag=True, help="Draw each release: platforms by Pythons.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "html"]),
    default="text",
    show_default=True,
    help="Of the matrix.",
)
@click.option(
    "--route",
    "expecting",
    metavar="ROUTE",
    help="Show in the matrix what this route expects and does not find. "
    "[default: the only route from this remote that expects anything]",
)
@json_option
@timeout_option
@config_option
@common
def list_(
    remote: str,
    requirements: tuple[str, ...],
    matrix: bool,
    form: str,
    expecting: str | None,
    as_json: bool,
    config_path: str | None,
) -> None:
    """List the distribution files at a REMOTE.

    Each file is shown with its size and what is said of it there; whatever else lies there is passed over. A
    REQUIREMENT chooses projects and versions as installers do: pre-releases if they are asked for, and
    yanked files if their version is pinned. That nothing matches is an error.

    \b
    Examples:
      wheelrelay list ./dist
      wheelrelay list pypi 'markupsafe==3.0.2' --json
      wheelrelay list pypi 'numpy==2.1.0' --matrix
    """
    if matrix and as_json:
        raise click.UsageError("--matrix draws, and --json describes: give one of them.")
    if not matrix and (expecting or form != "text"):
        raise click.UsageError("--format and --route go with --matrix.")
    from wheelrelay import api
    from wheelrelay.config.remotes import path_of

    config = loaded(config_path)
    is_path = remote not in config.remotes and path_of(remote) is not None
    place = remote if is_path else config.remote(remote)
    files = api.list_files(place, requirements, with_digests=as_json)
    if matrix:
        _draw(files, _expected(config, remote, expecting), form)
        return
    if as_json:
        from wheelrelay.documents import files_document

        print_json(files_document(files))
        return
    from wheelrelay.cli.render.console import console
    from wheelrelay.cli.render.files import files_table

    console().print(files_table(files))


def _draw(files: "Sequence[DistFile]", expected: "Expected | None", form: str) -> None:
    from wheelrelay.cli.render.console import console
    from wheelrelay.cli.render.matrix import matrices, matrix_html, matrix_markdown, matrix_table
    from wheelrelay.cli.render.streams import write

    releases = matrices(files, expected)
    if form == "text":
        console().print(matrix_table(releases))
    else:
        write((matrix_markdown if form == "markdown" else matrix_html)(releases))


def _expected(config: "Config", remote: str, expecting: str | None) -> "Expected | None":
    """What a route expects: the named one, or the only one from the remote that expects anything."""
    from wheelrelay.config import as_remote

    if expecting:
        route = config.route(expecting)
        return route.expect.expected() if route.expect else None
    routes = [config.route(name) for name in config.routes]
    fitting = [route for route in routes if route.expect and as_remote(route.source).name == remote]
    expect = fitting[0].expect if len(fitting) == 1 else None
    return expect.expected() if expect else None


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
