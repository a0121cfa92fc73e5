"""The checks, the other findings, and PyPI's rules from ``pypi_rules.toml``."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from generators.markdown import table
from wheelrelay.checks import Profile, all_checks
from wheelrelay.findings import Severity

DOCS = Path(__file__).parents[1]
SOURCE = "https://github.com/pypi/warehouse/blob"


def sections() -> str:
    """Return a section for each check: the rule, the severities, and what to do."""
    refused = _refused_by_check()
    return "\n".join(
        f"### {check.id}\n\n{check.text}\n\n"
        f"**Severity:** {_severities(check)}\n\n"
        f"**What to do:** {check.hint}\n"
        + "".join(f"\n**PyPI refuses** {rule}.\n" for rule in refused.get(check.id, ()))
        for check in all_checks()
    )


def findings() -> str:
    """Return a section for each finding that is not a check."""
    other = tomllib.loads((DOCS / "findings.toml").read_text(encoding="utf-8"))
    return "\n".join(
        f"### {name}\n\n{finding['text']}\n\n**Severity:** {finding['severity']}.\n"
        + (f"\n**What to do:** {finding['hint']}\n" if "hint" in finding else "")
        for name, finding in sorted(other.items())
    )


def pypi_rules() -> str:
    """Return the tables of PyPI's rules, one for each file of its source."""
    rules = _rules()
    return "".join(_source_tables(rules))


def uncheckable() -> str:
    """Return the list of PyPI's rules that depend on more than the files."""
    return "".join(
        f"- {rule['refuses']}\n"
        for source in _rules()["source"]
        for rule in source["rules"]
        if not rule.get("checkable", True)
    )


def _severities(check: Any) -> str:
    by_severity: dict[Severity | None, list[str]] = {}
    for profile in Profile:
        by_severity.setdefault(check.severity_in(profile), []).append(f"`{profile}`")
    parts = [f"{severity} in {_joined(names)}" for severity, names in by_severity.items() if severity]
    return f"{'; '.join(parts)}."


def _joined(names: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _rules() -> dict[str, Any]:
    return tomllib.loads((DOCS / "pypi_rules.toml").read_text(encoding="utf-8"))


def _refused_by_check() -> dict[str, list[str]]:
    refused: dict[str, list[str]] = {}
    for source in _rules()["source"]:
        for rule in source["rules"]:
            if rule.get("checkable", True):
                refused.setdefault(rule["check"], []).append(rule["refuses"])
    return {check: list(dict.fromkeys(rules)) for check, rules in refused.items()}


def _source_tables(rules: dict[str, Any]) -> Iterator[str]:
    commit, date = rules["commit"], rules["date"]
    yield f"From the source of [PyPI](https://github.com/pypi/warehouse), commit {commit} ({date}).\n"
    for source in rules["source"]:
        checkable = [rule for rule in source["rules"] if rule.get("checkable", True)]
        yield f"\n### [{source['file']}]({SOURCE}/{commit}/{source['file']})\n\n"
        yield table(
            ["PyPI refuses", "function", "check"],
            [
                (rule["refuses"], f"`{rule['function']}`", f"[`{rule['check']}`](checks.md#{rule['check']})")
                for rule in checkable
            ],
        )
