"""The command ``init``."""

import sys
from pathlib import Path

import click

from wheelrelay.cli.options import common_options, complete_remote


@click.command()
@click.option(
    "--from",
    "source",
    metavar="REMOTE",
    shell_complete=complete_remote,
    help="The remote that has the distribution files. [default: ./dist]",
)
@click.option(
    "--to",
    "sinks",
    metavar="REMOTE",
    multiple=True,
    shell_complete=complete_remote,
    help="A remote to publish to; may be repeated, in order. [default: pypi]",
)
@click.option("--upload-url", metavar="URL", help="The upload URL of a private index.")
@click.option(
    "--project",
    "projects",
    metavar="REQUIREMENT",
    multiple=True,
    help="A project to publish; may be repeated. [default: all projects]",
)
@click.option(
    "--expect",
    "wheels",
    metavar="PATTERN",
    multiple=True,
    help="A wheel that each release must have, such as 'cp{312,313}-*-manylinux*_x86_64'; may be repeated.",
)
@click.option("--expect-no-sdist", is_flag=True, help="With --expect: a release must not have an sdist.")
@common_options
def init(
    source: str | None,
    sinks: tuple[str, ...],
    upload_url: str | None,
    projects: tuple[str, ...],
    wheels: tuple[str, ...],
    expect_no_sdist: bool,
) -> None:
    """Create a wheelrelay.toml.

    The file has every key with a description; optional keys are commented out. On a terminal, wheelrelay
    prompts for values that the options do not set, and again for wrong ones; elsewhere it uses the defaults.
    A remote is an address, or a type such as s3, whose keys are prompted for. Also writes the JSON Schema
    that editors use to complete and check the file. Existing files are not overwritten.

    \b
    Examples:
      wheelrelay init
      wheelrelay init --from s3://bucket/wheels --to testpypi --to pypi --project astropy
      wheelrelay init --from ./dist --to pypi --expect 'cp{312,313}-*-manylinux*_x86_64'
      wheelrelay init --to index+https://e.org/simple/ --upload-url https://e.org/legacy/
    """
    from wheelrelay.cli.config_template import ConfigTemplate

    _refuse_existing_config()
    if sys.stdin.isatty() and sys.stderr.isatty():
        from wheelrelay.cli.init_questions import prompt_projects, prompt_sinks, prompt_source, prompt_wheels

        from_remote = source or prompt_source()
        to_remotes = sinks or prompt_sinks()
        projects = projects or prompt_projects()
        wheels = wheels or prompt_wheels()
    else:
        from_remote, to_remotes = source or "./dist", sinks or ("pypi",)
    template = ConfigTemplate(from_remote, to_remotes, upload_url, projects, wheels, not expect_no_sdist)
    _write(template.text())


def _refuse_existing_config() -> None:
    from wheelrelay.config.files import find_config
    from wheelrelay.errors import ConfigError

    directory = Path.cwd()
    path = find_config(directory)
    if path and path.parent == directory:
        raise ConfigError(f"{path.name} already has a configuration.", hint="Edit it instead.")


def _write(text: str) -> None:
    """Validate the configuration, then write it and its schema."""
    import tomllib

    from wheelrelay.cli.config_template import ROUTE, SCHEMA
    from wheelrelay.config.files import CONFIG_FILE
    from wheelrelay.config.load import parse_config
    from wheelrelay.config.schema import json_schema
    from wheelrelay.disk.writing import create_file
    from wheelrelay.json_text import to_json

    parse_config(tomllib.loads(text), Path(CONFIG_FILE).absolute())
    for name, content in ((CONFIG_FILE, text), (SCHEMA, to_json(json_schema()))):
        try:
            create_file(Path(name).absolute(), content.encode())
        except FileExistsError:
            click.echo(f"{name} already exists; unchanged.", err=True)
        else:
            click.echo(f"Wrote {name}.")
    click.echo(f"Next, run `wheelrelay config check` and `wheelrelay plan {ROUTE}`.")
