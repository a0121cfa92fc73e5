"""The command ``plan``."""

from typing import TYPE_CHECKING

import click

from wheelrelay.cli.ci.current import reporter
from wheelrelay.cli.exits import ExitCode
from wheelrelay.cli.options import (
    allow_unexpected_option,
    common_options,
    config_option,
    jobs_option,
    json_option,
    load_config,
    shard_option,
    timeout_option,
)
from wheelrelay.cli.output import print_json
from wheelrelay.cli.route_options import RouteArguments, route_arguments

if TYPE_CHECKING:
    from wheelrelay.model import Shard


@click.command()
@route_arguments
@allow_unexpected_option
@shard_option
@jobs_option
@json_option
@timeout_option
@config_option
@common_options
def plan(
    arguments: RouteArguments,
    allow_unexpected: bool,
    shard: "Shard | None",
    jobs: int | None,
    as_json: bool,
    config_path: str | None,
) -> int:
    """Show what a relay would do, without changing anything.

    Compares the source with each sink: new files would be uploaded, and files that the sink already has would
    be skipped. A file whose name the sink has with other contents is a conflict. No file is downloaded. Exits
    with 3 if a relay would be refused.

    ROUTE is a configured route; it is optional if there is only one, or with --from and --to.

    \b
    Examples:
      wheelrelay plan release
      wheelrelay plan --from ./dist --to testpypi 'astropy==1.3.2'
    """
    from wheelrelay import api
    from wheelrelay.cli.render.console import console
    from wheelrelay.cli.render.tables import plan_table
    from wheelrelay.documents import plan_document
    from wheelrelay.engine.gate import blocking_findings

    route, requirements = arguments.route(load_config(config_path))
    planned = api.plan(route, requirements, shard=shard, jobs=jobs)
    if as_json:
        print_json(plan_document(planned))
    else:
        console().print(plan_table(planned))
    blocking = blocking_findings(planned, allow_unexpected=allow_unexpected)
    reporter().plan(planned)
    reporter().findings(blocking)
    return int(ExitCode.REFUSED if blocking else ExitCode.SUCCESS)
