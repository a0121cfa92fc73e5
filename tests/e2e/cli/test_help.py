"""Every command's help explains it, with examples that the command takes."""

import re
import shlex

import click
import pytest

from wheelrelay.cli import cli
from wheelrelay.compat.command import wheel_uploader

PROGRAM = click.Context(cli, info_name="wheelrelay", terminal_width=100, **cli.context_settings)


def commands(command, *names):
    """The names of a command and of all below it."""
    yield names
    if isinstance(command, click.Group):
        for name in command.list_commands(PROGRAM):
            inner = command.get_command(PROGRAM, name)
            assert inner is not None
            yield from commands(inner, *names, name)


ALL = [*commands(cli, "wheelrelay"), *commands(wheel_uploader, "wheel-uploader")]


def find(names):
    """The command that words name, and the words that are left for it."""
    program, *words = names
    command = cli if program == "wheelrelay" else wheel_uploader
    while isinstance(command, click.Group) and words:
        inner = command.get_command(PROGRAM, words[0])
        assert inner is not None, f"there is no command {words[0]!r}"
        command, words = inner, words[1:]
    return command, words


def help_of(names):
    command, _ = find(list(names))
    return command.get_help(click.Context(command, parent=PROGRAM, info_name=" ".join(names[1:])))


def examples(names):
    """The lines that a command's help gives as examples."""
    block = re.search(r"^  Examples?:\n((?:    .*\n)+)", help_of(names), re.MULTILINE)
    return [line.strip() for line in block[1].splitlines()] if block else []


def test_all_commands_are_tested():
    assert ("wheelrelay", "relay") in ALL
    assert ("wheelrelay", "config", "schema") in ALL


@pytest.mark.parametrize("names", ALL, ids=" ".join)
def test_examples_are_valid(names):
    given = examples(names)
    assert given
    for example in given:
        assert len(example) <= 100
        words = shlex.split(example.partition(" > ")[0])
        assert tuple(words[: len(names)]) == names
        command, left = find(words)
        with command.make_context(words[0], left, parent=PROGRAM) as context:
            assert not isinstance(command, click.Group)
            assert context.args == []


@pytest.mark.parametrize("names", ALL, ids=" ".join)
def test_help_has_summary_and_option_texts(names):
    command, _ = find(list(names))
    first = (command.help or "").partition("\n\n")[0].partition("\b")[0]
    assert first.strip().endswith(".")
    unexplained = [
        parameter.name
        for parameter in command.params
        if isinstance(parameter, click.Option) and not parameter.help
    ]
    assert unexplained == []


@pytest.mark.parametrize("names", [("wheelrelay",), ("wheelrelay", "config")], ids=" ".join)
def test_summaries_fit_80_columns(names):
    command, _ = find(list(names))
    narrow = click.Context(cli, terminal_width=80, **cli.context_settings)  # a command remembers its -h
    told = command.get_help(click.Context(command, parent=narrow)).partition("Commands:\n")[2]
    assert len(told.splitlines()) >= 3
    assert "..." not in told


@pytest.mark.parametrize("names", ALL, ids=" ".join)
def test_help_fits_100_columns(names):
    assert [line for line in help_of(names).splitlines() if len(line) > 100] == []
