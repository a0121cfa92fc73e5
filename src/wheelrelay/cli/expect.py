"""The command ``expect``."""

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
    from collections.abc import Sequence

    from wheelrelay.model import Release


@click.command()
@click.argument("requirement", metavar="REQUIREMENT")
@click.option(
    "--from",
    "source",
    metavar="REMOTE",
    default="pypi",
    show_default=True,
    shell_complete=complete_remote,
    help="The remote that has the release.",
)
@click.option(
    "--route",
    metavar="ROUTE",
    help="The route to write the table for. [default: the only configured route, or release]",
)
@json_option
@timeout_option
@config_option
@common_options
def expect(requirement: str, source: str, route: str | None, as_json: bool, config_path: str | None) -> None:
    """Derive the expected files from an earlier release.

    Prints a table for wheelrelay.toml: tag patterns that match every wheel of the release, so that the
    next one is refused if a wheel is missing. It is a starting point: add new Pythons and platforms, and
    remove dropped ones. Without a version, the newest final release is used.

    \b
    Examples:
      wheelrelay expect --from pypi 'numpy==2.1.0'
      wheelrelay expect markupsafe --route stable
    """
    from wheelrelay import api
    from wheelrelay.cli.render.console import write_output
    from wheelrelay.expect_patterns import derived_patterns, newest_release
    from wheelrelay.model import Kind

    config = load_config(config_path)
    release = newest_release(api.list_files(config.remote(source), [requirement]))
    patterns = derived_patterns(release.files)
    has_sdist = any(file.kind is Kind.SDIST for file in release.files)
    if as_json:
        print_json({"wheels": patterns, "sdist": has_sdist})
        return
    names = config.route_names()
    write_output(_table(route or (names[0] if len(names) == 1 else "release"), release, patterns, has_sdist))


def _table(route: str, release: "Release", patterns: "Sequence[str]", has_sdist: bool) -> str:
    """Return the table as TOML."""
    import json

    lines = [f"[routes.{route}.expect]  # as {release.project} {release.version}"]
    if patterns:
        lines += ["wheels = [", *(f"  {json.dumps(pattern)}," for pattern in patterns), "]"]
    else:
        lines.append("wheels = []")
    lines.append(f"sdist = {'true' if has_sdist else 'false'}")
    return "\n".join(lines) + "\n"
