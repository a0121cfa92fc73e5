"""The steps for CI systems in ``examples/ci``."""

import os
from pathlib import Path

import pytest
from tests.e2e.examples.steps import Step, documents, github_steps
from tests.servers.process import script

from wheelrelay.testing.samples import make_wheel

CI = Path(__file__).parents[3] / "examples" / "ci"


BIN = str(Path(script("wheelrelay")).parent)


FILES = {
    "github/push/action.yml": "github-actions",
    "github/relay/action.yml": "github-actions",
    "github/wheels.yml": "github-workflows",
    "github/release.yml": "github-workflows",
    "github/mirror.yml": "github-workflows",
    "github/publish.yml": "github-workflows",
    "gitlab/templates/push.yml": "gitlab-ci",
    "gitlab/templates/relay.yml": "gitlab-ci",
    "azure/push.yml": "azure-pipelines",
    "travis.yml": "travis",
    "appveyor.yml": "appveyor",
    "circleci.yml": "circle-ci",
    "buildkite.yml": "buildkite",
}


WHEEL = "sample-1.0-py3-none-any.whl"


TAKEN_OVER = '"; touch taken-over; $(touch taken-over) `touch taken-over` #'


def make_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Create a checkout with a wheel in ``dist``, a configuration, and an installed wheelrelay."""
    folder = tmp_path / "repo"
    make_wheel(folder / "dist")
    (folder / "wheelrelay.toml").write_text(
        '[remotes.staging]\ntype = "directory"\npath = "staging"\n'
        '[remotes.index]\ntype = "directory"\npath = "index"\n'
        '[remotes.locked]\ntype = "index"\nurl = "http://127.0.0.1:9/simple/"\n'
        'upload_url = "http://127.0.0.1:9/"\ntoken = { env = "SECRET" }\n'
        '[routes.release]\nsource = "staging"\nsinks = ["index"]\n'
    )
    for home in (folder / ".wheelrelay", tmp_path / "temp" / "wheelrelay"):
        home.mkdir(parents=True)
        (home / "bin").symlink_to(BIN)
    monkeypatch.setenv("PATH", f"{BIN}{os.pathsep}{os.environ['PATH']}")
    return folder


def github(
    repo: Path, action: str, attempt: int = 1, **inputs: str
) -> tuple[Step, dict[str, str], dict[str, str]]:
    """Return the main step of an action, the values of its expressions, and its environment variables."""
    path = CI / "github" / action / "action.yml"
    (document,) = documents(path)
    usual = {name: one.get("default", "") for name, one in document["inputs"].items()}
    given = {**usual, **{name.replace("_", "-"): value for name, value in inputs.items()}}
    values = {f"inputs.{name}": value for name, value in given.items()}
    temp = repo.parent / "temp"
    env = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_ACTION": f"__{action}",
        "GITHUB_WORKSPACE": str(repo),
        "GITHUB_RUN_ATTEMPT": str(attempt),
        "GITHUB_OUTPUT": str(temp / "outputs"),
        "GITHUB_STEP_SUMMARY": str(temp / "summary.md"),
        "RUNNER_TEMP": str(temp),
    }
    return github_steps(path)[-1], {**values, "steps.install.outputs.bin": BIN}, env
