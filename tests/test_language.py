"""Texts are plain English: prose, docstrings, comments, messages and help contain no banned words."""

import ast
import io
import tokenize
from pathlib import Path

import click
import pytest

from tests.language import banned_words
from wheelrelay.cli import cli
from wheelrelay.compat.command import wheel_uploader

ROOT = Path(__file__).parents[1]

FIXED_HISTORY = "examples/wheel-building-repo/upstream/"
"""A sample repository; its commit hashes depend on every byte, so its texts are not checked."""

PROSE = [
    *ROOT.glob("*.md"),
    *ROOT.glob("docs/**/*.md"),
    *ROOT.glob("examples/**/README.md"),
    *ROOT.glob("plugins/*/README.md"),
]
CODE = [*ROOT.glob("src/**/*.py"), *ROOT.glob("plugins/*/src/**/*.py"), *ROOT.glob("examples/**/*.py")]


def names(paths):
    """Return the paths relative to the repository, without the sample repository."""
    relative = (path.relative_to(ROOT).as_posix() for path in sorted(paths) if ".venv" not in path.parts)
    return [path for path in relative if not path.startswith(FIXED_HISTORY)]


def texts_in(code):
    """Yield the line and the text of each docstring, string constant with spaces, and comment."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.lineno, node.value
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


@pytest.mark.parametrize("path", names(PROSE))
def test_prose_has_no_banned_words(path):
    assert [*banned_words((ROOT / path).read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize("path", names(CODE))
def test_code_has_no_banned_words(path):
    code = (ROOT / path).read_text(encoding="utf-8")
    found = [f"{line}: {words}" for line, text in texts_in(code) for words in banned_words(text)]
    assert found == []


def commands(command, context):
    """Yield the path and the help of a command and of all its subcommands."""
    yield context.command_path, command.get_help(context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            subcommand = command.get_command(context, name)
            assert subcommand is not None
            yield from commands(subcommand, click.Context(subcommand, parent=context, info_name=name))


@pytest.mark.parametrize("command", [cli, wheel_uploader], ids=["wheelrelay", "wheel-uploader"])
def test_help_has_no_banned_words(command):
    context = click.Context(command, info_name=command.name, **command.context_settings)
    found = {path: [*banned_words(text)] for path, text in commands(command, context)}
    assert {path: words for path, words in found.items() if words} == {}


@pytest.mark.parametrize("text", ["It was told so.", "what lies there", "Nobody\nknows", "held against it"])
def test_banned_words_are_found(text):
    assert [*banned_words(text)]


@pytest.mark.parametrize("text", ["wheelhouse", "besides", "warehouse", "unless", "release"])
def test_other_words_are_allowed(text):
    assert [*banned_words(text)] == []
