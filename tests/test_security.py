"""Every promise in SECURITY.md names the tests that hold it, and these tests exist."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "SECURITY.md").read_text()
NAMES = sorted(set(re.findall(r"`(tests/[\w/]+\.py(?:::\w+)*)`", TEXT)))


@pytest.mark.parametrize("name", NAMES)
def test_named_test_exists(name):
    path, *parts = name.split("::")
    body = ast.parse((ROOT / path).read_text()).body
    for part in parts:
        matches = [
            node for node in body if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == part
        ]
        assert matches, part
        body = matches[0].body
    assert parts or any(isinstance(node, ast.FunctionDef) for node in body)


def test_each_promise_names_a_test():
    promises, _, _ = TEXT.partition("## Not promised")
    promises = re.split(r"^- ", promises, flags=re.MULTILINE)[1:]
    assert len(promises) > 15
    assert [promise for promise in promises if "`tests/" not in promise] == []


def test_headings_cover_limits_reports_and_each_attacker():
    headings = re.findall(r"^## (.*)$", TEXT, flags=re.MULTILINE)
    assert "Not promised" in headings
    assert "Report a vulnerability" in headings
    for word in ("source", "index", "container", "fork", "user", "terminals"):
        assert any(word in heading for heading in headings), word


def test_sdist_contains_it():
    assert '"SECURITY.md"' in (ROOT / "pyproject.toml").read_text()
