"""The command ``config`` and its subcommands."""

import click

from wheelrelay.cli.options import common_options, config_option, load_config
from wheelrelay.cli.output import print_json


@click.group()
def config() -> None:
    """Check and show the configuration.

    wheelrelay reads the file named by --config or WHEELRELAY_CONFIG. Otherwise it searches the working
    directory and its parents, up to the repository root or the home directory, for wheelrelay.toml or for
    pyproject.toml with [tool.wheelrelay]. A file found by the search is refused if other users can write to
    it.

    \b
    Examples:
      wheelrelay config check
      wheelrelay config schema > wheelrelay.schema.json
    """


@config.command()
@config_option
@common_options
def check(config_path: str | None) -> None:
    """Validate the configuration.

    Reports every problem with the path of its key, including types that are not installed. Does
    not read secrets or use the network.

    \b
    Examples:
      wheelrelay config check
      wheelrelay config check --config release/wheelrelay.toml
    """
    from wheelrelay.cli.render.blocks import counted
    from wheelrelay.errors import ConfigError

    loaded = load_config(config_path)
    if loaded.path is None:
        raise ConfigError(
            "No wheelrelay.toml found in the working directory or its parents.",
            hint="Create one with `wheelrelay init`, or name it with `--config`.",
        )
    for problem in loaded.broken.values():
        raise problem
    counts = [counted(len(loaded.remotes), "remote"), counted(len(loaded.routes), "route")]
    if loaded.engines:
        counts.append(counted(len(loaded.engines), "engine"))
    click.echo(f"{loaded.path} is valid: {', '.join(counts)}.")


@config.command()
@click.argument(
    "document",
    type=click.Choice(
        ["config", "pyproject", "comparison", "list", "plan", "preflight", "findings", "receipt"]
    ),
    default="config",
)
@common_options
def schema(document: str) -> None:
    """Print the JSON Schema of the configuration or of a JSON document.

    config describes wheelrelay.toml with the installed types; pyproject describes pyproject.toml
    with [tool.wheelrelay]; the others describe the output of --json and --receipt.

    Editors with Taplo, such as VS Code with Even Better TOML, complete and check a file that names its
    schema in the first line:

    \b
      #:schema ./wheelrelay.schema.json

    \b
    Examples:
      wheelrelay config schema > wheelrelay.schema.json
      wheelrelay config schema receipt
    """
    from wheelrelay.config.schema import json_schema, pyproject_schema
    from wheelrelay.documents import document_schema

    config_schemas = {"config": json_schema, "pyproject": pyproject_schema}
    print_json(config_schemas[document]() if document in config_schemas else document_schema(document))


@config.command()
@config_option
@click.option("--sources", "with_sources", is_flag=True, help="Show the origin of each value.")
@common_options
def show(config_path: str | None, with_sources: bool) -> None:
    """Print the effective configuration as JSON.

    Includes every key with its default. Secrets are printed as references and are not read. With --sources,
    each value is shown with its origin: a file, an environment variable, a section of ~/.pypirc, or the
    default.

    \b
    Examples:
      wheelrelay config show
      wheelrelay config show --sources
    """
    from wheelrelay.config.schema import effective

    loaded = load_config(config_path)
    document = effective(loaded)
    if with_sources:
        from wheelrelay.api.config_sources import sources

        document["sources"] = sources(loaded, named=config_path is not None)
    print_json(document)
