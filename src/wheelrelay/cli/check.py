"""The command ``check``."""

from typing import TYPE_CHECKING

import click

from wheelrelay.cli.ci.current import reporter
from wheelrelay.cli.exits import ExitCode
from wheelrelay.cli.options import common_options, complete_file, json_option
from wheelrelay.cli.output import print_findings, print_json

if TYPE_CHECKING:
    from wheelrelay.checks import CheckPolicy


MAX_PATHS = 3
"""Paths that the result names; a shell replaces a pattern by many."""


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
    from wheelrelay.api.checks import check_by_policy
    from wheelrelay.records import Severity

    findings = check_by_policy(paths, _policy(profile, ignore))
    errors = sum(finding.severity is Severity.ERROR for finding in findings)
    if as_json:
        from wheelrelay.documents import findings_document

        print_json(findings_document(findings))
    else:
        print_findings(findings)
        click.echo(_summary(paths, errors, len(findings) - errors))
    reporter().findings(findings, "Checked")
    return int(ExitCode.REFUSED if errors else ExitCode.SUCCESS)


def _summary(paths: tuple[str, ...], errors: int, warnings: int) -> str:
    """Return the result, with the number of files and where they are."""
    from wheelrelay.backends.local.paths import find_paths
    from wheelrelay.cli.render.blocks import counted

    files = counted(len(find_paths(paths).paths()))
    where = f" in {', '.join(paths)}" if len(paths) <= MAX_PATHS else ""
    if errors or warnings:
        return f"{counted(errors, 'error')}, {counted(warnings, 'warning')}. Checked {files}{where}."
    return f"No problems found. Checked {files}{where}."


def _policy(profile: str, ignore: tuple[str, ...]) -> "CheckPolicy":
    from wheelrelay.checks.contract import Profile
    from wheelrelay.checks.policy import CheckPolicy
    from wheelrelay.checks.registry import all_checks, unknown_check

    for check_id in ignore:
        if check_id not in {check.id for check in all_checks()}:
            raise click.BadParameter(unknown_check(check_id), param_hint="--ignore")
    return CheckPolicy(ignored=frozenset(ignore)).with_profile(Profile(profile))
