"""The code for systems that the tests do not run on: no call that only POSIX has is reached on Windows."""

import ast
import re
import subprocess
import sys

import pytest

from tests.test_layout import ROOT, parsed, relative, sources


@pytest.mark.long
def test_types_are_right_on_windows():
    """mypy reports each name of a module that the system lacks, except behind ``sys.platform``."""
    command = [sys.executable, "-m", "mypy", "--platform", "win32", "--no-warn-unreachable"]
    folders = ["src", *(relative(path) for path in ROOT.glob("plugins/*/src"))]
    done = subprocess.run([*command, *folders], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_systems_are_told_apart_by_sys_platform():
    """mypy does not know what ``os.name`` means."""
    uses = [
        relative(path) for path in sources() if re.search(r"\bos\.name\b", path.read_text(encoding="utf-8"))
    ]
    assert uses == []


def test_no_finally_block_returns():
    """Python 3.14 warns about ``return``, ``break`` and ``continue`` in ``finally`` (PEP 765)."""
    jumps = [
        f"{relative(path)}:{jump.lineno}"
        for path in sources()
        if "finally:" in path.read_text(encoding="utf-8")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Try)
        for statement in node.finalbody
        for jump in ast.walk(statement)
        if isinstance(jump, ast.Return | ast.Break | ast.Continue)
    ]
    assert jumps == []
