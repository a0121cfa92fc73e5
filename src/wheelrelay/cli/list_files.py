"""The command ``list``."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from wheelrelay.config import Config, Route
    from wheelrelay.model import DistFile


@click.command(name="list")
@click.argument("remote", shell_complete=complete_remote)
@click.argument("requirements", nargs=-1, metavar="[REQUIREMENT]...")
@click.option(
    "-l",
    "--long",
    "is_long",
    is_flag=True,
    help="Show all details of each file, such as its URL, upload time and tags.",
)
@click.option("--matrix", is_flag=True, help="Show each release as a table of platforms and Pythons.")
@click.option(
    "--format",
    "matrix_format",
    type=click.Choice(["text", "markdown", "html"]),
    default="text",
    show_default=True,
    help="The format of the matrix.",
)
@click.option(
    "--route",
    "route_name",
    metavar="ROUTE",
    help="Show only the files in the matrix that this route selects, and mark those that it expects and "
    "that are missing. "
    "[default: the only route from this remote with `expect`]",
)
@json_option
@timeout_option
@config_option
@common_options
def list_(
    remote: str,
    requirements: tuple[str, ...],
    is_long: bool,
    matrix: bool,
    matrix_format: str,
    route_name: str | None,
    as_json: bool,
    config_path: str | None,
) -> None:
    """List the distribution files of a remote.

    Shows the size, the sha256 and the required Python of each file; --long shows more, one paragraph per
    file. Files that are not distribution files are ignored. REQUIREMENT
    selects projects and versions as pip does: pre-releases only if requested, and yanked files only if the
    version is pinned. Exits with 1 if no file matches.

    \b
    Examples:
      wheelrelay list ./dist
      wheelrelay list pypi 'markupsafe==3.0.2' --long
      wheelrelay list pypi 'markupsafe==3.0.2' --json
      wheelrelay list pypi 'numpy==2.1.0' --matrix
    """
    if matrix + as_json + is_long > 1:
        raise click.UsageError("Only one of --long, --matrix and --json can be used.")
    if not matrix and (route_name or matrix_format != "text"):
        raise click.UsageError("--format and --route require --matrix.")
    from wheelrelay import api
    from wheelrelay.config.remotes import path_of

    config = load_config(config_path)
    is_path = remote not in config.remotes and path_of(remote) is not None
    target = remote if is_path else config.remote(remote)  # a path needs no configuration class
    files = api.list_files(target, requirements, with_digests=not matrix)
    if matrix:
        _print_matrix(files, _route(config, remote, route_name), matrix_format)
        return
    if as_json:
        from wheelrelay.documents import files_document

        print_json(files_document(files))
        return
    from wheelrelay.cli.render.console import console
    from wheelrelay.cli.render.tables import files_details, files_table

    console().print(files_details(files) if is_long else files_table(files))


def _print_matrix(files: "Sequence[DistFile]", route: "Route | None", matrix_format: str) -> None:
    """Print the matrix of each release; with a route, only the files that it selects."""
    from wheelrelay.cli.render.console import console, write_output
    from wheelrelay.cli.render.matrix import matrix_html, matrix_markdown, matrix_table, release_matrices

    expected = None
    if route is not None:
        selection = route.selection()
        files = [file for file in files if selection.accepts(file)]
        expected = route.expect.expected() if route.expect else None
    releases = release_matrices(files, expected)
    if matrix_format == "text":
        console().print(matrix_table(releases))
    else:
        write_output((matrix_markdown if matrix_format == "markdown" else matrix_html)(releases))


def _route(config: "Config", remote: str, route_name: str | None) -> "Route | None":
    """Return a route: the named one, or the only one from this remote that has `expect`."""
    from wheelrelay.config import as_remote

    if route_name:
        return config.route(route_name)
    routes = [config.route(name) for name in config.routes]
    candidates = [route for route in routes if route.expect and as_remote(route.source).name == remote]
    return candidates[0] if len(candidates) == 1 else None
