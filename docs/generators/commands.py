"""A page for each command, from Click; also the sources of the manual pages."""

import re
from collections.abc import Iterator
from inspect import cleandoc
from textwrap import dedent

import click

from generators.markdown import table as markdown_table
from wheelrelay.cli import COMMANDS, cli
from wheelrelay.compat.command import wheel_uploader

FOLDER = "reference/commands"
HISTORIC = "wheel-uploader"
UNWRAPPED = "\b\n"
"""The line by which Click knows a paragraph that it must not wrap."""


def pages() -> dict[str, str]:
    """Return the pages, by path."""
    return {f"{FOLDER}/{name}.md": _page(name) for name in (*COMMANDS, HISTORIC)}


def table() -> str:
    """Return a table of the commands, with links to their pages."""
    rows = [(f"[`{_program(name)}`](commands/{name}.md)", _summary(name)) for name in (*COMMANDS, HISTORIC)]
    return markdown_table(["command", "what it does"], rows)


def manual_pages() -> list[tuple[str, str, str]]:
    """Return the document, the name and the summary of each manual page."""
    return [
        (f"{FOLDER}/{name}", _program(name).replace(" ", "-"), _summary(name))
        for name in (*COMMANDS, HISTORIC)
    ]


def _command(name: str) -> click.Command:
    command = (
        wheel_uploader
        if name == HISTORIC
        else cli.get_command(click.Context(cli, **cli.context_settings), name)
    )
    assert command is not None
    return command


def _program(name: str) -> str:
    return name if name == HISTORIC else f"wheelrelay {name}"


def _summary(name: str) -> str:
    return _command(name).get_short_help_str(limit=200)


def _page(name: str) -> str:
    return "\n".join(_sections(_command(name), _program(name), "#"))


def _sections(command: click.Command, program: str, level: str) -> Iterator[str]:
    context = click.Context(command, info_name=program, **cli.context_settings)  # a command remembers its -h
    usage = command.get_usage(context).removeprefix("Usage: ")
    yield f"{level} {program}\n"
    yield f"```text\n{' '.join(usage.split())}\n```\n"
    yield _help(command)
    records = [each.get_help_record(context) for each in command.get_params(context)]
    yield from (f"`{record[0]}`\n: {_plain(record[1])}\n" for record in records if record and record[1])
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            subcommand = command.get_command(context, name)
            assert subcommand is not None
            yield from _sections(subcommand, f"{program} {name}", f"{level}#")


def _help(command: click.Command) -> str:
    """Return the help of a command; its examples become code."""
    paragraphs = cleandoc(command.help or "").split("\n\n")
    return "\n".join(map(_paragraph, paragraphs))


def _paragraph(text: str) -> str:
    if not text.startswith(UNWRAPPED):
        return f"{_plain(text)}\n"
    title, _, rest = text.removeprefix(UNWRAPPED).partition("\n")
    if title.startswith(" "):
        title, rest = "", f"{title}\n{rest}"
    body = f"```text\n{dedent(rest).strip()}\n```\n" if rest.strip() else ""
    return f"{_plain(title)}\n\n{body}" if title else body


def _plain(text: str) -> str:
    """Return plain text as Markdown that shows the same characters."""
    one_line = " ".join(text.split())
    return re.sub(r"(`[^`]+`)|([\\*_<\[\]{}$~])", lambda match: match[1] or f"\\{match[2]}", one_line)
