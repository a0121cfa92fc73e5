"""The board of this run: the CI system's, where there is one and nobody has switched it off."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from wheelrelay.ci import current_system

if TYPE_CHECKING:
    from wheelrelay.cli.ci.base import Board
    from wheelrelay.events import Progress

SWITCH = "WHEELRELAY_CI"
"""A variable; with one of the values of `OFF`, nothing is shown beside the log, or folded in it."""

OFF = ("0", "off", "no", "false")


@contextmanager
def board_of(environment: Mapping[str, str] = os.environ) -> Iterator["Board | None"]:
    """The board for a whole run; ``None`` where there is no CI system that takes commands from a log.

    Where there is one, whatever is shown meanwhile is kept from being taken for a command.
    """
    system = current_system(environment)
    if system is None:
        yield None
        return
    from wheelrelay.cli.ci.base import Board
    from wheelrelay.cli.ci.escaping import guarded_streams
    from wheelrelay.cli.ci.reporter import CIBoard
    from wheelrelay.cli.ci.syntax import dialect_of

    dialect = dialect_of(system, environment)
    if dialect is None:
        yield None
        return
    with guarded_streams() as say:
        wanted = environment.get(SWITCH, "").lower() not in OFF
        yield CIBoard(dialect, say, environment) if wanted else Board()


def board() -> "Board":
    """The board of the command that runs."""
    from wheelrelay.cli.ci.base import Board

    return click.get_current_context().find_object(Board) or Board()


@contextmanager
def shown(*, quiet: bool = False) -> Iterator["Progress"]:
    """A progress function that shows a relay on standard error, and tells the board.

    Args:
        quiet: show nothing of it but what the board has.
    """
    from wheelrelay.cli.render.console import console
    from wheelrelay.cli.render.progress import shown_on

    with (
        shown_on(console(stderr=True), quiet=quiet) as progress,
        board().around(progress, folded=not quiet) as told,
    ):
        yield told
