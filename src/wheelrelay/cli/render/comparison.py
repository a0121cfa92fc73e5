"""The comparison of two releases as text."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from rich.filesize import decimal

from wheelrelay.cli.render.blocks import Blocks, Column, Line, Table, counted
from wheelrelay.comparison import ComparedRelease, Differences, ReleaseComparison, SizeChange
from wheelrelay.environments import Choice, CoverageChange, Environment, describe_environments
from wheelrelay.model import Kind

MAX_SIZES = 5
"""Files with other sizes that are listed; JSON has all."""

LARGER, SMALLER = 1.2, 1 / 1.2
"""Relative sizes from which a file is listed."""

_STYLES = {"-": "red", "+": "green"}
_THERE = {Choice.SDIST: "pip builds the sdist", Choice.NOTHING: "pip installs an older release"}


def comparison_blocks(comparison: ReleaseComparison) -> Blocks:
    """Return the releases side by side, and then everything that differs."""
    before, after = comparison.before, comparison.after
    table = Table([Column(before.release.project), Column(str(before.version)), Column(str(after.version))])
    for title, first, second in zip(_TITLES, _values(before), _values(after), strict=True):
        table.add(title, first, Line(second, "" if first == second else "bold"))
    differences = {
        "dependencies": comparison.dependencies,
        "extras": comparison.extras,
        "entry points": comparison.entry_points,
    }
    lines = [*_environments(comparison)]
    for title, difference in differences.items():
        lines += _differences(title, difference)
    lines += _sizes(comparison.sizes)
    unchanged = [title for title, difference in differences.items() if not any(difference)]
    if not comparison.coverage.changes:
        unchanged.insert(0, "environments")
    if unchanged:
        lines.append(Line(f"Unchanged: {', '.join(unchanged)}.", "dim"))
    return Blocks(table, *lines)


_TITLES = ("files", "size", "Requires-Python", "license")


def _values(compared: ComparedRelease) -> tuple[str, ...]:
    files = f"{counted(compared.count(Kind.WHEEL), 'wheel')}, {counted(compared.count(Kind.SDIST), 'sdist')}"
    size = "unknown" if compared.size is None else decimal(compared.size)
    metadata = compared.metadata
    requires_python = (metadata and metadata.requires_python) or "any"
    return files, size, requires_python, (metadata and metadata.license) or "none"


def _environments(comparison: ReleaseComparison) -> Iterator[Line]:
    coverage = comparison.coverage

    def described(changes: Iterable[CoverageChange], known: Iterable[Environment]) -> str:
        return describe_environments(((one.interpreter, one.platform) for one in changes), frozenset(known))

    for choice, consequence in _THERE.items():
        lost = [change for change in coverage.lost if change.after.choice is choice]
        if lost:
            yield Line("lost: ", "red").append(f"{described(lost, coverage.before)}. There, {consequence}.")
    if coverage.excluded:
        yield Line("excluded by Requires-Python: ", "yellow").append(
            f"{described(coverage.excluded, coverage.before)}. There, {_THERE[Choice.NOTHING]}."
        )
    for title, style, changes in (
        ("needs a later system: ", "red", coverage.raised),
        ("runs on older systems: ", "green", coverage.lowered),
    ):
        for (first, second), group in groupby(sorted(changes, key=_minimums), key=_minimums):
            environments = described(group, coverage.before)
            yield Line(title, style).append(f"{second} instead of {first}, for {environments}.")
    if coverage.gained:
        yield Line("gained: ", "green").append(f"{described(coverage.gained, coverage.after)}.")


def _minimums(change: CoverageChange) -> tuple[str, str]:
    return change.before.minimum, change.after.minimum


def _differences(title: str, difference: Differences) -> Iterator[Line]:
    if any(difference):
        yield Line(f"{title}:")
    signed = [(text, "-") for text in difference.removed] + [(text, "+") for text in difference.added]
    for text, sign in sorted(signed, key=_by_name):
        yield Line(f"  {sign} ", _STYLES[sign]).append(text)


def _by_name(signed: tuple[str, str]) -> tuple[bool, str, bool]:
    """Sort what extras need last, and what has the same name together, with the removed ones first."""
    text, sign = signed
    return "extra ==" in text, re.split(r"[^\w.-]", text)[0], sign == "+"


def _sizes(sizes: Sequence[SizeChange]) -> Iterator[Line]:
    """Yield the files that became much larger or smaller, the greatest changes first."""
    notable = [pair for pair in sizes if pair.factor >= LARGER or pair.factor <= SMALLER]
    notable.sort(key=lambda pair: max(pair.factor, 1 / (pair.factor or 1)), reverse=True)
    if notable:
        yield Line("sizes:")
    for pair in notable[:MAX_SIZES]:
        sizes_text = f"{decimal(pair.after.size or 0)} instead of {decimal(pair.before.size or 0)}"
        yield Line(f"  {pair.after.filename}: {sizes_text}")
    if len(notable) > MAX_SIZES:
        yield Line(f"  and {len(notable) - MAX_SIZES} more; use `--json` to see all", "dim")
