"""``demo``: the main job on this machine."""

import click

from wheelrelay.cli.options import common, jobs_option


@click.command()
@jobs_option
@common
def demo(jobs: int | None) -> None:
    """Run the main job on this machine; no account is needed.

    MarkupSafe 3.0.2 is read from PyPI and published to a package index that the demo starts here; then pip
    installs it from there. Where PyPI cannot be reached, sample wheels take its place. Nothing is left
    behind.

    \b
    Example:
      wheelrelay demo
    """
    from wheelrelay.cli.demonstration import demonstrate

    demonstrate(jobs)
