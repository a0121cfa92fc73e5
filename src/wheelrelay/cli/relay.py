"""``plan`` and ``relay``: what a route would do, and doing it."""

import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from wheelrelay.cli.ci.current import board, shown
from wheelrelay.cli.completion_values import complete_route, complete_route_or_remote
from wheelrelay.cli.exits import Exit
from wheelrelay.cli.options import (
    allow_unexpected_option,
    common,
    config_option,
    confirm_seconds,
    confirm_timeout_option,
    identity_option,
    jobs_option,
    json_option,
    loaded,
    print_findings,
    print_json,
    quiet_option,
    receipt_option,
    refuse_config,
    replace_option,
    selection_options,
    sign_option,
    sign_with_option,
    sums_option,
    timeout_option,
    wait_option,
    yes_option,
)

if TYPE_CHECKING:
    from wheelrelay.cli.arguments import RouteArguments
    from wheelrelay.records import Plan


def _asking(command: Callable[..., Any], *, first: Callable[..., Any] = complete_route) -> Callable[..., Any]:
    """Options and words of the commands that take a route, gathered into one `RouteArguments`.

    Args:
        command: takes it.
        first: completes the first word.
    """

    def gather(
        words: tuple[str, ...],
        source: str | None,
        sinks: tuple[str, ...],
        wheels: tuple[str, ...],
        no_sdist: bool,
        sdist_only: bool,
        mode: str | None,
        wait: str | None = None,
        **others: Any,
    ) -> Any:
        from wheelrelay.cli.arguments import RouteArguments

        return command(
            RouteArguments(words, source, sinks, wheels, no_sdist, sdist_only, wait, mode), **others
        )

    gather.__name__, gather.__doc__ = command.__name__, command.__doc__
    gather.__click_params__ = getattr(command, "__click_params__", [])  # type: ignore[attr-defined]
    words = click.argument("words", nargs=-1, metavar="[ROUTE] [REQUIREMENT]...", shell_complete=first)
    return words(selection_options(gather))


@click.command()
@_asking
@allow_unexpected_option
@jobs_option
@json_option
@timeout_option
@config_option
@common
def plan(
    asked: "RouteArguments", allow_unexpected: bool, jobs: int | None, as_json: bool, config_path: str | None
) -> int:
    """Show what a relay would do, file by file; nothing is written.

    The source and the sinks are read: what is there already, byte for byte, is skipped, and the same name
    with other bytes is a conflict. A ROUTE is one of the configuration; if it has only one, that is meant. In
    place of it, --from and --to say from where to where. Exits with 3 if a relay would be refused by what is
    known without the files' bytes.

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

    route, requirements = asked.route(loaded(config_path))
    made = api.plan(route, requirements, jobs=jobs)
    if as_json:
        print_json(plan_document(made))
    else:
        console().print(plan_table(made))
    shut = blocking_findings(made, allow_unexpected=allow_unexpected)
    board().plan(made)
    board().findings(shut)
    return int(Exit.REFUSED if shut else Exit.IN_PLACE)


@click.command()
@_asking
@wait_option
@yes_option
@allow_unexpected_option
@replace_option
@jobs_option
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
@common
def relay(  # one parameter for each option
    asked: "RouteArguments",
    yes: bool,
    allow_unexpected: bool,
    replace: bool,
    jobs: int | None,
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
    """Move a release, whole or not at all.

    The same command again completes what failed. Every file is fetched, verified and checked before the
    first byte is published: if something is missing, unexpected, in conflict or damaged, nothing is. Then
    the wheels go, in parallel, and the sdist after them; the sink is read back until it shows every sha256.
    What is there already is skipped. With several sinks, the next one starts when the one before is
    confirmed.

    A ROUTE is one of the configuration; if it has only one, that is meant. In place of it, --from and --to
    say from where to where. Publishing to a directory only downloads: --to ./wheelhouse. On a terminal you
    are asked before anything is published, unless --yes is given.

    \b
    Examples:
      wheelrelay relay release
      wheelrelay relay --from https://wheels.example.org --to pypi 'astropy==1.3.2'
      wheelrelay relay --from pypi --to ./wheelhouse 'numpy==2.1.0' --wheels 'cp313-*-manylinux*'
    """
    from wheelrelay import api
    from wheelrelay.api import PublishOptions
    from wheelrelay.api.connecting import sinks_of
    from wheelrelay.cli.output import ReceiptPrinter
    from wheelrelay.signing import Signer

    options = PublishOptions(
        replace=replace,
        allow_unexpected=allow_unexpected,
        confirm_timeout=confirm_seconds(confirm_timeout),
        sign=sign,
        signer=Signer(sign_with, identity),
    )
    config = loaded(config_path)
    refuse_config(config, receipt=receipt, sums=sums)
    route, requirements = asked.route(config)
    show = ReceiptPrinter(as_json, quiet, receipt, sinks_of(route))
    show.around(
        lambda progress: api.relay(
            route,
            requirements,
            jobs=jobs,
            progress=progress,
            receipt=receipt,
            sums=sums,
            approve=_ask if not yes and sys.stdin.isatty() and sys.stderr.isatty() else None,
            options=options,
        )
    )


@click.command()
@partial(_asking, first=complete_route_or_remote)
@click.option("--download", is_flag=True, help="Fetch and hash what the sinks give out.")
@jobs_option
@json_option
@quiet_option
@timeout_option
@config_option
@common
def verify(
    asked: "RouteArguments",
    download: bool,
    jobs: int | None,
    as_json: bool,
    quiet: bool,
    config_path: str | None,
) -> int:
    """Prove that what is published is what was staged.

    For a ROUTE, or --from and --to, the files of the source are compared with those of the sinks. For a
    REMOTE alone, its files are fetched and compared with the digests that it declares. Exits with 3 if
    something is missing, differs or is damaged.

    \b
    Examples:
      wheelrelay verify release 'astropy==1.3.2'
      wheelrelay verify pypi 'markupsafe==3.0.2'
    """
    from wheelrelay import api
    from wheelrelay.cli.render.wording import counted
    from wheelrelay.documents import findings_document

    config = loaded(config_path)
    given: Any
    requirements: Sequence[str]
    if asked.names_a_remote(config):
        given, requirements = config.remote(asked.words[0]), list(asked.words[1:])
    else:
        given, requirements = asked.route(config)
    with shown(quiet=quiet) as progress:
        findings = api.verify(given, requirements, download=download, jobs=jobs, progress=progress)
    if as_json:
        print_json(findings_document(findings))
    else:
        print_findings(findings)
        if not quiet:
            wrong = f"Not as it should be: {counted(len(findings))}."
            click.echo(wrong if findings else "Everything is as it should be.")
    board().findings(findings, "Verified")
    return int(Exit.REFUSED if findings else Exit.IN_PLACE)


def _ask(plan: "Plan") -> bool:
    from wheelrelay.cli.render.console import console
    from wheelrelay.cli.render.tables import plan_table
    from wheelrelay.cli.render.wording import counted
    from wheelrelay.records import Action

    console(stderr=True).print(plan_table(plan))
    uploads = sum(plan.count(sink, Action.UPLOAD) for sink in plan.sinks)
    return click.confirm(f"Publish {counted(uploads)} to {', '.join(plan.sinks)}?", err=True)
