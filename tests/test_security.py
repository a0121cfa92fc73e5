"""SECURITY.md promises nothing that no test holds: each promise names tests, and they are there."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "SECURITY.md").read_text()
NAMED = re.findall(r"`(tests/[\w/]+\.py(?:::\w+)*)`", TEXT)


@pytest.mark.parametrize("named", sorted(set(NAMED)))
def test_each_test_that_is_named_is_there(named):
    path, *names = named.split("::")
    inside = ast.parse((ROOT / path).read_text()).body
    for name in names:
        found = [
            one for one in inside if isinstance(one, ast.ClassDef | ast.FunctionDef) and one.name == name
        ]
        assert found, name
        inside = found[0].body
    assert names or any(isinstance(one, ast.FunctionDef) for one in inside)


def test_each_promise_names_a_test():
    promising, _, _ = TEXT.partition("## Not promised")
    promises = re.split(r"^- ", promising, flags=re.MULTILINE)[1:]
    assert len(promises) > 15
    assert [one for one in promises if "`tests/" not in one] == []


def test_it_says_what_is_not_promised_and_how_to_report():
    headings = re.findall(r"^## (.*)$", TEXT, flags=re.MULTILINE)
    assert "Not promised" in headings
    assert "Report a vulnerability" in headings
    for word in ("source", "index", "container", "fork", "user", "terminals"):
        assert any(word in heading for heading in headings), word


def test_it_is_in_the_sdist():
    assert '"SECURITY.md"' in (ROOT / "pyproject.toml").read_text()
