"""The files for CI systems are valid, and the actions for GitHub push and relay, whatever their inputs."""

import json
import re
import shutil
from pathlib import Path

import pytest
from tests.e2e.examples.ci import CI, FILES, TAKEN_OVER, WHEEL, github, make_checkout
from tests.e2e.examples.schemas import violations
from tests.e2e.examples.steps import (
    azure_steps,
    circleci_steps,
    documents,
    github_steps,
    gitlab_steps,
)

from wheelrelay import __version__
from wheelrelay.testing.samples import make_wheel


@pytest.mark.parametrize("name", FILES)
def test_file_matches_published_schema(name, tmp_path):
    assert violations(CI / name, FILES[name], tmp_path) == ""


def test_all_files_are_tested():
    assert {path.relative_to(CI).as_posix() for path in CI.rglob("*.yml")} == set(FILES)


def test_versions_are_pinned():
    texts = [path.read_text(encoding="utf-8") for path in CI.rglob("*") if path.is_file()]
    pins = re.findall(r"\bwheelrelay(?:-s3)?==([\w.]+)", "\n".join(texts))
    assert set(pins) == {__version__}


def test_only_release_has_id_token():
    (wheels,), (release,) = documents(CI / "github/wheels.yml"), documents(CI / "github/release.yml")
    assert wheels["permissions"] == release["permissions"] == {}
    assert {str(job["permissions"]) for job in wheels["jobs"].values()} == {str({"contents": "read"})}
    assert release["jobs"]["release"]["permissions"] == {"contents": "read", "id-token": "write"}


def test_inputs_and_outputs_of_actions_are_declared():
    for name in ("push", "relay"):
        (action,) = documents(CI / "github" / name / "action.yml")
        assert all(told["description"] for told in action["inputs"].values())
        values = {output: told["value"] for output, told in action["outputs"].items()}
        assert values == {one: f"${{{{ steps.{name}.outputs.{one} }}}}" for one in values}
        assert set(values) == {"receipt", "published", "address"}


def test_scripts_contain_no_expressions():
    found = [
        step
        for name, read in (
            *((f"github/{name}/action.yml", github_steps) for name in ("push", "relay")),
            ("github/mirror.yml", github_steps),
            *((f"gitlab/templates/{name}.yml", gitlab_steps) for name in ("push", "relay")),
            ("azure/push.yml", azure_steps),
            ("circleci.yml", circleci_steps),
        )
        for step in read(CI / name)
    ]
    assert len(found) >= 10
    assert [step.name for step in found if re.search(r"\$\{\{|\$\[\[|<<\s*parameters", step.script)] == []


@pytest.fixture
def repo(tmp_path, monkeypatch):
    """A checkout with a wheel in ``dist``."""
    return make_checkout(tmp_path, monkeypatch)


def run_github(repo, action, attempt=1, **inputs):
    step, values, env = github(repo, action, attempt, **inputs)
    return step.run(repo, values, env)


class TestGitHub:
    def test_files_are_pushed_and_relayed(self, repo):
        assert run_github(repo, "push", to="staging", paths="dist\n").code == 0
        assert (repo / "staging" / WHEEL).is_file()
        temp = repo.parent / "temp"
        receipt = json.loads((temp / "wheelrelay-push-__push.json").read_text())
        assert receipt["complete"]
        outputs = (temp / "outputs").read_text()
        assert str(temp / "wheelrelay-push-__push.json") in outputs
        assert run_github(repo, "relay", route="release", dry_run="true").code == 0
        assert not (repo / "index").exists()
        assert run_github(repo, "relay", route="release", requirements="sample==1.0", wait="5s").code == 0
        assert (repo / "index" / WHEEL).is_file()
        assert "### Published" in (temp / "summary.md").read_text()

    def test_only_second_attempt_replaces_files(self, repo):
        assert run_github(repo, "push", to="staging").code == 0
        make_wheel(repo / "dist", payload=b"built again")
        assert run_github(repo, "push", to="staging").code == 3
        assert run_github(repo, "push", attempt=2, to="staging", replace="never").code == 3
        assert run_github(repo, "push", attempt=2, to="staging").code == 0
        assert (repo / "staging" / WHEEL).read_bytes() == (repo / "dist" / WHEEL).read_bytes()

    def test_pull_request_replaces_nothing_by_default(self, repo):
        assert run_github(repo, "push", to="staging").code == 0
        make_wheel(repo / "dist", payload=b"built again")
        step, values, env = github(repo, "push", attempt=2, to="staging")
        for event in ("pull_request", "pull_request_target"):
            assert step.run(repo, values, {**env, "GITHUB_EVENT_NAME": event}).code == 3
        assert step.run(repo, values, {**env, "GITHUB_EVENT_NAME": "push"}).code == 0

    def test_fork_without_secrets_succeeds_by_default(self, repo):
        ended = run_github(repo, "push", to="locked")
        assert ended.code == 0
        assert "::notice " in ended.err
        assert run_github(repo, "push", to="locked", skip_if_no_credentials="false").code == 2

    @pytest.mark.parametrize("name", ["paths", "to", "config", "replace", "skip_if_no_credentials"])
    def test_input_of_push_cannot_inject_commands(self, repo, name):
        assert run_github(repo, "push", **{"to": "staging", name: TAKEN_OVER}).code != 0
        assert not list(repo.rglob("taken-over"))

    @pytest.mark.long
    @pytest.mark.parametrize("name", ["route", "requirements", "config", "wait", "dry_run"])
    def test_input_of_relay_cannot_inject_commands(self, repo, name):
        run_github(repo, "push", to="staging")
        assert run_github(repo, "relay", **{"route": "release", name: TAKEN_OVER}).code != 0
        assert not list(repo.rglob("taken-over"))

    def test_path_is_not_an_option(self, repo):
        ended = run_github(repo, "push", to="staging", paths="--replace")
        assert ended.code != 0
        assert "The file or directory --replace does not exist" in ended.err

    @pytest.mark.long
    @pytest.mark.timeout(300)
    def test_install_input_is_installed(self, repo):
        shutil.rmtree(repo.parent / "temp")
        (repo.parent / "temp").mkdir()
        step, values, env = github(repo, "push", install=str(Path(__file__).parents[3]))
        install = github_steps(CI / "github" / "push" / "action.yml")[0]
        ended = install.run(repo, values, env, timeout=250)
        assert ended.code == 0, ended.err
        told = (repo.parent / "temp" / "outputs").read_text().strip()
        values |= {"steps.install.outputs.bin": told.removeprefix("bin="), "inputs.to": "staging"}
        assert step.run(repo, values, env).code == 0


class TestMirrorInShards:
    """In ``mirror.yml``, each job of a matrix copies one shard, and the last job merges the receipts."""

    PROJECTS = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta")

    @pytest.fixture
    def steps(self, repo, monkeypatch):
        """The steps of the workflow by name, with a mirror of several projects."""
        for name in self.PROJECTS:
            make_wheel(repo / "upstream", name)
        (repo / "wheelrelay.toml").write_text(
            '[remotes.mirror]\ntype = "directory"\npath = "mirror"\npages = true\n'
            '[routes.mirror]\nsource = "./upstream"\nsinks = ["mirror"]\nmode = "mirror"\n'
        )
        monkeypatch.setenv("RUNNER_TEMP", str(repo.parent / "temp"))
        return {step.name: step for step in github_steps(CI / "github" / "mirror.yml")}

    def copy(self, repo, steps, shards):
        """Run the jobs of some shards at once, as the matrix does; store their receipts as artifacts."""
        running = [
            steps["mirror/Copy"].start(repo, {"matrix.shard": str(shard), "matrix.shards": "4"})
            for shard in shards
        ]
        for process in running:
            _, err = process.communicate(timeout=100)
            assert process.returncode == 0, err
        (repo / "receipts").mkdir(exist_ok=True)
        for shard in shards:
            name = f"shard-{shard}.json"
            shutil.copy(repo.parent / "temp" / name, repo / "receipts" / name)

    def test_matrix_has_every_shard(self):
        (workflow,) = documents(CI / "github" / "mirror.yml")
        matrix = workflow["jobs"]["mirror"]["strategy"]["matrix"]
        assert matrix["shard"] == list(range(1, matrix["shards"][0] + 1))

    def test_shards_fill_one_container_and_their_receipts_merge(self, repo, steps):
        self.copy(repo, steps, (1, 2, 3, 4))
        ended = steps["receipt/Merge"].run(repo)
        assert ended.code == 0, ended.err
        receipt = json.loads((repo.parent / "temp" / "receipt.json").read_text())
        assert receipt["complete"]
        assert sorted(file["project"] for file in receipt["files"]) == sorted(self.PROJECTS)
        pages = {path.parent.name for path in (repo / "mirror" / "simple").glob("*/index.html")}
        assert pages == set(self.PROJECTS)

    def test_missing_receipt_fails_the_last_job(self, repo, steps):
        self.copy(repo, steps, (1, 3, 4))
        ended = steps["receipt/Merge"].run(repo)
        assert ended.code == 4
        assert "Missing receipts of shards: 2/4" in ended.err
