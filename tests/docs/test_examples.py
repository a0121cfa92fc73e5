"""The examples in the documentation work: commands, configurations, Python and workflows."""

import doctest
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest

from tests.docs.pages import DOCS, PAGES, blocks, commands, pages_with
from tests.e2e.examples.schemas import violations
from wheelrelay.cli import cli
from wheelrelay.config.load import parse_config
from wheelrelay.testing import make_sdist, make_wheel

TAGS = ("cp312-cp312-manylinux_2_17_x86_64", "cp313-cp313-manylinux_2_17_x86_64", "cp313-cp313-win_amd64")


@pytest.mark.parametrize("page", [page for page in PAGES if commands(page, "console", "sh")])
def test_commands_exist_with_these_options(page):
    for words in commands(page, "console", "sh"):
        command, arguments, context = (
            cli,
            words[1:],
            click.Context(cli, info_name="wheelrelay", **cli.context_settings),
        )
        while isinstance(command, click.Group):
            found = command.get_command(context, arguments[0])
            assert found is not None, words
            command, arguments = found, arguments[1:]
            context = click.Context(command, parent=context, info_name=command.name)
        command.make_context(command.name, [*arguments], parent=context.parent)


@pytest.mark.parametrize("page", pages_with("toml"))
def test_configurations_are_valid(page, tmp_path):
    for text in blocks(page, "toml"):
        table = tomllib.loads(text)
        if not {"remotes", "routes"} & table.keys():
            continue
        named = {name for route in table.get("routes", {}).values() for name in names_of_remotes(route)}
        missing = named - table.get("remotes", {}).keys() - {"pypi", "testpypi"}
        for name in missing:  # shown in an earlier example
            table.setdefault("remotes", {})[name] = {"type": "directory", "path": name}
        config = parse_config(table, tmp_path / "wheelrelay.toml")
        assert dict(config.broken) == {}


def names_of_remotes(route):
    names = [route["source"], *route["sinks"]]
    return [name for name in names if "/" not in name]


@pytest.mark.parametrize("page", pages_with("python"))
def test_python_code_is_valid(page):
    for text in blocks(page, "python"):
        if ">>>" not in text:
            compile(text, page, "exec")


@pytest.mark.parametrize(
    "page", [page for page in pages_with("python") if ">>>" in blocks(page, "python")[0]]
)
def test_python_examples_return_the_shown_values(page, tmp_path):
    text = "\n".join(blocks(page, "python"))
    names = {"folder": tmp_path, "__name__": "__main__"}
    examples = doctest.DocTestParser().get_doctest(text, names, page, page, 0)
    messages = []
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    results = doctest.DocTestRunner(optionflags=flags).run(examples, out=messages.append)
    assert results.attempted
    assert results.failed == 0, "".join(messages)


@pytest.mark.parametrize("page", pages_with("yaml"))
def test_workflows_match_the_schema_of_github(page, tmp_path):
    for text in blocks(page, "yaml"):
        if text.startswith("on:"):
            (tmp_path / "workflow.yml").write_text(text)
            assert violations(tmp_path / "workflow.yml", "github-workflows", tmp_path) == ""


@pytest.mark.parametrize("page", pages_with("sh"))
def test_shell_code_is_valid(page):
    for text in blocks(page, "sh"):
        done = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Return a folder with a release in ``dist``."""
    for tag in TAGS:
        make_wheel(tmp_path / "dist", "sample", "1.0", tag)
    make_sdist(tmp_path / "dist", "sample", "1.0")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(page, folder):
    """Run the commands of a page, and return their output."""
    output = []
    for words in commands(page, "console"):
        done = subprocess.run(
            [sys.executable, "-m", "wheelrelay", *words[1:]],
            cwd=folder,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        output.append(done.stdout + done.stderr)
    return output


def test_first_configuration_publishes_to_an_index(project, pypiserver, monkeypatch):
    page = "start/configuration.md"
    config = blocks(page, "toml")[0]
    config = config.replace("https://packages.example.org/simple/", pypiserver.simple_url)
    config = config.replace("https://packages.example.org/", pypiserver.upload_url)
    config = config.replace('"ci"', f'"{pypiserver.username}"')
    (project / "wheelrelay.toml").write_text(config)
    monkeypatch.setenv("COMPANY_PASSWORD", pypiserver.password)
    outputs = run(page, project)
    assert len(outputs) == 4
    assert len(list((project / "wheelhouse").iterdir())) == 4
    assert (project / "receipt.json").is_file()


def test_container_is_maintained_by_the_shown_commands(project):
    outputs = run("concepts/containers.md", project)
    assert "Removed 1 file." in outputs[-1]


def test_old_nightlies_are_removed(project):
    page = "recipes/keep-nightlies-for-14-days.md"
    (project / "wheelrelay.toml").write_text(blocks(page, "toml")[0])
    for version in ("0.7", "0.8", "0.9"):
        old = make_wheel(project / "nightlies", "sample", version)
        os.utime(old, (0, 0))
    run(page, project)
    kept = {path.name.split("-")[1] for path in Path("nightlies").glob("sample-*.whl")}
    assert kept == {"0.8", "0.9", "1.0"}


def test_tour_is_that_of_the_readme():
    tour = (DOCS / "start" / "tour.md").read_text(encoding="utf-8")
    assert "<!-- included: README.md#The five-minute tour -->" in tour
