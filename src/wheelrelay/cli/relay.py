"""The command ``relay``."""

import sys
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

import click

from wheelrelay.cli.options import (
    allow_unexpected_option,
    common_options,
    config_option,
    confirm_seconds,
    confirm_timeout_option,
    engine_option,
    identity_option,
    jobs_option,
    json_option,
    load_config,
    quiet_option,
    receipt_option,
    refuse_config_as_output,
    replace_option,
    resolve_option,
    shard_option,
    sign_option,
    sign_with_option,
    sums_option,
    timeout_option,
    wait_option,
    yes_option,
)
from wheelrelay.cli.output import ReceiptPrinter, receipt_of_failure
from wheelrelay.cli.route_options import RouteArguments, route_arguments

if TYPE_CHECKING:
    from wheelrelay.config import Remote
    from wheelrelay.model import Shard
    from wheelrelay.records import Plan


@click.command()
@route_arguments
@wait_option
@yes_option
@allow_unexpected_option
@replace_option
@shard_option
@resolve_option
@jobs_option
@engine_option
@receipt_option
@sums_option
@sign_option
@sign_with_option
@identity_option
@confirm_timeout_option
@json_option
@quiet_option
@timeout_option
@config_option
@common_options
def relay(  # one parameter for each option
    arguments: RouteArguments,
    yes: bool,
    allow_unexpected: bool,
    replace: bool,
    shard: "Shard | None",
    resolve: bool,
    jobs: int | None,
    engine: str | None,
    receipt: str | None,
    sums: str | None,
    sign: bool,
    sign_with: str,
    identity: str | None,
    confirm_timeout: str | None,
    as_json: bool,
    quiet: bool,
    config_path: str | None,
) -> None:
    """Publish a release completely, or not at all.

    All files are downloaded, verified and checked first. If any file is missing, unexpected, damaged or in
    conflict, nothing is published. Then the wheels are uploaded in parallel, and the sdist last. Finally,
    wheelrelay reads the sink until it lists every file with its sha256. Files that the sink already has are
    skipped, so running the same command again completes a failed relay. Several sinks are published to one
    after the other.

    ROUTE is a configured route; it is optional if there is only one, or with --from and --to. To only
    download files, publish to a directory: --to ./wheelhouse. On a terminal, wheelrelay shows the plan and
    prompts for confirmation, except with --yes or if all sinks are local directories.

    \b
    Examples:
      wheelrelay relay release
      wheelrelay relay --from https://wheels.example.org --to pypi 'astropy==1.3.2'
      wheelrelay relay --from pypi --to ./wheelhouse 'numpy==2.1.0' --wheels 'cp313-*-manylinux*'
      wheelrelay relay --from pypi --to ./mirror --mode mirror --lock pylock.toml
      wheelrelay relay mirror --mode mirror --shard 1/4 --receipt shard-1.json
      wheelrelay relay mirror --mode mirror --engine farm
    """
    from wheelrelay import api
    from wheelrelay.api import PublishOptions
    from wheelrelay.api.connecting import sinks_of
    from wheelrelay.signing import Signer

    options = PublishOptions(
        replace=replace,
        allow_unexpected=allow_unexpected,
        confirm_timeout=confirm_seconds(confirm_timeout),
        sign=sign,
        resolve=resolve,
        signer=Signer(sign_with, identity),
    )
    with receipt_of_failure(receipt):
        config = load_config(config_path)
        refuse_config_as_output(config, receipt=receipt, sums=sums)
        route, requirements = arguments.route(config)
    ReceiptPrinter(as_json, quiet, receipt, sinks_of(route)).run(
        lambda progress: api.relay(
            route,
            requirements,
            shard=shard,
            jobs=jobs,
            progress=progress,
            receipt=receipt,
            sums=sums,
            approve=None if yes else _approval(sinks_of(route)),
            options=options,
            engine=None if engine is None else config.engine(engine),
        )
    )


def _approval(sinks: "Sequence[Remote]") -> "Callable[[Plan], bool] | None":
    """Return the function that prompts for confirmation; ``None`` if no user can answer, or needs to.

    Files in a directory on this machine can be deleted, so they need no confirmation.
    """
    remote = {sink.name for sink in sinks if sink.config is None or sink.config.type != "directory"}
    if not remote or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None
    return lambda plan: _confirm(plan, remote)


def _confirm(plan: "Plan", remote: Collection[str]) -> bool:
    """Prompt for confirmation; the progress output has shown the plan."""
    from wheelrelay.cli.render.blocks import Blocks, counted
    from wheelrelay.cli.render.console import console
    from wheelrelay.cli.render.tables import findings_lines
    from wheelrelay.cli.render.terminal import discard_typed_keys
    from wheelrelay.records import Action

    published = (Action.UPLOAD, Action.UPDATE, Action.UNKNOWN)
    counts = {
        sink: count
        for sink in plan.sinks
        if sink in remote and (count := sum(plan.count(sink, action) for action in published))
    }
    if not counts:
        return True
    if plan.findings:
        console(stderr=True).print(Blocks(*findings_lines(plan.findings, has_json=False)))
    discard_typed_keys()
    question = " and ".join(f"{counted(count)} to {sink}" for sink, count in counts.items())
    return click.confirm(f"Publish {question}?", err=True)
