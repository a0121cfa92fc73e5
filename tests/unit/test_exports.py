"""The lazy tables of packages agree with `__all__` and with the imports for type checkers."""

import ast
from importlib import import_module
from pathlib import Path

import pytest

from wheelrelay.exports import lazy_names

SRC = Path(__file__).parents[2] / "src"
LAZY = sorted(path for path in SRC.rglob("__init__.py") if "lazy_names" in path.read_text(encoding="utf-8"))
PUBLIC = [
    "wheelrelay",
    "wheelrelay.config",
    "wheelrelay.containers",
    "wheelrelay.errors",
    "wheelrelay.http",
    "wheelrelay.model",
    "wheelrelay.protocols",
    "wheelrelay.testing",
]


def package_of(path):
    return ".".join(path.parent.relative_to(SRC).parts)


def imports_for_type_checkers(tree):
    """The names that are imported under ``if TYPE_CHECKING``, each with its module."""
    for block in tree.body:
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING":
            for statement in block.body:
                assert isinstance(statement, ast.ImportFrom)
                yield from ((alias.name, statement.module or "") for alias in statement.names)


def table(path):
    """The names of all tables of a package, each with the module that provides it."""
    files = [path, *path.parent.glob("public_names.py")]
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in files]
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.Dict):
            for key, names in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant):
                    literal = ast.literal_eval(names)
                    listed = literal.split() if isinstance(literal, str) else literal
                    yield from ((name, key.value) for name in listed)


@pytest.mark.parametrize("path", LAZY, ids=package_of)
def test_table_agrees_with_imports_for_type_checkers(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert dict(table(path)) == dict(imports_for_type_checkers(tree))


@pytest.mark.parametrize("path", LAZY, ids=package_of)
def test_table_agrees_with_all(path):
    package = import_module(package_of(path))
    names = {name for name, _ in table(path)}
    assert names == set(package.__all__) - {"__version__"}


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_can_be_imported(name):
    package = import_module(name)
    assert package.__all__
    assert [missing for missing in package.__all__ if not hasattr(package, missing)] == []
    assert len(package.__all__) == len(set(package.__all__))


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'package' has no attribute 'nothing'"):
        lazy_names("package", {})("nothing")
