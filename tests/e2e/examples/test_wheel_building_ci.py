"""The CI files of the repository that builds wheels: held against schemas, and their shell is run."""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from tests.e2e.examples.schemas import violations
from tests.e2e.examples.steps import (
    azure_steps,
    documents,
    github_steps,
    gitlab_steps,
    travis_steps,
)
from tests.e2e.examples.wheel_building import EXAMPLE, LATEST

from wheelrelay import load_config
from wheelrelay.expect import expected_wheels
from wheelrelay.testing.samples import make_sdist, make_wheel

CI_FILES = {
    ".github/workflows/wheels.yml": "github-workflows",
    ".github/workflows/release.yml": "github-workflows",
    ".gitlab-ci.yml": "gitlab-ci",
    "azure-pipelines.yml": "azure-pipelines",
    "azure-release.yml": "azure-pipelines",
    ".travis.yml": "travis",
    "appveyor.yml": "appveyor",
}

TAG = "cp313-cp313-manylinux_2_28_x86_64"


class TestCIFiles:
    @pytest.mark.parametrize("name", CI_FILES)
    def test_files_match_their_schemas(self, name, tmp_path):
        assert violations(EXAMPLE / name, CI_FILES[name], tmp_path) == ""

    def test_every_ci_file_is_tested(self):
        assert {str(path.relative_to(EXAMPLE)) for path in EXAMPLE.rglob("*.yml")} == set(CI_FILES)

    def test_appveyor_runs_the_same_commands_as_the_others(self):
        (document,) = documents(EXAMPLE / "appveyor.yml")
        lines = [step["cmd"] for phase in ("install", "build_script") for step in document[phase]]
        unlike_a_shell = {
            r"set PATH=C:\Python313-x64;C:\Python313-x64\Scripts;%PATH%",
            r"set /p COMMIT=<build\commit",
        }
        install, *build, push = [line for line in lines if line not in unlike_a_shell]
        github = [step.script for step in github_steps(EXAMPLE / ".github/workflows/wheels.yml")]
        assert install == f"{github[0]} -r requirements-push.txt"
        assert build == github[1:3]
        condition, command = push.split(" wheelrelay push ")
        assert condition == "if not defined APPVEYOR_PULL_REQUEST_NUMBER"
        shell = command.replace("%COMMIT%", "$(cat build/commit)").replace("%PUSH_OPTIONS%", "$PUSH_OPTIONS")
        travis = (EXAMPLE / ".travis.yml").read_text()
        assert f"wheelrelay push {shell}; fi" in travis

    def test_each_system_builds_repairs_and_pushes_with_the_same_commands(self):
        push = "wheelrelay push "
        relay = "wheelrelay relay release"
        texts = {name: (EXAMPLE / name).read_text() for name in CI_FILES}
        wheels = [name for name in CI_FILES if "release" not in name and name != "appveyor.yml"]
        assert [name for name in wheels if push not in texts[name]] == []
        assert {name for name in CI_FILES if relay in texts[name]} == {
            ".github/workflows/release.yml",
            ".gitlab-ci.yml",
            "azure-release.yml",
        }


def test_expected_files_match_what_cibuildwheel_builds():
    """Of its Pythons, on what `auto64`, `native` and `AMD64` are on the machines of the workflow."""
    built = tomllib.loads((EXAMPLE / "cibuildwheel.toml").read_text())["tool"]["cibuildwheel"]["build"]
    pythons = [pattern.removesuffix("-*") for pattern in built.split()]
    (workflow,) = documents(EXAMPLE / ".github/workflows/wheels.yml")
    machines = workflow["jobs"]["wheels"]["strategy"]["matrix"]["os"]
    platforms = {
        "ubuntu-latest": "manylinux*_x86_64",
        "ubuntu-24.04-arm": "manylinux*_aarch64",
        "macos-latest": "macosx_*_arm64",
        "macos-15-intel": "macosx_*_x86_64",
        "windows-latest": "win_amd64",
    }
    expect = load_config(EXAMPLE / "wheelrelay.toml").route("release").expect
    assert expect
    assert expect.sdist is True
    assert sorted(wheel.name for wheel in expected_wheels(expect.wheels or ())) == sorted(
        f"{python}-*-{platforms[machine]}" for python in pythons for machine in machines
    )


SHIM = """#!/bin/sh
case "$*" in
    "-m pip install -r requirements.txt" | "-m pip install -r requirements-push.txt") ;;
    "-m pip install -r requirements.txt -r requirements-push.txt") ;;
    "-m pip install --require-hashes --only-binary=:all: -r requirements-release.txt") ;;
    "-m venv .venv") mkdir -p .venv/bin && : > .venv/bin/activate ;;
    "-m cibuildwheel build/source --config-file cibuildwheel.toml --output-dir dist" | tools/build_wheel.py)
        test -f build/source/pyproject.toml && mkdir -p dist && cp "$BUILT"/*.whl dist ;;
    tools/build_sdist.py) test -f build/source/pyproject.toml && mkdir -p dist && cp "$BUILT"/*.tar.gz dist ;;
    *) exec {python} "$@" ;;
esac
"""
"""A ``python`` that installs nothing and has the files of a build ready; all else it does for real."""

CONFIGURATION = """
[remotes.staging]
type = "directory"
path = "staging"
pages = true

[routes.release]
source = "staging"
sinks = ["../published"]
"""


@dataclass(frozen=True)
class Machine:
    """A machine of a CI system, with the example checked out on it.

    Attributes:
        folder: the checkout.
        built: what a build on this machine makes.
        env: the variables that steps see.
    """

    folder: Path
    built: Path
    env: Mapping[str, str]

    def run(self, step, values=None, **variables):
        return step.run(self.folder, values, {**self.env, **variables})

    def staged(self):
        command = [sys.executable, "-m", "wheelrelay", "list", "staging", "--json"]
        done = subprocess.run(
            command, cwd=self.folder, env={**os.environ, **self.env}, capture_output=True, check=True
        )
        return json.loads(done.stdout)


@pytest.fixture
def machine(repo, tmp_path):
    tools, built = tmp_path / "bin", tmp_path / "built"
    for folder in (tools, built, tmp_path / "published"):
        folder.mkdir()
    for name, text in {
        "python3.13": SHIM.format(python=sys.executable),
        "python": SHIM.format(python=sys.executable),
        "wheelrelay": f'#!/bin/sh\nexec {sys.executable} -m wheelrelay "$@"\n',
    }.items():
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    make_wheel(built, "skyclock", "1.1.0", TAG)
    make_sdist(built, "skyclock", "1.1.0")
    (repo / "ci.toml").write_text(CONFIGURATION)
    path = f"{tools}{os.pathsep}{os.environ['PATH']}"
    env = {
        "PATH": path,
        "BUILT": str(built),
        "WHEELRELAY_CONFIG": "ci.toml",
        "PUSH_OPTIONS": "",
        "PYTHON": "python",
        "BUILD_COMMIT": "",
        "CI_JOB_ID": "7",
        "TRAVIS_PULL_REQUEST": "false",
    }
    return Machine(repo, built, env)


REPLACE = "(inputs.replace || github.run_attempt > 1) && '--replace' || ''"


def github(path):
    steps = github_steps(path)
    wheels, sdist, push = (
        [step for step in steps if step.name.startswith(job)] for job in ("wheels/", "sdist/", "push/")
    )
    return [[*wheels, *push], [*sdist, *push]]


def gitlab(path):
    common, wheels, sdist, push, _ = gitlab_steps(path)
    return [[common, wheels, push], [common, sdist, push]]


def azure(path):
    steps = azure_steps(path)
    push = [replace(step, script=step.script.replace("built/*/", "dist/")) for step in steps[8:]]
    return [[*steps[:4], *push], [*steps[4:8], *push]]


def travis(path):
    phases = {step.name: step for step in travis_steps(path)}
    return [[phases["install"], phases["before_script"], phases["script"]]]


SYSTEMS = {
    "github": (github, ".github/workflows/wheels.yml", {REPLACE: ""}, {REPLACE: "--replace"}),
    "gitlab": (gitlab, ".gitlab-ci.yml", {}, {}),
    "azure": (azure, "azure-pipelines.yml", {"parameters.commit": " "}, {"parameters.commit": " "}),
    "travis": (travis, ".travis.yml", {}, {}),
}


@pytest.mark.long
@pytest.mark.parametrize("system", SYSTEMS)
class TestCISteps:
    def test_pushed_files_carry_the_commit_they_were_built_from(self, machine, system):
        jobs, name, values, _ = SYSTEMS[system]
        for job in jobs(EXAMPLE / name):
            shutil.rmtree(machine.folder / "dist", ignore_errors=True)
            for step in job:
                done = machine.run(step, values)
                assert done.code == 0, (step.name, done.out, done.err)
        built = {path.name for path in machine.built.iterdir()}
        expected = {name for name in built if system != "travis" or name.endswith(".whl")}
        assert {file["filename"] for file in machine.staged()} == expected
        assert {file["build"]["commit"] for file in machine.staged()} == {LATEST}

    def test_other_bytes_are_refused_without_replace(self, machine, system):
        jobs, name, values, again = SYSTEMS[system]
        job = jobs(EXAMPLE / name)[0]
        assert [machine.run(step, values).code for step in job] == [0] * len(job)
        (first,) = machine.staged()
        make_wheel(machine.built, "skyclock", "1.1.0", TAG, payload=b"built again")
        refused = [machine.run(step, values) for step in job][-1]
        assert refused.code != 0
        assert first["filename"] in refused.err
        assert machine.staged() == [first]
        options = {} if system == "github" else {"PUSH_OPTIONS": "--replace"}
        steps = [replace(step, env={**step.env, **options}) for step in job]
        assert machine.run(steps[-1], again, **options).code == 0
        (second,) = machine.staged()
        assert first["sha256"] != second["sha256"]

    def test_unknown_commit_fails_the_job_before_the_build(self, machine, system):
        jobs, name, values, _ = SYSTEMS[system]
        given = {**values, "inputs.commit": "v9.9.9", "parameters.commit": "v9.9.9"}
        job = jobs(EXAMPLE / name)[0]
        steps = [replace(step, env={**step.env, "BUILD_COMMIT": "v9.9.9"}) for step in job]
        ended = [machine.run(step, given, BUILD_COMMIT="v9.9.9") for step in steps]
        assert any(
            done.code != 0 and "BUILD_COMMIT=v9.9.9: skyclock has no branch" in done.err for done in ended
        )
        assert not (machine.folder / "dist").exists()


@pytest.mark.parametrize("secrets", [{}, {"OS_USERNAME": "", "OS_PASSWORD": ""}], ids=["unset", "empty"])
def test_pull_request_from_fork_succeeds_without_pushing(machine, monkeypatch, secrets):
    for name in ("OS_USERNAME", "OS_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    shutil.copytree(machine.built, machine.folder / "dist")
    (machine.folder / "build").mkdir()
    (machine.folder / "build" / "commit").write_text(LATEST)
    (machine.folder / "commits").mkdir()
    (machine.folder / "commits" / "sdist").write_text(LATEST)
    push = github_steps(EXAMPLE / ".github/workflows/wheels.yml")[-1]
    assert push.name.startswith("push-pull-request/")
    bare = {name: text for name, text in push.env.items() if "secrets." not in text}
    step = replace(push, env={**bare, **secrets})
    done = machine.run(step, {"github.event.number": "7"}, WHEELRELAY_CONFIG="wheelrelay.toml")
    assert done.code == 0, done.err
    assert "Nothing was pushed because credentials are missing" in done.err


@pytest.mark.parametrize(
    ("steps", "name", "version"),
    [
        (github_steps, ".github/workflows/release.yml", "VERSION"),
        (azure_steps, "azure-release.yml", "VERSION"),
        (gitlab_steps, ".gitlab-ci.yml", "RELEASE"),
    ],
    ids=["github", "azure", "gitlab"],
)
def test_release_job_relays_the_release(machine, steps, name, version):
    shutil.copytree(machine.built, machine.folder / "staging")
    step = steps(EXAMPLE / name)[-1]
    values = {"inputs.version": "1.1.0", "parameters.version": "1.1.0"}
    done = machine.run(replace(step, env={**step.env, version: "1.1.0"}), values)
    assert done.code == 0, done.err
    published = {path.name for path in (machine.folder.parent / "published").iterdir()}
    assert published == {path.name for path in machine.built.iterdir()}
    assert (machine.folder / "receipt.json").is_file()
