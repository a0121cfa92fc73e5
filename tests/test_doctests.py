"""Run the examples in the docstrings of wheelrelay, each in an empty folder named ``tmp_path``."""

import doctest
import importlib.util
import pkgutil
from pathlib import Path

import pytest

import wheelrelay

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
SOURCE = Path(wheelrelay.__file__).parent


def modules_with_examples():
    """Return the names of the modules with examples."""
    modules = ["wheelrelay", *(module.name for module in pkgutil.walk_packages([str(SOURCE)], "wheelrelay."))]
    specs = {name: importlib.util.find_spec(name) for name in modules}
    return [
        name
        for name, spec in specs.items()
        if spec and spec.origin and ">>> " in Path(spec.origin).read_text(encoding="utf-8")
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
