"""The README's tables of checks and other findings are complete and correct."""

import ast
import re
import tomllib
from pathlib import Path

import wheelrelay
from wheelrelay.checks import Profile, all_checks
from wheelrelay.config.load import parse_config

ROOT = Path(__file__).parents[3]
SECTION = re.search(r"^## Checks\n(.*?)^## ", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)[1]


def rows(columns):
    """Return the rows of the section's table with this number of columns, without its head."""
    tables = re.split(r"\n\n", SECTION)
    lines = next(
        table
        for table in tables
        if table.startswith("|") and table.count("|\n|---") and _width(table) == columns
    )
    return [
        tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines.strip().splitlines()[2:]
    ]


def _width(table):
    return table.splitlines()[0].count("|") - 1


def test_lists_every_check():
    expected = [
        (f"`{check.id}`", *(check.severity_in(profile) or "-" for profile in Profile), check.text)
        for check in all_checks()
    ]
    assert rows(5) == expected


def test_lists_every_other_finding():
    """The id of a finding is the first argument of each ``Finding(...)`` in the code."""
    found = set()
    for path in Path(wheelrelay.__file__).parent.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "Finding":
                first = call.args[0]
                if isinstance(first, ast.Constant):
                    found.add(first.value)
                elif isinstance(first, ast.Name):
                    module = ".".join(path.relative_to(ROOT / "src").with_suffix("").parts)
                    found.add(getattr(__import__(module, fromlist=["_"]), first.id))
    assert len(found) >= 7
    assert {name for name, _, _ in rows(3)} == {f"`{one}`" for one in found}


def test_example_is_a_valid_configuration():
    text = re.search(r"```toml\n(.*?)```", SECTION, re.DOTALL)[1]
    checks = parse_config(tomllib.loads(text), ROOT / "wheelrelay.toml").remote("pypi").checks
    assert checks.max_file_size == 300 << 20
    assert checks.ignored == {"release-yanked", "classifier-unknown"}
