"""The command line of `wheel-uploader`, with its historic options."""

import os
from pathlib import Path

import click

from wheelrelay.cli.options import common_options, identity_option
from wheelrelay.version import __version__

EQUIVALENT = """\b
The same with wheelrelay, in one step and without a wheelhouse:
  wheelrelay relay --from listing+URL --to SECTION 'NAME==VERSION' \\
      --wheels '*-{*,*t}-{macosx_*,any}' --no-sdist --sign
If SECTION is neither pypi nor testpypi, configure it in wheelrelay.toml:
  [remotes.SECTION]
  type = "index"
  upload_url = "https://..."   # the repository of the section
  confirm = "none"             # or url = "https://.../simple/", to compare and confirm
To use a wheelhouse, relay twice: --to ./wheelhouse, and then --from ./wheelhouse.
"""


@click.command(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}, epilog=EQUIVALENT
)
@click.argument("words", nargs=-1, metavar="PACKAGE_NAME VERSION")
@click.option("-u", "--wheel-url-dir", metavar="URL", help="The page that links to the wheels; required.")
@click.option(
    "-w",
    "--wheel-dir",
    default=".",
    metavar="DIR",
    help="The directory to download to; created if missing. [default: working directory]",
)
@click.option(
    "-t",
    "--wheel-type",
    default="macosx",
    show_default=True,
    metavar="TYPE",
    help="The platform: all, any, linux, macosx, manylinux, musllinux, win, or a specific one such as "
    "manylinux1. Pure wheels are always included.",
)
@click.option("-c", "--clobber", is_flag=True, help="Overwrite existing wheels that have other contents.")
@click.option("-n", "--no-twine", is_flag=True, help="Download only; do not publish.")
@click.option("-s", "--sign", is_flag=True, help="Publish a GPG signature with each wheel.")
@identity_option
@click.option(
    "-r",
    "--repository",
    default="pypi",
    show_default=True,
    metavar="SECTION",
    help="The section of ~/.pypirc for the index to publish to.",
)
@click.option("--version", is_flag=True, help="Show the version and exit.")
@common_options
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

    All wheels are downloaded and verified before the first one is published. Running the same command again
    completes a failed run.

    \b
    Example:
      wheel-uploader -u https://wheels.example.org -s -v -w ~/wheelhouse -t macosx astropy 1.3.2
    """
    if version:
        click.echo(f"wheel-uploader of wheelrelay {__version__}")
        return
    if len(words) != 2:
        click.echo(context.get_help())
        context.exit(1)
    if wheel_url_dir is None:
        raise click.UsageError("Missing option -u: the URL of the page that links to the wheels.")
    from wheelrelay.cli.output import ReceiptPrinter, relay_progress
    from wheelrelay.cli.render.console import console
    from wheelrelay.compat.upload import PlatformType, UploadArguments, fetch, publish, pypirc_remote
    from wheelrelay.errors import RelayFailed
    from wheelrelay.signing import Signer

    printer, stderr = ReceiptPrinter(as_json=False, quiet=False, has_json=False), console(stderr=True)
    wheelhouse = Path(os.path.expanduser(wheel_dir)).absolute()
    platform = PlatformType.parse(wheel_type)
    arguments = UploadArguments("==".join(words), wheel_url_dir, wheelhouse, platform, clobber)

    def notify(sentence: str) -> None:
        stderr.print(sentence, markup=False, soft_wrap=True)

    sink = None if no_twine else pypirc_remote(repository, notify)
    if sink and sign:
        Signer(identity=identity).make_ready()  # fail early if there is no key
    with relay_progress() as progress:
        try:
            receipt = fetch(arguments, notify, progress)
            if sink is not None:
                receipt = publish(receipt, wheelhouse, sink, sign=sign, identity=identity, progress=progress)
        except RelayFailed as error:
            printer.print_failure(error)
            raise
    printer.print_receipt(receipt)
