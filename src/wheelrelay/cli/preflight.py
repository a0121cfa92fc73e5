"""The command ``preflight``."""

import click

from wheelrelay.cli.ci.current import reporter
from wheelrelay.cli.exits import ExitCode
from wheelrelay.cli.options import (
    common_options,
    config_option,
    json_option,
    load_config,
    quiet_option,
    timeout_option,
)
from wheelrelay.cli.output import print_json, relay_progress
from wheelrelay.cli.route_options import RouteArguments, route_arguments


@click.command()
@route_arguments
@click.option(
    "--commit",
    metavar="COMMIT",
    help="The commit that will be built. [default: the route's `expect.commit`, or that of the CI job]",
)
@json_option
@quiet_option
@timeout_option
@config_option
@common_options
def preflight(
    arguments: RouteArguments, commit: str | None, as_json: bool, quiet: bool, config_path: str | None
) -> int:
    """Check before a build whether a release may be published.

    For the first job of a CI run. Checks for each sink whether the credentials are accepted, the project
    exists or its name is free, the version is new, the release fits the limits, and the clock is right; and
    that the source holds nothing from another commit. Nothing is uploaded or changed. What only an upload can
    show is unknown. Exits with 3 if a check fails.

    ROUTE is a configured route; it is optional if there is only one, or with --from and --to.

    \b
    Examples:
      wheelrelay preflight release 'astropy==1.3.2'
      wheelrelay preflight --from ./dist --to testpypi 'astropy==1.3.2'
    """
    from wheelrelay import api
    from wheelrelay.cli.render.console import console
    from wheelrelay.cli.render.reports import preflight_findings, preflight_markdown, preflight_table
    from wheelrelay.report_documents import preflight_document

    route, requirements = arguments.route(load_config(config_path))
    with relay_progress(quiet=quiet) as progress:
        report = api.preflight(route, requirements, commit=commit, progress=progress)
    if as_json:
        print_json(preflight_document(report))
    elif not (quiet and report.may_publish):
        console().print(preflight_table(report))
    reporter().findings(preflight_findings(report))
    reporter().summary(preflight_markdown(report))
    return int(ExitCode.SUCCESS if report.may_publish else ExitCode.REFUSED)
