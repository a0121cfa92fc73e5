"""The command ``config`` and its subcommands."""

import click

from wheelrelay.cli.ci.current import reporter
from wheelrelay.cli.exits import ExitCode
from wheelrelay.cli.options import common_options, config_option, json_option, load_config
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
@json_option
@config_option
@common_options
def check(as_json: bool, config_path: str | None) -> int:
    """Validate the configuration.

    Prints one line for each problem with its file and line, including types that are not installed, and exits
    with 2 if there are any. Does not read secrets or use the network.

    \b
    Examples:
      wheelrelay config check
      wheelrelay config check --config release/wheelrelay.toml
    """
    from wheelrelay.config import which_config
    from wheelrelay.config.load import find_problems
    from wheelrelay.errors import ConfigError

    path = reporter().config_path = which_config(config_path)
    if path is None:
        raise ConfigError(
            "No wheelrelay.toml found in the working directory or its parents.",
            hint="Create one with `wheelrelay init`, or name it with `--config`.",
        )
    problems = find_problems(path)
    if as_json:
        print_json([{"file": str(path), "line": line, "message": message} for line, message in problems])
    else:
        for line, message in problems:
            click.echo(f"{path}:{line}: {message}")
    if problems:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        click.echo(f"{path} has {count}.", err=True)
        return int(ExitCode.USAGE)
    if not as_json:
        click.echo(_valid(config_path))
    return int(ExitCode.SUCCESS)


def _valid(config_path: str | None) -> str:
    from wheelrelay.cli.render.blocks import counted

    loaded = load_config(config_path)
    counts = [counted(len(loaded.remotes), "remote"), counted(len(loaded.routes), "route")]
    if loaded.engines:
        counts.append(counted(len(loaded.engines), "engine"))
    return f"{loaded.path} is valid: {', '.join(counts)}."


@config.command()
@click.argument(
    "document",
    type=click.Choice(
        ["config", "pyproject", "audit", "comparison", "list", "plan", "preflight", "findings", "receipt"]
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
