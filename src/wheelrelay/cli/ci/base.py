"""The board that commands put on what they found and did: here, one that nobody sees.

It is light, for it is imported by every command.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wheelrelay.config import Remote
    from wheelrelay.events import Progress
    from wheelrelay.records import Finding, Plan, Receipt


class Board:
    """Where no CI system listens: nothing is shown beside the log."""

    config: Path | None = None
    """The file of the configuration that is in use."""

    @contextmanager
    def around(self, progress: "Progress", *, folded: bool = True) -> Iterator["Progress"]:
        """A progress function that does what another one does, and tells the board.

        Args:
            progress: the other one.
            folded: whether what it says is folded.
        """
        del folded
        yield progress

    def plan(self, plan: "Plan") -> None:
        """Show a plan."""

    def findings(self, findings: Sequence["Finding"], title: str | None = None) -> None:
        """Show findings; in the summary too, if there is a title."""

    def receipt(self, receipt: "Receipt", path: str | None, sinks: Sequence["Remote"]) -> None:
        """Show what was done, and tell later steps where the receipt and the files are.

        Args:
            receipt: what was done.
            path: of the file that has it as JSON.
            sinks: where the files went.
        """

    def skipped(self, reason: str) -> None:
        """Say why nothing was done, and tell later steps so."""

    def error(self, error: Exception, told: str) -> None:
        """Show the sentence with which a command ended, and the findings of a refusal."""
