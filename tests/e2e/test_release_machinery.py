"""The workflows, the versions and the release of this project itself."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from tests.e2e.examples.schemas import violations
from tests.e2e.examples.steps import documents, github_steps
from tests.e2e.examples.test_ci_security import PINNED

from wheelrelay.testing import make_sdist, make_wheel
from wheelrelay.version import __version__

ROOT = Path(__file__).parents[2]
GITHUB = ROOT / ".github"
WORKFLOWS = sorted(GITHUB.glob("workflows/*.yml"))
PLUGINS = sorted(ROOT.glob("plugins/*/pyproject.toml"))
SCHEMAS = {
    ".github/workflows/tests.yml": "github-workflows",
    ".github/workflows/release.yml": "github-workflows",
    ".github/dependabot.yml": "dependabot",
    ".github/ISSUE_TEMPLATE/bug.yml": "github-issue-forms",
    ".github/ISSUE_TEMPLATE/check.yml": "github-issue-forms",
    ".github/ISSUE_TEMPLATE/feature.yml": "github-issue-forms",
    ".github/ISSUE_TEMPLATE/config.yml": "github-issue-config",
    ".readthedocs.yaml": "readthedocs",
    "CITATION.cff": "citation-file-format",
}


def project(path):
    return tomllib.loads(path.read_text(encoding="utf-8"))["project"]


@pytest.mark.long
@pytest.mark.parametrize("name", SCHEMAS)
def test_file_matches_its_schema(name, tmp_path):
    assert violations(ROOT / name, SCHEMAS[name], tmp_path) == ""


def test_every_file_of_github_has_a_schema():
    names = {path.relative_to(ROOT).as_posix() for path in GITHUB.rglob("*.yml")}
    assert names == {name for name in SCHEMAS if name.startswith(".github/")}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_by_commit(path):
    used = re.findall(r"uses: (?!\./)([\w./-]+)@(.*)", path.read_text(encoding="utf-8"))
    assert [(name, pin) for name, pin in used if PINNED.get(name) != pin] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_steps_are_valid_shell(path):
    for step in github_steps(path):
        done = subprocess.run(["bash", "-n"], input=step.script, capture_output=True, text=True)
        assert done.returncode == 0, (step.name, done.stderr)


def test_make_targets_in_workflows_exist():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    used = {
        target
        for path in WORKFLOWS
        for step in github_steps(path)
        for target in re.findall(r"^make ([a-z-]+)", step.script, re.MULTILINE)
    }
    assert used <= targets
    assert {"test", "test-long", "docs", "release-check"} <= used


def test_all_pythons_and_systems_are_tested():
    (tests,) = documents(GITHUB / "workflows" / "tests.yml")
    classifiers = project(ROOT / "pyproject.toml")["classifiers"]
    versions = [text.rsplit(" ", 1)[1] for text in classifiers if re.search(r":: 3\.\d+$", text)]
    jobs = tests["jobs"]
    assert jobs["linux"]["strategy"]["matrix"]["python"] == versions
    assert jobs["other-systems"]["strategy"]["matrix"]["python"] == versions
    systems = {name.split("-")[0] for name in jobs["other-systems"]["strategy"]["matrix"]["os"]}
    assert systems == {"macos", "windows"}


def test_only_the_job_that_publishes_has_an_identity_and_it_builds_nothing():
    (release,) = documents(GITHUB / "workflows" / "release.yml")
    trusted = [name for name, job in release["jobs"].items() if "id-token" in job["permissions"]]
    assert trusted == ["publish"]
    publish = release["jobs"]["publish"]
    assert publish["environment"] == "pypi"
    assert publish["needs"] == ["tests", "build"]
    scripts = "\n".join(step.get("run", "") for step in publish["steps"])
    installs = [line for line in scripts.split("\n") if "pip install" in line]
    assert len(installs) == 2
    assert all("--require-hashes" in line or "--no-index --no-deps" in line for line in installs)
    assert "make " not in scripts


def test_versions_of_core_and_plugins_are_in_step():
    assert len(PLUGINS) >= 5
    assert {project(path)["version"] for path in PLUGINS} == {__version__}
    assert f"version: {__version__}" in (ROOT / "CITATION.cff").read_text()


@pytest.mark.parametrize("path", PLUGINS, ids=lambda path: path.parent.name)
def test_plugins_and_extras_accept_compatible_versions(path):
    current = Version(__version__)
    following = f"{current.major}.{current.minor + 1}" if current.major == 0 else f"{current.major + 1}"
    bounds = f">={current.major}.{current.minor},<{following}"
    name = project(path)["name"]
    requirements = {Requirement(text).name: text for text in project(path)["dependencies"]}
    assert requirements["wheelrelay"] == f"wheelrelay{bounds}"
    extras = project(ROOT / "pyproject.toml")["optional-dependencies"]
    assert extras[name.removeprefix("wheelrelay-")] == [f"{name}{bounds}"]


def test_locked_packages_satisfy_the_requirements():
    lines = (GITHUB / "release.txt").read_text().splitlines()
    locked = {
        canonicalize_name(line.split("==")[0]): line.split("==")[1].split()[0]
        for line in lines
        if line and not line.startswith((" ", "#"))
    }
    core = project(ROOT / "pyproject.toml")
    needed = [*core["dependencies"], *core["optional-dependencies"]["attestations"]]
    unsatisfied = [
        text
        for text in needed
        if not Requirement(text).specifier.contains(
            locked.get(canonicalize_name(Requirement(text).name), "0")
        )
    ]
    assert unsatisfied == []


def test_release_expects_two_files_of_each_distribution():
    expect = tomllib.loads((GITHUB / "wheelrelay.toml").read_text())["routes"]["release"]["expect"]
    assert expect["count"] == 2 * (1 + len(PLUGINS))


@pytest.fixture
def checkout(tmp_path):
    """A checkout with the built files of a release, and a directory instead of PyPI."""
    for name in ("wheelrelay", *(project(path)["name"] for path in PLUGINS)):
        make_wheel(tmp_path / "dist", name, __version__)
        make_sdist(tmp_path / "dist", name, __version__)
    (tmp_path / ".github").mkdir()
    config = (GITHUB / "wheelrelay.toml").read_text()
    config = config.replace(
        "[remotes.pypi]\nattest = true", '[remotes.index]\ntype = "directory"\npath = "../index"'
    )
    (tmp_path / ".github" / "wheelrelay.toml").write_text(
        config.replace('sinks = ["pypi"]', 'sinks = ["index"]')
    )
    return tmp_path


def publish(folder, tag):
    (step,) = (
        one for one in github_steps(GITHUB / "workflows" / "release.yml") if one.name == "publish/Publish"
    )
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return step.run(folder, {"github.ref_name": tag}, {"PATH": path})


def test_release_publishes_all_distributions(checkout):
    ended = publish(checkout, f"v{__version__}")
    assert ended.code == 0, ended.err
    published = {path.name for path in (checkout / "index").glob("wheelrelay*")}
    assert published == {path.name for path in (checkout / "dist").iterdir()}
    assert (checkout / "receipt.json").is_file()


def test_release_without_one_plugin_is_refused(checkout):
    for path in (checkout / "dist").glob("wheelrelay_s3*"):
        path.unlink()
    ended = publish(checkout, f"v{__version__}")
    assert ended.code == 3
    assert not (checkout / "index").exists()


def test_release_of_another_tag_is_refused(checkout):
    assert publish(checkout, "v9.9").code == 1
    assert not (checkout / "index").exists()


@pytest.mark.long
@pytest.mark.timeout(600)
def test_pre_commit_refuses_a_broken_wheel(tmp_path):
    good, broken = make_wheel(tmp_path), make_wheel(tmp_path, version="2.0", metadata={"Name": "other"})
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "."], check=True)
    command = [sys.executable, "-m", "pre_commit", "try-repo", str(ROOT), "wheelrelay-check", "--verbose"]
    environment = {**os.environ, "PRE_COMMIT_HOME": str(tmp_path / "cache"), "GIT_CONFIG_GLOBAL": os.devnull}

    checked = subprocess.run(
        [*command, "--files", good.name, broken.name],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 1
    assert f"error {broken.name}:" in checked.stdout
    assert "[filename-metadata]" in checked.stdout
    assert f"error {good.name}" not in checked.stdout


@pytest.mark.long
@pytest.mark.timeout(900)
def test_make_demo_shows_what_it_installs(tmp_path):
    venv = tmp_path / "venv"
    command = ["make", "demo", f"VENV={venv}", f"PYTHON={sys.executable}"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    lines, shown_before_installed = [], []
    with subprocess.Popen(command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE) as make:
        for line in make.stdout:
            lines.append(line.strip())
            if not (venv / "installed-demo").exists():
                shown_before_installed.append(line.strip())
    assert make.returncode == 0
    assert shown_before_installed[0] == f"Creating a virtual environment in {venv}."
    installing = f"Installing wheelrelay and the packages that the demo needs into {venv}:"
    progress = shown_before_installed[shown_before_installed.index(installing) :]
    assert any(line.startswith("Collecting pypiserver") for line in progress)
    assert any(line.startswith("Successfully installed") for line in progress)
    assert lines[-1].startswith("Done. Published and confirmed")
