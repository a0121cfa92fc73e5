"""The reference covers everything that the code has."""

import ast
import re
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

import wheelrelay
from wheelrelay.cli.exits import ExitCode
from wheelrelay.config.schema import installed_types

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def toml(name):
    return tomllib.loads((DOCS / name).read_text(encoding="utf-8"))


@pytest.fixture
def generators(monkeypatch):
    """The package that generates the reference."""
    monkeypatch.syspath_prepend(str(DOCS))
    yield import_module("generators")
    for name in [name for name in sys.modules if name.split(".")[0] == "generators"]:
        del sys.modules[name]


def test_every_exit_code_has_a_section():
    text = (DOCS / "reference" / "exit-codes.md").read_text(encoding="utf-8")
    assert [int(code) for code in re.findall(r"^## Exit code (\d+)$", text, re.MULTILINE)] == [*ExitCode]
    assert [int(code) for code in re.findall(r"^\| \[(\d+)\]", text, re.MULTILINE)] == [*ExitCode]


def ids_of_findings():
    """Yield the ids of all findings that are not checks.

    The id of a finding is the first argument of each ``Finding(...)`` in the code.
    """
    for path in Path(wheelrelay.__file__).parent.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        for call in ast.walk(ast.parse(text)) if "Finding(" in text else ():
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "Finding":
                first = call.args[0]
                if isinstance(first, ast.Constant):
                    yield first.value
                elif isinstance(first, ast.Name):
                    module = ".".join(path.relative_to(ROOT / "src").with_suffix("").parts)
                    yield getattr(import_module(module), first.id)


def test_every_finding_that_is_not_a_check_has_a_section():
    assert {*toml("findings.toml")} == {*ids_of_findings()}


def test_every_type_of_remote_has_a_sample_and_a_page_with_capabilities(generators):
    installed = [each for each in installed_types() if each.package.startswith("wheelrelay")]
    types = [each.type for each in installed if "engine" not in each.roles]
    assert [kind for kind in types if kind not in toml("remotes.toml")] == []
    pages = generators.remotes.pages()
    assert [kind for kind in types if "## Capabilities" not in pages[f"reference/remotes/{kind}.md"]] == []
    assert "SupportsYank" in pages["reference/remotes/s3.md"]
    assert "SupportsYank" not in pages["reference/remotes/index.md"]


def test_every_page_of_the_reference_has_only_known_placeholders(generators):
    texts = [path.read_text(encoding="utf-8") for path in DOCS.rglob("*.md")]
    names = {name for text in texts for name in generators.PLACEHOLDER.findall(text)}
    assert names == {*generators.TABLES}


def test_options_of_a_command_are_on_its_page(generators):
    page = generators.commands.pages()["reference/commands/push.md"]
    assert "\n`--to REMOTE`\n: The container to push to." in page


def test_keys_have_their_values_and_defaults(generators):
    keys = generators.configuration.keys_of("s3")
    assert keys.startswith("`bucket`: text (required)\n: ")
    assert '`confirm`: `"index"`, `"download"`, `"none"` [default: `"index"`]\n: How uploads are' in keys
