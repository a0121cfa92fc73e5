"""Run the examples in the docstrings of wheelrelay, its plugins and the tests' servers."""

import doctest
import importlib
from pathlib import Path

import pytest

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
ROOT = Path(__file__).parents[1]
SOURCES = [
    *((folder, folder) for folder in [ROOT / "src", *ROOT.glob("plugins/*/src")]),
    (ROOT / "tests" / "servers", ROOT),
]
"""Folders with modules, each with the folder that their full names start from."""


def modules_with_examples():
    """Return the names of the modules with examples."""
    files = ((path, root) for folder, root in SOURCES for path in sorted(folder.rglob("*.py")))
    return [
        ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
        for path, root in files
        if ">>> " in path.read_text(encoding="utf-8")
    ]


@pytest.mark.parametrize("name", modules_with_examples())
def test_the_examples_run(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(name)
    output = []
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    for examples in doctest.DocTestFinder().find(module, globs={**vars(module), "tmp_path": tmp_path}):
        runner.run(examples, out=output.append)
    assert runner.summarize(verbose=False).attempted
    assert output == []
