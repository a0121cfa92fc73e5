"""The command ``push``."""

import click

from wheelrelay.cli.ci.current import reporter
from wheelrelay.cli.options import (
    common_options,
    complete_file,
    complete_remote,
    config_option,
    confirm_seconds,
    confirm_timeout_option,
    jobs_option,
    json_option,
    load_config,
    quiet_option,
    receipt_option,
    refuse_config_as_output,
    replace_option,
    timeout_option,
)
from wheelrelay.cli.output import ReceiptPrinter, receipt_of_failure


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", shell_complete=complete_file)
@click.option(
    "--to",
    "remote",
    required=True,
    metavar="REMOTE",
    shell_complete=complete_remote,
    help="The container to push to.",
)
@click.option(
    "--profile",
    type=click.Choice(["pypi", "index", "storage"]),
    help="The checks to apply, instead of the remote's profile; pypi refuses everything that PyPI refuses.",
)
@replace_option
@click.option(
    "--build",
    "build",
    metavar="KEY=VALUE",
    multiple=True,
    help="Build information to store with each file, such as commit=1f2e3d; may be repeated. "
    "[default: the commit, run and job of the CI system]",
)
@click.option(
    "--skip-if-no-credentials",
    is_flag=True,
    help="Do nothing and succeed if a secret is missing, as in pull requests from forks.",
)
@jobs_option
@receipt_option
@confirm_timeout_option
@json_option
@quiet_option
@timeout_option
@config_option
@common_options
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
    """Push distribution files from a CI job to a container.

    PATH is a file, a directory or a quoted pattern. All files are verified before the first one is sent.
    Files that the container already has are skipped. A file whose name the container has with other contents
    is refused, except with --replace. Finally, the container's index pages are updated if it has any.

    \b
    Examples:
      wheelrelay push dist/ --to staging --profile pypi
      wheelrelay push 'wheelhouse/*.whl' --to s3://bucket/wheels --skip-if-no-credentials
    """
    from wheelrelay import api
    from wheelrelay.api import PublishOptions
    from wheelrelay.ci import current_build
    from wheelrelay.errors import MissingSecret

    options = PublishOptions(replace=replace, confirm_timeout=confirm_seconds(confirm_timeout))
    with receipt_of_failure(receipt):
        config = load_config(config_path)
        container = config.remote(remote)
        refuse_config_as_output(config, receipt=receipt)
    try:
        ReceiptPrinter(as_json, quiet, receipt, (container,)).run(
            lambda progress: api.push(
                paths,
                container,
                build={**current_build(), **_build_info(build)},
                profile=profile,
                jobs=jobs,
                progress=progress,
                receipt=receipt,
                options=options,
            )
        )
    except MissingSecret as error:
        if not skip_if_no_credentials:
            raise
        message = f"Nothing was pushed because credentials are missing: {error}"
        click.echo(message, err=True)
        reporter().skipped(message)


def _build_info(pairs: tuple[str, ...]) -> dict[str, str]:
    """Parse the ``KEY=VALUE`` pairs of ``--build``."""
    info = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.isidentifier() or not key.isascii() or not value.isprintable():
            message = f"{pair!r} is not a KEY=VALUE pair, such as commit=1f2e3d."
            raise click.BadParameter(message, param_hint="--build")
        info[key.lower()] = value
    return info
