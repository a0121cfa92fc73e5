"""The command ``check``."""

from typing import TYPE_CHECKING

import click

from wheelrelay.cli.ci.current import reporter
from wheelrelay.cli.exits import ExitCode
from wheelrelay.cli.options import common_options, complete_file, json_option
from wheelrelay.cli.output import print_findings, print_json

if TYPE_CHECKING:
    from wheelrelay.checks import ChecksConfig


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", shell_complete=complete_file)
@click.option(
    "--profile",
    type=click.Choice(["pypi", "index", "storage"]),
    default="pypi",
    show_default=True,
    help="pypi: everything that PyPI refuses; index: everything that indexes and installers cannot handle; "
    "storage: damaged, unsafe and misnamed files only.",
)
@click.option("--ignore", metavar="CHECK", multiple=True, help="The id of a check to skip; may be repeated.")
@json_option
@common_options
def check(paths: tuple[str, ...], profile: str, ignore: tuple[str, ...], as_json: bool) -> int:
    """Check distribution files before uploading them.

    PATH is a file, a directory or a quoted pattern. Checks each file, and the files as a release. All
    problems are reported together, by rule and by file. Does not use the network. Exits with 3 if there are
    errors; warnings alone are success.

    \b
    Examples:
      wheelrelay check dist/
      wheelrelay check dist/*.whl --profile index
    """
    from wheelrelay.api.checks import check as check_paths
    from wheelrelay.records import Severity

    findings = check_paths(paths, _checks_config(profile, ignore))
    errors = sum(finding.severity is Severity.ERROR for finding in findings)
    if as_json:
        from wheelrelay.documents import findings_document

        print_json(findings_document(findings))
    else:
        from wheelrelay.cli.render.blocks import counted

        print_findings(findings)
        warnings = counted(len(findings) - errors, "warning")
        click.echo(f"{counted(errors, 'error')}, {warnings}." if findings else "No problems found.")
    reporter().findings(findings, "Checked")
    return int(ExitCode.REFUSED if errors else ExitCode.SUCCESS)


def _checks_config(profile: str, ignore: tuple[str, ...]) -> "ChecksConfig":
    from pydantic import ValidationError

    from wheelrelay.checks import ChecksConfig

    try:
        return ChecksConfig.model_validate({"profile": profile, "ignore": ignore})
    except ValidationError as error:
        reason = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise click.BadParameter(reason, param_hint="--ignore") from error
