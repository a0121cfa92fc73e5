"""Make docs/checks.md and the README's table of checks from the checks and from docs/pypi_rules.toml.

Run it with an interpreter that has wheelrelay installed: ``python docs/make_checks.py``.
"""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wheelrelay.checks import Profile, all_checks

ROOT = Path(__file__).parents[1]
README, PAGE, RULES = ROOT / "README.md", ROOT / "docs" / "checks.md", ROOT / "docs" / "pypi_rules.toml"
SOURCE = "https://github.com/pypi/warehouse/blob"
HEAD = "| check | `pypi` | `index` | `storage` | what it asks |\n|---|---|---|---|---|\n"

INTRODUCTION = """\
# Checks

This page is made by `docs/make_checks.py`; change the checks or `docs/pypi_rules.toml` instead.

Each check is an error or a warning in a profile, or not part of it (`-`). The README says which profile
applies where.

"""


def table() -> str:
    """The table of all checks, as Markdown."""
    rows = []
    for check in all_checks():
        severities = [check.severity_in(profile) for profile in Profile]
        cells = [str(severity) if severity else "-" for severity in severities]
        rows.append(f"| `{check.id}` | {' | '.join(cells)} | {check.text} |\n")
    return HEAD + "".join(rows)


def page() -> str:
    """The whole page."""
    rules = tomllib.loads(RULES.read_text(encoding="utf-8"))
    return INTRODUCTION + table() + "".join(_rules(rules)) + _unknown(rules)


def readme() -> str:
    """The README with its table made anew."""
    text = README.read_text(encoding="utf-8")
    start = text.index(HEAD)
    end = re.compile(r"\n(?!\|)").search(text, start)
    return text[:start] + table() + text[end.end() if end else len(text) :]


def _rules(rules: dict[str, Any]) -> Iterator[str]:
    commit, date = rules["commit"], rules["date"]
    yield "\n## What PyPI refuses\n\n"
    yield f"As read in the source of [PyPI](https://github.com/pypi/warehouse), at {commit} of {date}.\n"
    for source in rules["source"]:
        known = [rule for rule in source["rules"] if rule.get("known", True)]
        yield f"\n### [{source['file']}]({SOURCE}/{commit}/{source['file']})\n\n"
        yield "| PyPI refuses | function | check |\n|---|---|---|\n"
        for rule in known:
            yield f"| {rule['says']} | `{rule['function']}` | `{rule['check']}` |\n"


def _unknown(rules: dict[str, Any]) -> str:
    lines = [
        f"- {rule['says']}\n"
        for source in rules["source"]
        for rule in source["rules"]
        if not rule.get("known", True)
    ]
    return "\n## What PyPI refuses and no file shows\n\n" + "".join(lines)


if __name__ == "__main__":
    README.write_text(readme(), encoding="utf-8")
    PAGE.write_text(page(), encoding="utf-8")
