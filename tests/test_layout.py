"""The rules of the house that no other tool checks: where things lie, who imports whom, what is unsaid."""

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from importlib import import_module
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.servers.process import script

ROOT = Path(__file__).parent.parent
TOP = {
    ".ci",
    ".gitignore",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "SECURITY.md",
    "docs",
    "examples",
    "plugins",
    "pyproject.toml",
    "src",
    "tests",
}


def tracked() -> list[Path]:
    """The files of the checkout that are under version control, or are about to be."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, capture_output=True, check=True, text=True).stdout.split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def test_imports_run_one_way_down() -> None:
    done = subprocess.run(
        [script("lint-imports"), "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


PUBLIC = {
    "wheelrelay",
    "wheelrelay.config",
    "wheelrelay.containers",
    "wheelrelay.errors",
    "wheelrelay.http",
    "wheelrelay.model",
    "wheelrelay.protocols",
    "wheelrelay.testing",
}
"""The packages and modules with a public ``__all__``."""


def imported_from_wheelrelay(path: Path) -> Iterator[tuple[str, str]]:
    """The modules of wheelrelay that a file imports from, and the names that it imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names if alias.name.split(".")[0] == "wheelrelay")
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "wheelrelay":
            yield from ((str(node.module), alias.name) for alias in node.names)


def test_plugins_and_examples_import_public_names_only() -> None:
    outside = [
        path
        for path in tracked()
        if path.suffix == ".py"
        and (path.is_relative_to(ROOT / "examples") or path.match("plugins/*/src/*/*.py"))
    ]
    private = [
        f"{path.relative_to(ROOT)}: {module} {name}"
        for path in outside
        for module, name in imported_from_wheelrelay(path)
        if module not in PUBLIC or (name and name not in import_module(module).__all__)
    ]
    assert len(outside) > 20
    assert private == []


def test_the_top_level_holds_what_a_visitor_expects() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in tracked()} <= TOP


@pytest.mark.parametrize(
    "never",
    [
        pytest.param(r"(?<![\w.:])/(work|root|home|tmp|opt)/\w", id="a path of somebody's machine"),
        pytest.param(r"files\.python\w+\.org", id="an address that a registry keeps files at"),
    ],
)
def test_no_file_speaks_of(never: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in tracked()
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if re.search(never, line)
    ]
    assert found == []


def test_lines_end_at_a_line_feed_and_nowhere_else() -> None:
    """``str.splitlines`` also ends lines at eight other characters, which a stranger may have written."""
    sources = [path for path in tracked() if path.suffix == ".py" and "src" in path.relative_to(ROOT).parts]
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sources
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "splitlines"
    ]
    assert sources
    assert found == []


WRITES = re.compile(
    r"\.write_(bytes|text)\(|os\.(write|link|rename|replace)\(|shutil\.(copy|move)|copyfileobj"
    r"|tempfile\.(mk|Temp|Named|Spooled)|open\([^)]*[\"'][wax]b?[\"']"
)
"""How Python writes files."""

WRITERS = {
    "src/wheelrelay/backends/fsspec/writing.py",  # through fsspec, on other machines
    "src/wheelrelay/cli/demo.py",  # the log of a server of the demo's own
    "src/wheelrelay/transfer/staging_area.py",  # HashingCopier writes; a broken transfer resumes
}


def test_files_are_written_in_one_place() -> None:
    found = {
        path.relative_to(ROOT).as_posix()
        for path in tracked()
        if path.suffix == ".py" and "src" in path.relative_to(ROOT).parts and WRITES.search(path.read_text())
    }
    elsewhere = {
        name for name in found if not name.startswith(("src/wheelrelay/disk/", "src/wheelrelay/testing/"))
    }
    assert elsewhere == WRITERS


def pins() -> dict[str, str]:
    """The versions that development installs, by the normalised name of the project."""
    lines = (ROOT / "tests" / "constraints.txt").read_text().splitlines()
    pairs = [line.split("==") for line in lines if not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in pairs}


def requirements() -> dict[str, Requirement]:
    """What this project and its plugins say that they need, with all extras, by normalised name."""
    found: list[str] = []
    for path in (ROOT / "pyproject.toml", *ROOT.glob("plugins/*/pyproject.toml")):
        project = tomllib.loads(path.read_text())["project"]
        found += [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    return {canonicalize_name(needed.name): needed for needed in map(Requirement, found)}


def test_development_is_pinned_to_versions_that_fit() -> None:
    own = {"wheelrelay", *(path.parent.name for path in ROOT.glob("plugins/*/pyproject.toml"))}
    unfit = [
        str(needed)
        for name, needed in requirements().items()
        if name not in own and not needed.specifier.contains(pins().get(name, "0.dev0"))
    ]
    assert unfit == []


def test_every_target_of_the_makefile_is_explained() -> None:
    makefile = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    told = subprocess.run(
        ["make", "-C", str(ROOT), "help"], capture_output=True, text=True, check=True
    ).stdout
    assert phony
    assert [target for target in phony[1].split() if f"make {target} " not in told] == []
