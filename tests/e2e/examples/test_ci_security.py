"""What every example for CI keeps to, so that nobody copies a hole: who runs what, and with which secrets."""

import re
import tomllib
from pathlib import Path

import pytest
from tests.e2e.examples.steps import documents

EXAMPLES = Path(__file__).parents[3] / "examples"
WORKFLOWS = sorted(
    path
    for path in (*EXAMPLES.rglob("ci/github/*.yml"), *EXAMPLES.rglob(".github/workflows/*.yml"))
    if ".venv" not in path.parts
)
ACTIONS = sorted(EXAMPLES.rglob("ci/github/*/action.yml"))

PINNED = {
    "actions/checkout": "3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1",
    "actions/setup-python": "5fda3b95a4ea91299a34e894583c3862153e4b97 # v7.0.0",
    "actions/upload-artifact": "bbbca2ddaa5d8feaa63e36b76fdaad77386f024f # v7.0.0",
    "actions/download-artifact": "3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c # v8.0.1",
    "pypa/cibuildwheel": "1828c10ab37f080699c7b81cea34097c684a7074 # v4.2.0",
}
"""The commits that the tags of these versions name, in the actions' own repositories."""

BUILDS = r"cibuildwheel|tools/build_|-m build\b|pip wheel|\bmake\b"
"""What runs the code of the project that is built, or of what its build needs."""


def named(path):
    return path.relative_to(EXAMPLES).as_posix()


def jobs():
    """Every job of every workflow, with its name and the workflow."""
    for path in WORKFLOWS:
        (document,) = documents(path)
        for name, job in document["jobs"].items():
            yield f"{named(path)}: {name}", job, document


def steps(job):
    """The steps of a job, and those of the examples' own actions that it uses."""
    for step in job["steps"]:
        yield step
        if (used := step.get("uses", "")).startswith("./.github/actions/"):
            (action,) = documents(EXAMPLES / "ci" / "github" / Path(used).name / "action.yml")
            yield from action["runs"]["steps"]


def test_examples_are_found():
    assert len(WORKFLOWS) == 6
    assert len(ACTIONS) == 2


@pytest.mark.parametrize("path", [*WORKFLOWS, *ACTIONS], ids=named)
def test_actions_are_pinned_by_commit_with_version_comment(path):
    used = re.findall(r"uses: (?!\./)([\w./-]+)@(.*)", path.read_text(encoding="utf-8"))
    assert [(name, pin) for name, pin in used if PINNED.get(name) != pin] == []


def test_checkouts_do_not_persist_credentials():
    kept = [
        name
        for name, job, _ in jobs()
        for step in steps(job)
        if step.get("uses", "").startswith("actions/checkout@")
        and step.get("with", {}).get("persist-credentials") is not False
    ]
    assert kept == []


def test_jobs_have_only_permissions_they_need():
    assert {str(document["permissions"]) for _, _, document in jobs()} == {"{}"}
    asking = {name for name, job, _ in jobs() if job["permissions"].get("id-token")}
    assert asking == {
        "ci/github/publish.yml: release",
        "ci/github/release.yml: release",
        "wheel-building-repo/.github/workflows/release.yml: release",
    }
    others = {name: {*job["permissions"]} - {"contents", "id-token"} for name, job, _ in jobs()}
    assert {name: more for name, more in others.items() if more} == {
        "ci/github/publish.yml: release": {"actions"}
    }
    assert {job["permissions"].get("actions", "read") for _, job, _ in jobs()} == {"read"}


def installing(job):
    scripts = [step.get("run", "").replace("\\\n", " ") for step in steps(job)]
    return [line for text in scripts for line in text.split("\n") if "pip install" in line]


def test_github_jobs_with_identity_build_nothing_and_install_only_with_hashes():
    trusted = [(name, job) for name, job, _ in jobs() if job["permissions"].get("id-token")]
    assert len(trusted) == 3
    for name, job in trusted:
        lines = installing(job)
        assert lines, name
        assert [line for line in lines if "--require-hashes" not in line] == [], name
        assert [step for step in steps(job) if re.search(BUILDS, str(step))] == [], name


@pytest.mark.parametrize("path", ["ci/gitlab/templates/relay.yml", "wheel-building-repo/.gitlab-ci.yml"])
def test_gitlab_jobs_with_identity_build_nothing_and_install_only_with_hashes(path):
    document = documents(EXAMPLES / path)[-1]
    (job,) = (job for job in document.values() if isinstance(job, dict) and "id_tokens" in job)
    lines = [line for line in (*job.get("before_script", ()), *job["script"]) if "pip install" in line]
    assert lines
    assert [line for line in lines if "--require-hashes" not in line] == []


def test_secrets_are_set_for_single_steps_of_jobs_that_build_nothing():
    for name, job, document in jobs():
        assert "secrets." not in str(document.get("env", "")) + str(job.get("env", "")), name
        if "secrets." in str(job):
            assert [step for step in job["steps"] if re.search(BUILDS, str(step))] == [], name
            assert job.get("environment"), name


def test_pull_requests_push_to_another_container_and_replace_nothing():
    pushing = {name: job for name, job, _ in jobs() if re.search(r"actions/push|wheelrelay push", str(job))}
    of_pull_requests = {
        name: job for name, job in pushing.items() if job["if"] == "github.event_name == 'pull_request'"
    }
    assert len(of_pull_requests) == 2
    for name, job in pushing.items():
        told = str(job)
        if name in of_pull_requests:
            assert re.search(r"'to': 'staging'|--to staging", told) is None, name
            assert "pull-requests/${{ github.event.number }}" in told, name
            assert re.search(r"--replace|'always'|'re-run'", told) is None, name
            (checkout,) = (step for step in job["steps"] if "actions/checkout" in step.get("uses", ""))
            assert checkout["with"]["ref"] == "${{ github.event.pull_request.base.sha }}", name
        else:
            assert job["if"] == "github.event_name != 'pull_request'", name
    scopes = {name: job["environment"] for name, job in pushing.items()}
    assert {scopes[name] for name in of_pull_requests} == {"pull-requests"}
    assert {scope for name, scope in scopes.items() if name not in of_pull_requests} == {"staging"}


@pytest.mark.parametrize("folder", ["ci", "wheel-building-repo"])
def test_release_requires_the_configured_commit(folder):
    text = (EXAMPLES / folder / "wheelrelay.toml").read_text(encoding="utf-8")
    routes = tomllib.loads(text)["routes"]
    assert [name for name, route in routes.items() if "pypi" in route["sinks"]] == ["release"]
    assert re.fullmatch(r"[0-9a-f]{40}", routes["release"]["expect"]["commit"])
