"""Divide files into batches: large at first and small at the end, so that all workers end together."""

from collections.abc import Sequence
from typing import Generic, TypeVar

from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.model import DistFile

COST_OF_FILE = 256 << 10
"""The time that a file takes beyond that of its bytes, as a number of bytes."""

SMALLEST_BATCH = 4 << 20
"""Batches below this cost, in bytes, would take longer to dispatch than to move."""

SHARE = 2
"""A batch is a part of what is left: that of one slot, divided by this."""

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """The most that one batch contains.

    Attributes:
        files: The number of files.
        size: The number of bytes. A larger file is a separate batch.
    """

    files: int
    size: int


class Batches(Generic[Item]):
    """The items that are left, from which batches are taken.

    Files of a project stay together as far as possible, because a sink may confirm them with one read. The
    projects with the largest files come first.

    Args:
        items: The items, each with the file that it moves.
        limits: The most that one batch contains.
    """

    def __init__(self, items: Sequence[tuple[DistFile, Item]], limits: BatchLimits) -> None:
        largest: dict[str, int] = {}
        for file, _ in items:
            largest[file.project] = max(largest.get(file.project, 0), file.size or 0)
        ordered = sorted(
            items, key=lambda item: (-largest[item[0].project], item[0].project, -(item[0].size or 0))
        )
        self._left = [(_cost(file), file.size or 0, item) for file, item in reversed(ordered)]
        self._cost = sum(cost for cost, *_ in self._left)
        self._limits = limits

    def take(self, slots: int) -> list[Item]:
        """Return the next batch; empty if nothing is left.

        Args:
            slots: How many batches can be with workers at once.
        """
        target = max(SMALLEST_BATCH, self._cost // (slots * SHARE))
        batch: list[Item] = []
        batch_cost = batch_size = 0
        while self._left:
            cost, size, item = self._left[-1]
            is_full = len(batch) >= self._limits.files or batch_size + size > self._limits.size
            if batch and (is_full or batch_cost + cost > target):
                break
            self._left.pop()
            self._cost -= cost
            batch.append(item)
            batch_cost, batch_size = batch_cost + cost, batch_size + size
        return batch


def _cost(file: DistFile) -> int:
    """Return the cost of a file in bytes; one of unknown size may be large, so a few fill a batch."""
    return (SMALLEST_BATCH if file.size is None else file.size) + COST_OF_FILE
