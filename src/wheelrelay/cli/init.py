"""``init``: write a configuration to start from."""

import sys
from pathlib import Path

import click

from wheelrelay.cli.completion_values import complete_remote
from wheelrelay.cli.options import common


@click.command()
@click.option(
    "--from",
    "source",
    metavar="REMOTE",
    shell_complete=complete_remote,
    help="Where the distribution files lie. [default: ./dist]",
)
@click.option(
    "--to",
    "sinks",
    metavar="REMOTE",
    multiple=True,
    shell_complete=complete_remote,
    help="Where they go; repeat for several, in this order. [default: pypi]",
)
@click.option("--upload-url", metavar="URL", help="Where a private index takes uploads.")
@click.option(
    "--project",
    "projects",
    metavar="REQUIREMENT",
    multiple=True,
    help="Which project; may be repeated. [default: all that is there]",
)
@click.option(
    "--expect",
    "wheels",
    metavar="PATTERN",
    multiple=True,
    help="Wheels that must be there, as 'cp{312,313}-*-manylinux*_x86_64'; may be repeated.",
)
@click.option("--no-sdist", is_flag=True, help="With --expect: there must be no sdist.")
@common
def init(
    source: str | None,
    sinks: tuple[str, ...],
    upload_url: str | None,
    projects: tuple[str, ...],
    wheels: tuple[str, ...],
    no_sdist: bool,
) -> None:
    """Write a wheelrelay.toml to start from.

    Every key is there with what it is for, those that are not needed commented out. On a terminal it asks
    for what the options do not say; elsewhere it takes the defaults. The schema by which editors complete
    and check the file is written beside it. Nothing that is there is overwritten.

    \b
    Examples:
      wheelrelay init
      wheelrelay init --from s3://bucket/wheels --to testpypi --to pypi --project astropy
      wheelrelay init --from ./dist --to pypi --expect 'cp{312,313}-*-manylinux*_x86_64'
      wheelrelay init --to index+https://e.org/simple/ --upload-url https://e.org/legacy/
    """
    from wheelrelay.cli.config_template import ConfigTemplate

    _refuse_what_is_there()
    if sys.stdin.isatty() and sys.stderr.isatty():
        source = source or _ask("Where do the distribution files lie?", "./dist")
        sinks = sinks or _several("Where do they go, first to last?", "pypi")
        projects = projects or _several("Which projects? Nothing for all that are there", "")
        wheels = wheels or _several("Which wheels must be there, as cp312-*-win_amd64? Nothing for any", "")
    begun = ConfigTemplate(source or "./dist", sinks or ("pypi",), upload_url, projects, wheels, not no_sdist)
    _write(begun.written())


def _refuse_what_is_there() -> None:
    from wheelrelay.config.discovery import find_config
    from wheelrelay.errors import ConfigError

    here = Path.cwd()
    there = find_config(here)
    if there and there.parent == here:
        raise ConfigError(f"There is a configuration here already: {there.name}.", hint="Edit it instead.")


def _write(text: str) -> None:
    """Write the configuration, once it is sure that it can be read, and the schema for editors."""
    import tomllib

    from wheelrelay.cli.config_template import ROUTE, SCHEMA
    from wheelrelay.config.discovery import FILE
    from wheelrelay.config.parse import parse_config
    from wheelrelay.config.schema import json_schema
    from wheelrelay.disk.writing import create_file
    from wheelrelay.documents import to_json

    parse_config(tomllib.loads(text), Path(FILE).absolute())
    for name, content in ((FILE, text), (SCHEMA, to_json(json_schema()))):
        try:
            create_file(Path(name).absolute(), content.encode())
        except FileExistsError:
            click.echo(f"{name} is there already, and stays as it is.", err=True)
        else:
            click.echo(f"{name} is written.")
    click.echo(f"Next: wheelrelay config check, and then wheelrelay plan {ROUTE}.")


def _ask(question: str, default: str) -> str:
    answer: str = click.prompt(question, default=default, show_default=bool(default), err=True)
    return answer.strip()


def _several(question: str, default: str) -> tuple[str, ...]:
    return tuple(_ask(f"{question} (several with spaces between)", default).split())
