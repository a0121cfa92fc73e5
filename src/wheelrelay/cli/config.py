"""``config``: check the configuration, show it, and describe it to editors."""

import click

from wheelrelay.cli.options import common, config_option, loaded, print_json


@click.group()
def config() -> None:
    """Check and show the configuration, or describe it to editors.

    It is the file that --config or the variable WHEELRELAY_CONFIG names, or else the nearest wheelrelay.toml,
    or pyproject.toml with [tool.wheelrelay], upward from the working directory to the root of the repository
    or the home folder. One that is found is refused if another user can write it.

    \b
    Examples:
      wheelrelay config check
      wheelrelay config schema > wheelrelay.schema.json
    """


@config.command()
@config_option
@common
def check(config_path: str | None) -> None:
    """Validate the configuration.

    Every problem is told with the path of its key. Types of remotes that are not installed here are a
    problem too. Secrets are not looked up, and nobody is asked over the network.

    \b
    Examples:
      wheelrelay config check
      wheelrelay config check --config release/wheelrelay.toml
    """
    from wheelrelay.cli.render.wording import counted
    from wheelrelay.errors import ConfigError

    found = loaded(config_path)
    if found.path is None:
        raise ConfigError(
            "There is no wheelrelay.toml here or in a folder above.", hint="Name one with --config."
        )
    for problem in found.broken.values():
        raise problem
    remotes, routes = counted(len(found.remotes), "remote"), counted(len(found.routes), "route")
    click.echo(f"{found.path}: {remotes} and {routes}, all valid.")


@config.command()
@click.argument(
    "document",
    type=click.Choice(["config", "pyproject", "list", "plan", "findings", "receipt"]),
    default="config",
)
@common
def schema(document: str) -> None:
    """Print the JSON Schema of the configuration or of a document.

    Editors with Taplo, such as VS Code with Even Better TOML, complete and check a file that names its
    schema in the first line, and show what each key is for:

    \b
      #:schema ./wheelrelay.schema.json

    config describes wheelrelay.toml, with the remotes that are installed here, and pyproject a pyproject.toml
    with [tool.wheelrelay]; list, plan, findings and receipt describe what --json and --receipt give.

    \b
    Examples:
      wheelrelay config schema > wheelrelay.schema.json
      wheelrelay config schema receipt
    """
    from wheelrelay.config.schema import json_schema, pyproject_schema
    from wheelrelay.documents import document_schema

    ours = {"config": json_schema, "pyproject": pyproject_schema}
    print_json(ours[document]() if document in ours else document_schema(document))


@config.command()
@config_option
@click.option("--sources", "with_sources", is_flag=True, help="Say where each value comes from.")
@common
def show(config_path: str | None, with_sources: bool) -> None:
    """Print the configuration as it takes effect, as JSON.

    Every key is there, with its default where it was not given. Secrets stay references. With --sources, the
    file, the variable, the section of ~/.pypirc or the default is named that each value comes from; no secret
    is looked up.

    \b
    Examples:
      wheelrelay config show
      wheelrelay config show --sources
    """
    from wheelrelay.config.schema import effective

    found = loaded(config_path)
    document = effective(found)
    if with_sources:
        from wheelrelay.api.config_sources import sources

        document["sources"] = sources(found, named=config_path is not None)
    print_json(document)
