"""The options of `wheel-uploader`, as they always were."""

import os
from pathlib import Path

import click

from wheelrelay.cli.options import common, identity_option
from wheelrelay.version import __version__

THE_SAME = """\b
The same with wheelrelay, in one step and without a wheelhouse:
  wheelrelay relay --from listing+URL --to SECTION 'NAME==VERSION' \\
      --wheels '*-{*,*t}-{macosx_*,any}' --no-sdist --sign
Of a SECTION that is not PyPI's or TestPyPI's, wheelrelay.toml has to say more:
  [remotes.SECTION]
  type = "index"
  upload_url = "https://..."   # the repository of the section
  confirm = "none"             # or url = "https://.../simple/", to compare and confirm
A wheelhouse is a remote too: --to ./wheelhouse, and then --from ./wheelhouse.
"""


@click.command(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}, epilog=THE_SAME
)
@click.argument("words", nargs=-1, metavar="PACKAGE_NAME VERSION")
@click.option(
    "-u", "--wheel-url-dir", metavar="URL", help="The page that links to the wheels; has to be given."
)
@click.option(
    "-w",
    "--wheel-dir",
    default=".",
    metavar="DIR",
    help="Where to keep the wheels; made if it is not there. [default: here]",
)
@click.option(
    "-t",
    "--wheel-type",
    default="macosx",
    show_default=True,
    metavar="TYPE",
    help="Platform: all, any, linux, macosx, manylinux, musllinux, win, or an exact one such as manylinux1. "
    "Pure wheels are of every type.",
)
@click.option("-c", "--clobber", is_flag=True, help="Overwrite wheels that are here with other bytes.")
@click.option("-n", "--no-twine", is_flag=True, help="Only download.")
@click.option("-s", "--sign", is_flag=True, help="Publish a GPG signature with each wheel.")
@identity_option
@click.option(
    "-r",
    "--repository",
    default="pypi",
    show_default=True,
    metavar="SECTION",
    help="The section of ~/.pypirc that says where to publish.",
)
@click.option("--version", is_flag=True, help="Show the version.")
@common
@click.pass_context
def wheel_uploader(
    context: click.Context,
    words: tuple[str, ...],
    wheel_url_dir: str | None,
    wheel_dir: str,
    wheel_type: str,
    clobber: bool,
    no_twine: bool,
    sign: bool,
    identity: str | None,
    repository: str,
    version: bool,
) -> None:
    """Download the wheels of a release from a page of links, and publish them to an index.

    Every wheel is fetched and verified before the first one is published. The same command again completes
    what failed.

    \b
    Example:
      wheel-uploader -u https://wheels.example.org -s -v -w ~/wheelhouse -t macosx astropy 1.3.2
    """
    if version:
        _print_version()
        return
    if len(words) != 2:
        click.echo(context.get_help())
        context.exit(1)
    if wheel_url_dir is None:
        raise click.UsageError("Where are the wheels? Give the address of their page with -u.")
    from wheelrelay.cli.ci.current import shown
    from wheelrelay.cli.output import ReceiptPrinter
    from wheelrelay.cli.render.console import console
    from wheelrelay.compat.platforms import PlatformType
    from wheelrelay.compat.upload import Asked, fetch, publish, section
    from wheelrelay.errors import RelayFailed
    from wheelrelay.signing import Signer

    show, to_people = ReceiptPrinter(as_json=False, quiet=False), console(stderr=True)
    wheelhouse = Path(os.path.expanduser(wheel_dir)).absolute()
    platform = PlatformType.parse(wheel_type)
    asked = Asked("==".join(words), wheel_url_dir, wheelhouse, platform, clobber)

    def say(sentence: str) -> None:
        to_people.print(sentence, markup=False, soft_wrap=True)

    sink = None if no_twine else section(repository, say)
    if sink and sign:
        Signer(identity=identity).make_ready()  # there must be a key before anything is fetched
    with shown() as progress:
        try:
            done = fetch(asked, say, progress)
            if sink is not None:
                done = publish(done, wheelhouse, sink, sign=sign, identity=identity, progress=progress)
        except RelayFailed as failed:
            show.end(failed)
            raise
    show.receipt(done)


def _print_version() -> None:
    click.echo(f"wheel-uploader of wheelrelay {__version__}")
