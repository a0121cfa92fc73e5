"""``check``: hold local files against the rules, without going anywhere."""

from typing import TYPE_CHECKING

import click

from wheelrelay.cli.ci.current import board
from wheelrelay.cli.completion_values import complete_file
from wheelrelay.cli.exits import Exit
from wheelrelay.cli.options import common, json_option, print_findings, print_json

if TYPE_CHECKING:
    from wheelrelay.checks import ChecksConfig


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", shell_complete=complete_file)
@click.option(
    "--profile",
    type=click.Choice(["pypi", "index", "storage"]),
    default="pypi",
    show_default=True,
    help="pypi: everything that PyPI refuses; index: what an index or an installer cannot handle; storage: "
    "what makes a file unsafe, or another file than it claims to be.",
)
@click.option(
    "--ignore", metavar="CHECK", multiple=True, help="Leave a check out, by its id; may be repeated."
)
@json_option
@common
def check(paths: tuple[str, ...], profile: str, ignore: tuple[str, ...], as_json: bool) -> int:
    """Check distribution files, each by itself and all together.

    A PATH is a file, a directory, or a pattern in quotes. All that is wrong is told at once, by rule and by
    file; nobody is asked over the network. Exits with 3 if there is an error; warnings alone are success.

    \b
    Examples:
      wheelrelay check dist/
      wheelrelay check dist/*.whl --profile index
    """
    from wheelrelay.api.checks import check as check_paths
    from wheelrelay.records import Severity

    findings = check_paths(paths, _asked(profile, ignore))
    errors = sum(finding.severity is Severity.ERROR for finding in findings)
    if as_json:
        from wheelrelay.documents import findings_document

        print_json(findings_document(findings))
    else:
        from wheelrelay.cli.render.wording import counted

        print_findings(findings)
        warnings = counted(len(findings) - errors, "warning")
        click.echo(f"{counted(errors, 'error')}, {warnings}." if findings else "Nothing is wrong.")
    board().findings(findings, "Checked")
    return int(Exit.REFUSED if errors else Exit.IN_PLACE)


def _asked(profile: str, ignore: tuple[str, ...]) -> "ChecksConfig":
    from pydantic import ValidationError

    from wheelrelay.checks import ChecksConfig

    try:
        return ChecksConfig.model_validate({"profile": profile, "ignore": ignore})
    except ValidationError as error:
        reason = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise click.BadParameter(reason, param_hint="--ignore") from error
