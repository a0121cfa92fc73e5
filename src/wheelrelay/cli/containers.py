"""``push``, ``index``, ``remove`` and ``prune``: what is done with containers."""

from typing import TYPE_CHECKING

import click

from wheelrelay.cli.ci.current import board
from wheelrelay.cli.completion_values import complete_file, complete_remote
from wheelrelay.cli.exits import Exit
from wheelrelay.cli.options import (
    common,
    config_option,
    confirm_seconds,
    confirm_timeout_option,
    jobs_option,
    json_option,
    loaded,
    print_json,
    quiet_option,
    receipt_option,
    refuse_config,
    replace_option,
    timeout_option,
)

if TYPE_CHECKING:
    from wheelrelay.model import DistFile


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", shell_complete=complete_file)
@click.option(
    "--to",
    "remote",
    required=True,
    metavar="REMOTE",
    shell_complete=complete_remote,
    help="The container to push into.",
)
@click.option(
    "--profile",
    type=click.Choice(["pypi", "index", "storage"]),
    help="Check the files by this profile instead of the remote's: pypi refuses here what PyPI would refuse.",
)
@replace_option
@click.option(
    "--build",
    metavar="KEY=VALUE",
    multiple=True,
    help="Build information to store with each file, such as commit=1f2e3d; repeatable. "
    "[default: commit, run and job of the CI build]",
)
@click.option(
    "--skip-if-no-credentials",
    is_flag=True,
    help="Where a secret is not there, as for pull requests from forks, do nothing and succeed.",
)
@jobs_option
@receipt_option
@confirm_timeout_option
@json_option
@quiet_option
@timeout_option
@config_option
@common
def push(
    paths: tuple[str, ...],
    remote: str,
    profile: str | None,
    replace: bool,
    build: tuple[str, ...],
    skip_if_no_credentials: bool,
    jobs: int | None,
    receipt: str | None,
    confirm_timeout: str | None,
    as_json: bool,
    quiet: bool,
    config_path: str | None,
) -> None:
    """Push distribution files into a container, as a step of CI.

    A PATH is a file, a directory, or a pattern in quotes. Every file is verified before the first one is
    sent. The same file again is skipped; other bytes under a name that is taken are refused, unless
    --replace is given. At the end the container's index pages are brought up to date, where it keeps any.

    \b
    Examples:
      wheelrelay push dist/ --to staging --profile pypi
      wheelrelay push 'wheelhouse/*.whl' --to s3://bucket/wheels --skip-if-no-credentials
    """
    from wheelrelay import api
    from wheelrelay.api import PublishOptions
    from wheelrelay.ci import current_build
    from wheelrelay.cli.build_info import parse_build_info
    from wheelrelay.cli.output import ReceiptPrinter
    from wheelrelay.errors import MissingSecret

    options = PublishOptions(replace=replace, confirm_timeout=confirm_seconds(confirm_timeout))
    config = loaded(config_path)
    to = config.remote(remote)
    refuse_config(config, receipt=receipt)
    show = ReceiptPrinter(as_json, quiet, receipt, (to,))
    try:
        show.around(
            lambda progress: api.push(
                paths,
                to,
                build={**current_build(), **parse_build_info(build)},
                profile=profile,
                jobs=jobs,
                progress=progress,
                receipt=receipt,
                options=options,
            )
        )
    except MissingSecret as missing:
        if not skip_if_no_credentials:
            raise
        said = f"Nothing was pushed, for there are no credentials here: {missing}"
        click.echo(said, err=True)
        board().skipped(said)


@click.command()
@click.argument("remote", shell_complete=complete_remote)
@click.option("--check", is_flag=True, help="Write nothing; exit with 3 if a page is missing or out of date.")
@timeout_option
@config_option
@common
def index(remote: str, check: bool, config_path: str | None) -> int:
    """Write the index pages of a container anew from what is there.

    Pages are kept up to date by whatever wheelrelay does; this is for a container that something else wrote
    into, and for one that had no pages.

    \b
    Examples:
      wheelrelay index staging
      wheelrelay index staging --check
    """
    from wheelrelay import api

    container = loaded(config_path).remote(remote)
    stale: list[str] = []
    if check:
        stale = api.check_index(container)
    else:
        api.index(container)
    for name in stale:
        click.echo(f"{name} is missing or out of date.")
    if not stale:
        click.echo("All pages are up to date." if check else "All pages are written.")
    return int(Exit.REFUSED if stale else Exit.IN_PLACE)


@click.command()
@click.argument("remote", shell_complete=complete_remote)
@click.argument("filenames", nargs=-1, required=True, metavar="FILENAME...")
@json_option
@timeout_option
@config_option
@common
def remove(remote: str, filenames: tuple[str, ...], as_json: bool, config_path: str | None) -> None:
    """Take files out of a container, such as a broken build.

    Nothing can be taken out of an index. The files go from the container's pages first, and then with what
    belongs to them: signatures and metadata files. A FILENAME that is not there is an error, and then nothing
    is removed.

    \b
    Example:
      wheelrelay remove staging sample-1.0-cp313-cp313-win_amd64.whl
    """
    from wheelrelay import api

    _tell("removed", api.remove(loaded(config_path).remote(remote), filenames), as_json=as_json)


@click.command()
@click.argument("remote", shell_complete=complete_remote)
@click.option("--dry-run", is_flag=True, help="Remove nothing, only tell.")
@json_option
@timeout_option
@config_option
@common
def prune(remote: str, dry_run: bool, as_json: bool, config_path: str | None) -> None:
    """Take out of a container what its retention does not keep.

    The REMOTE's configuration says what stays of each project. With retention = { keep = 3, max_age = "14d" }
    it is the newest three versions, and what is younger than two weeks.

    \b
    Examples:
      wheelrelay prune nightlies --dry-run
      wheelrelay prune nightlies
    """
    from wheelrelay import api

    gone = api.prune(loaded(config_path).remote(remote), dry_run=dry_run)
    _tell("would be removed" if dry_run else "removed", gone, as_json=as_json)


def _tell(what: str, files: "list[DistFile]", *, as_json: bool) -> None:
    from wheelrelay.cli.render.wording import counted
    from wheelrelay.documents import files_document

    if as_json:
        print_json(files_document(files))
        return
    for file in files:
        click.echo(f"{file.filename} {what}")
    click.echo(f"{counted(len(files))} {what}.")
