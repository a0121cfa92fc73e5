"""The command ``verify``."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from wheelrelay.cli.ci.current import reporter
from wheelrelay.cli.exits import ExitCode
from wheelrelay.cli.options import (
    common_options,
    complete_route_or_remote,
    config_option,
    engine_option,
    jobs_option,
    json_option,
    load_config,
    quiet_option,
    shard_option,
    timeout_option,
)
from wheelrelay.cli.output import print_findings, print_json, relay_progress
from wheelrelay.cli.route_options import RouteArguments, route_arguments
from wheelrelay.events import Verified

if TYPE_CHECKING:
    from wheelrelay.events import Event, Progress
    from wheelrelay.model import Shard


@click.command()
@partial(route_arguments, complete_first_word=complete_route_or_remote)
@click.option("--download", is_flag=True, help="Download and hash the files of the sinks.")
@shard_option
@click.option(
    "--state",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Remember the verified files in FILE, and skip those that have not changed since.",
)
@jobs_option
@engine_option
@json_option
@quiet_option
@timeout_option
@config_option
@common_options
def verify(
    arguments: RouteArguments,
    download: bool,
    shard: "Shard | None",
    state: str | None,
    jobs: int | None,
    engine: str | None,
    as_json: bool,
    quiet: bool,
    config_path: str | None,
) -> int:
    """Verify that published files are complete and unchanged.

    With a ROUTE, or with --from and --to, the files of each sink are compared with those of the source. With
    a REMOTE alone, its files are downloaded and compared with the digests that it declares. Exits with 3 if
    a file is missing, different or damaged, or cannot be read; the other files are verified in any case.

    \b
    Examples:
      wheelrelay verify release 'astropy==1.3.2'
      wheelrelay verify pypi 'markupsafe==3.0.2'
      wheelrelay verify ./mirror --lock pylock.toml
    """
    from wheelrelay import api
    from wheelrelay.documents import findings_document

    config = load_config(config_path)
    target: Any
    requirements: Sequence[str] = ()
    selection = None
    if arguments.names_a_remote(config):
        target, selection = arguments.remote(config)
    else:
        target, requirements = arguments.route(config)
    with relay_progress(quiet=quiet) as progress:
        counts = _Counts(progress)
        findings = api.verify(
            target,
            requirements,
            selection=selection,
            shard=shard,
            download=download,
            state=state,
            jobs=jobs,
            progress=counts.on_event,
            engine=None if engine is None else config.engine(engine),
        )
    if as_json:
        print_json(findings_document(findings))
    else:
        print_findings(findings)
        if not quiet:
            click.echo(counts.summary(len(findings), _places(target)))
    reporter().findings(findings, "Verified")
    return int(ExitCode.REFUSED if findings else ExitCode.SUCCESS)


class _Counts:
    """Keeps the numbers of files that the verification reports at its end.

    Args:
        progress: Receives all events.
    """

    def __init__(self, progress: "Progress") -> None:
        self._progress = progress
        self._verified: Verified | None = None

    def on_event(self, event: "Event") -> None:
        """Pass an event on."""
        if isinstance(event, Verified):
            self._verified = event
        self._progress(event)

    def summary(self, failed: int, places: str) -> str:
        """Return the result as text.

        Args:
            failed: the number of findings.
            places: where the files are.
        """
        from wheelrelay.cli.render.blocks import counted

        result = f"{counted(failed)} failed verification." if failed else "All files verified."
        if self._verified is None:
            return result
        skipped = self._verified.skipped
        unchanged = f", {skipped} unchanged since an earlier run" if skipped else ""
        return f"{result} Total: {counted(self._verified.files)} at {places}{unchanged}."


def _places(target: Any) -> str:
    """Return the names of the remotes whose files are verified."""
    from wheelrelay.api.connecting import sinks_of
    from wheelrelay.config import Remote

    remotes = [target] if isinstance(target, Remote) else sinks_of(target)
    return " and ".join(remote.name for remote in remotes)
