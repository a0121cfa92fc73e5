"""The check of entry_points.txt (PyPA: entry points specification)."""

import configparser
import re
from collections.abc import Iterator

from wheelrelay.checks.check import Check, Violation, shown
from wheelrelay.checks.contract import FileChecks
from wheelrelay.checks.distribution import Distribution
from wheelrelay.records import Severity

REFERENCE = re.compile(r"[\w.]+\s*(:\s*[\w.]+)?\s*(\[[^\]]*\])?")
SCRIPT = re.compile(r"[\w.-]+")

ENTRY_POINTS = Check(
    "entry-points",
    "entry_points.txt can be parsed, and scripts have plain names and lead to objects.",
    hint="Correct the entry points in the project's configuration: NAME = MODULE:OBJECT.",
    below=Severity.WARNING,
)


def find(distribution: Distribution) -> Iterator[Violation]:
    """Find what is wrong with the entry points."""
    text = distribution.text("entry_points.txt") if distribution.is_wheel else None
    if text is None:
        return
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # the documented way
    try:
        parser.read_string(text.decode())
    except (configparser.Error, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        yield ENTRY_POINTS.violation(f"entry_points.txt cannot be parsed: {shown(reason.rstrip('.'))}.")
        return
    for group in ("console_scripts", "gui_scripts"):
        for name, value in parser.items(group) if parser.has_section(group) else ():
            if not SCRIPT.fullmatch(name) or not REFERENCE.fullmatch(value):
                yield ENTRY_POINTS.violation(
                    f"In {group}, this is no entry point: {shown(f'{name} = {value}')}."
                )


SCRIPTS = FileChecks((ENTRY_POINTS,), find)
