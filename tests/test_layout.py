"""Rules for the layout of the repository that no other tool checks."""

import ast
import re
import subprocess
import tomllib
from fnmatch import fnmatch
from functools import cache
from importlib import import_module
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.servers.process import script
from wheelrelay.archives.protected_code import encrypting_tool

ROOT = Path(__file__).parent.parent
TOP = {
    ".ci",
    ".github",
    ".gitignore",
    ".pre-commit-hooks.yaml",
    ".readthedocs.yaml",
    "CHANGELOG.md",
    "CITATION.cff",
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
    "PKG-INFO",  # of an unpacked sdist
}


@cache
def tracked():
    """Return the files that are not ignored; an unpacked sdist has a ``.gitignore``, but is no checkout."""
    if not (ROOT / ".git").exists():
        return [path for path in ROOT.rglob("*") if path.is_file() and not is_ignored(path.relative_to(ROOT))]
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, capture_output=True, check=True, text=True).stdout.split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def is_ignored(path):
    patterns = [line.rstrip("/") for line in (ROOT / ".gitignore").read_text().splitlines()]
    folders = ["/".join(path.parts[start:end]) for end in range(len(path.parts) + 1) for start in range(end)]
    return any(fnmatch(folder, pattern) for folder in folders for pattern in patterns)


def relative(path):
    return path.relative_to(ROOT).as_posix()


def python_files(*folders):
    """Return the Python files whose path has one of the folders in it."""
    return [
        path
        for path in tracked()
        if path.suffix == ".py" and not set(folders).isdisjoint(path.relative_to(ROOT).parts)
    ]


def sources():
    """Return the modules of wheelrelay and of its plugins."""
    return [path for path in python_files("src") if path.relative_to(ROOT).parts[0] in ("src", "plugins")]


def files_of_tests():
    """Return the Python files of all tests."""
    return [path for path in python_files("tests") if path.relative_to(ROOT).parts[0] in ("tests", "plugins")]


@cache
def parsed(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def lines_of(path):
    return len(path.read_text(encoding="utf-8").splitlines())


def code_lines(function):
    """Return the lines of a function without its docstring."""
    lines = function.end_lineno - function.lineno + 1
    if ast.get_docstring(function) is None:
        return lines
    docstring = function.body[0]
    return lines - (docstring.end_lineno - docstring.lineno + 1)


MAX_SOURCE_LINES = 350
MAX_FUNCTION_LINES = 60
MAX_TEST_LINES = 400


def test_source_files_are_short():
    assert [relative(path) for path in sources() if lines_of(path) > MAX_SOURCE_LINES] == []


def test_functions_are_short():
    long = [
        f"{relative(path)}: {node.name}"
        for path in sources()
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and code_lines(node) > MAX_FUNCTION_LINES
    ]
    assert long == []


def test_test_files_are_short():
    assert [relative(path) for path in files_of_tests() if lines_of(path) > MAX_TEST_LINES] == []


def test_unit_tests_mirror_the_packages():
    """Each folder below ``tests/unit`` has the path of a package or module below ``src/wheelrelay``."""
    root = ROOT / "src" / "wheelrelay"
    folders = {path.parent.relative_to(ROOT / "tests" / "unit") for path in python_files("unit")}
    assert [
        str(folder)
        for folder in folders
        if not (root / folder).is_dir() and not (root / folder).with_suffix(".py").is_file()
    ] == []


PATCHES = {"setattr", "delattr", "setitem", "delitem", "patch", "object"}
"""The names of functions that replace attributes of modules and classes."""

PATCHES_IN_TEXT = re.compile(rf"\.({'|'.join(sorted(PATCHES))})\(")


def names_from_wheelrelay(tree):
    """Return the names by which a file knows modules and objects of wheelrelay."""
    return {
        alias.asname or alias.name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
        if (getattr(node, "module", None) or alias.name).startswith("wheelrelay")
    }


def is_patch_of(node, names):
    """Return whether a node of a syntax tree replaces something that one of the names leads to."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
        return False
    target = node.args[0]
    if node.func.attr not in PATCHES:
        return False
    if isinstance(target, ast.Constant):
        return str(target.value).startswith("wheelrelay")
    while isinstance(target, ast.Attribute):
        target = target.value
    return isinstance(target, ast.Name) and target.id in names


def test_tests_do_not_patch_wheelrelay():
    patches = []
    for path in files_of_tests():
        if not PATCHES_IN_TEXT.search(path.read_text(encoding="utf-8")):
            continue  # parsing every file takes seconds
        tree = parsed(path)
        names = names_from_wheelrelay(tree)
        patches += [f"{relative(path)}:{node.lineno}" for node in ast.walk(tree) if is_patch_of(node, names)]
    assert patches == []


def is_annotated(arguments):
    every = [
        *arguments.posonlyargs,
        *arguments.args,
        *arguments.kwonlyargs,
        arguments.vararg,
        arguments.kwarg,
    ]
    return any(argument is not None and argument.annotation for argument in every)


def test_test_modules_have_no_annotations():
    """Test modules are not type-checked; the helpers in ``servers`` and ``benchmarks`` are."""
    annotated = [
        f"{relative(path)}:{node.lineno}"
        for path in files_of_tests()
        if path.name == "conftest.py" or path.name.startswith("test_")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef) and (node.returns or is_annotated(node.args))
    ]
    assert annotated == []


def test_imports_follow_the_layers():
    result = subprocess.run(
        [script("lint-imports"), "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout


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


def imported_from_wheelrelay(path):
    """Yield the modules of wheelrelay that a file imports from, with the imported names."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names if alias.name.split(".")[0] == "wheelrelay")
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "wheelrelay":
            yield from ((str(node.module), alias.name) for alias in node.names)


def test_plugins_and_examples_import_public_names_only():
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


def test_no_file_looks_encrypted_to_pypi():
    """PyPI would refuse wheelrelay itself if its code contained the markers that it searches for."""
    encrypted = [
        relative(path) for path in tracked() if path.suffix == ".py" and encrypting_tool(path.read_bytes())
    ]
    assert encrypted == []


def test_the_top_level_has_only_known_entries():
    assert {path.relative_to(ROOT).parts[0] for path in tracked()} <= TOP


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param(r"(?<![\w.:])/(work|root|home|tmp|opt)/\w", id="path-of-a-machine"),
        pytest.param(r"files\.python\w+\.org", id="address-of-files-on-pypi"),
    ],
)
def test_no_file_contains(pattern):
    matches = [
        f"{relative(path)}:{number}: {line.strip()[:100]}"
        for path in tracked()
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if re.search(pattern, line)
    ]
    assert matches == []


def test_sources_split_lines_at_line_feeds_only():
    """``str.splitlines`` also splits at eight other characters, which untrusted text may contain."""
    uses = [
        f"{relative(path)}:{node.lineno}"
        for path in python_files("src")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Attribute) and node.attr == "splitlines"
    ]
    assert uses == []


WRITES = re.compile(
    r"\.write_(bytes|text)\(|os\.(write|link|rename|replace)\(|shutil\.(copy|move)|copyfileobj"
    r"|tempfile\.(mk|Temp|Named|Spooled)|open\([^)]*[\"'][wax]b?[\"']"
)
"""How Python writes files."""

EXAMPLES = re.compile(r"^\s*>>> .*$", re.MULTILINE)

WRITERS = {
    "src/wheelrelay/backends/fsspec/writing.py",  # through fsspec, on other machines
    "src/wheelrelay/cli/demo.py",  # the log of the demo's own server
    "src/wheelrelay/transfer/staging_area.py",  # HashingCopier writes; an interrupted transfer resumes
}
"""Modules that write files themselves, other than those of ``disk`` and ``testing``."""


def test_files_are_written_by_the_disk_package():
    writers = {
        relative(path) for path in python_files("src") if WRITES.search(EXAMPLES.sub("", path.read_text()))
    }
    expected = ("src/wheelrelay/disk/", "src/wheelrelay/testing/")
    assert {name for name in writers if not name.startswith(expected)} == WRITERS


def pins():
    """Return the versions that development installs, by normalised project name."""
    lines = (ROOT / "tests" / "constraints.txt").read_text().splitlines()
    pairs = [line.split("==") for line in lines if not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in pairs}


def requirements():
    """Return the requirements of the project and its plugins with all extras, by normalised name."""
    lines = []
    for path in (ROOT / "pyproject.toml", *ROOT.glob("plugins/*/pyproject.toml")):
        project = tomllib.loads(path.read_text())["project"]
        lines += [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    return {canonicalize_name(requirement.name): requirement for requirement in map(Requirement, lines)}


def test_pinned_versions_satisfy_the_requirements():
    own = {"wheelrelay", *(path.parent.name for path in ROOT.glob("plugins/*/pyproject.toml"))}
    unsatisfied = [
        str(requirement)
        for name, requirement in requirements().items()
        if name not in own and not requirement.specifier.contains(pins().get(name, "0.dev0"))
    ]
    assert unsatisfied == []


def test_make_help_lists_every_target():
    makefile = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    text = subprocess.run(
        ["make", "-C", str(ROOT), "help"], capture_output=True, text=True, check=True
    ).stdout
    assert [target for target in phony[1].split() if f"make {target} " not in text] == []


def test_each_plugin_has_an_extra_and_is_installed_by_all():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    (everything,) = map(Requirement, extras["all"])
    for folder in sorted((ROOT / "plugins").iterdir()):
        project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
        extra = project["name"].removeprefix("wheelrelay-")
        (requirement,) = map(Requirement, extras[extra])
        assert (requirement.name, extra in everything.extras) == (project["name"], True)
        assert project["version"] in requirement.specifier
