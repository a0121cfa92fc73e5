"""The steps for GitLab, Azure and other CI systems push and relay, whatever their inputs."""

import json
import re
import sys
from base64 import urlsafe_b64encode
from pathlib import Path

import pytest
from tests.e2e.examples.ci import CI, TAKEN_OVER, WHEEL, github, make_checkout
from tests.e2e.examples.steps import (
    Step,
    appveyor_steps,
    azure_steps,
    buildkite_steps,
    circleci_steps,
    documents,
    gitlab_steps,
    jenkins_steps,
    travis_steps,
)
from tests.servers.seaweed import run_seaweed
from tests.servers.shared import shared

from wheelrelay.testing.samples import make_wheel


@pytest.fixture
def repo(tmp_path, monkeypatch):
    """A checkout with a wheel in ``dist``."""
    return make_checkout(tmp_path, monkeypatch)


class TestGitLab:
    def run(self, repo, name, env=None, **inputs):
        (job,) = gitlab_steps(CI / "gitlab" / "templates" / f"{name}.yml")
        main = "\n".join(
            line for line in job.script.splitlines() if "python" not in line and "INSTALL" not in line
        )
        values = {f"inputs.{key.replace('_', '-')}": value for key, value in inputs.items()}
        return Step(job.name, main, job.env, job.shell, job.fill).run(
            repo, values, {"GITLAB_CI": "true", "RELAY_ID_TOKEN": "", **(env or {})}
        )

    def test_files_are_pushed_and_relayed(self, repo):
        assert self.run(repo, "push", to="staging").code == 0
        make_wheel(repo / "dist", payload=b"built again")
        assert self.run(repo, "push", to="staging").code == 3
        ended = self.run(repo, "push", to="staging", replace="true", paths="dist\n")
        assert ended.code == 0, ended.err
        assert "section_start:" in ended.err
        assert json.loads((repo / "wheelrelay-receipt.json").read_text())["complete"]
        assert self.run(repo, "relay", route="release", requirement="sample==1.0", lock="x").code == 0
        assert (repo / "index" / WHEEL).is_file()

    @pytest.mark.parametrize("audience", ["pypi", "testpypi", "https://index.example.org/a", "2nd_index"])
    def test_identity_is_found_for_any_audience(self, repo, audience):
        ((name, told),) = documents(CI / "gitlab/templates/relay.yml")[-1]["$[[ inputs.job ]]"][
            "id_tokens"
        ].items()
        claims = json.dumps({"aud": told["aud"].replace("$[[ inputs.audience ]]", audience)})
        identity = f"e30.{urlsafe_b64encode(claims.encode()).decode().rstrip('=')}.e30"
        command = repo / ".wheelrelay" / "bin" / "wheelrelay"
        command.parent.unlink()  # a link to what is installed
        command.parent.mkdir()
        command.write_text(
            f"#!{sys.executable}\nimport id\nprint(id.detect_credential({audience!r}), end='')\n"
        )
        command.chmod(0o755)
        ended = self.run(repo, "relay", env={name: identity}, route="release", lock="x", audience=audience)
        assert (ended.code, ended.out) == (0, identity), ended.err

    def test_fork_without_secrets_succeeds(self, repo):
        assert self.run(repo, "push", to="locked").code == 0
        assert self.run(repo, "push", to="locked", skip_if_no_credentials="false").code == 2

    @pytest.mark.long
    @pytest.mark.parametrize("name", ["to", "paths", "replace", "skip_if_no_credentials"])
    def test_input_cannot_inject_commands(self, repo, name):
        self.run(repo, "push", **{"to": "staging", name: TAKEN_OVER})
        assert not list(repo.rglob("taken-over"))


class TestAzure:
    def run(self, repo, attempt=1, reason="Manual", **parameters):
        values = {f"parameters.{name}": told for name, told in {"paths": "dist", **parameters}.items()}
        temp = str(repo.parent / "temp")
        env = {"TF_BUILD": "True", "AGENT_TEMPDIRECTORY": temp, "SYSTEM_JOBATTEMPT": str(attempt)}
        env["BUILD_REASON"] = reason
        env["SECRET"] = "$(SECRET)"  # as Azure leaves it where there is none
        (step,) = (one for one in azure_steps(CI / "azure" / "push.yml") if one.name == "Push")
        return step.run(repo, {**values, "insert": "", "parameters.secrets": ""}, env)

    def test_later_attempts_replace_files(self, repo):
        assert self.run(repo, to="staging").code == 0
        make_wheel(repo / "dist", payload=b"built again")
        assert self.run(repo, to="staging").code == 3
        ended = self.run(repo, 2, to="staging")
        assert ended.code == 0
        assert "##vso[task.setvariable variable=published;isOutput=true]1" in ended.err

    def test_pull_request_replaces_nothing(self, repo):
        assert self.run(repo, to="staging").code == 0
        make_wheel(repo / "dist", payload=b"built again")
        assert self.run(repo, 2, "PullRequest", to="staging").code == 3

    def test_command_is_found_on_windows(self, repo):
        home = repo.parent / "temp" / "wheelrelay"
        (home / "bin").rename(home / "Scripts")
        assert self.run(repo, to="staging").code == 0

    def test_receipt_is_kept_if_it_exists(self, repo):
        *_, keep = azure_steps(CI / "azure" / "push.yml")
        assert keep.condition == "always()"
        env = {"AGENT_TEMPDIRECTORY": str(repo.parent / "temp"), "SYSTEM_JOBID": "7"}
        assert keep.run(repo, {}, env).out == ""
        self.run(repo, to="staging")
        said = keep.run(repo, {}, env).out
        path = re.fullmatch(r"##vso\[artifact.upload artifactname=wheelrelay-receipt-7\](.*)\n", said)[1]
        assert json.loads(Path(path).read_text())["complete"]

    def test_unset_azure_secret_is_missing(self, repo):
        ended = self.run(repo, to="locked")
        assert ended.code == 0
        assert "credentials are missing" in ended.err

    @pytest.mark.long
    @pytest.mark.parametrize("name", ["to", "paths"])
    def test_parameter_cannot_inject_commands(self, repo, name):
        assert self.run(repo, **{"to": "staging", name: TAKEN_OVER}).code != 0
        assert not list(repo.rglob("taken-over"))


PLAIN = {
    "travis.yml": (
        travis_steps,
        "after_success",
        {"TRAVIS": "true", "TRAVIS_COMMIT": "1f2e3d", "TRAVIS_PULL_REQUEST": "false"},
    ),
    "appveyor.yml": (appveyor_steps, "deploy_script", {"APPVEYOR": "True"}),
    "circleci.yml": (circleci_steps, "push/Push", {"CIRCLECI": "true"}),
    "buildkite.yml": (buildkite_steps, "push", {"BUILDKITE": "true", "BUILDKITE_RETRY_COUNT": "0"}),
    "Jenkinsfile": (jenkins_steps, "sh 1", {"JENKINS_URL": "https://ci.example.org/"}),
}


def run_plain(repo, name, **variables):
    """The pushing part of a plain script; what is installed is there already."""
    read, part, env = PLAIN[name]
    (step,) = (step for step in read(CI / name) if step.name == part)
    kept = [
        line for line in step.script.splitlines() if not re.search(r"-m (venv|pip)\b|^buildkite-agent", line)
    ]
    plain = Step(step.name, "\n".join(kept), step.env, step.shell, step.fill)
    return plain.run(repo, {"parameters.to": "staging"}, {**env, **variables})


@pytest.mark.parametrize("name", PLAIN)
def test_script_pushes_and_refuses_conflicts(repo, name):
    ended = run_plain(repo, name)
    assert ended.code == 0, ended.err
    assert (repo / "staging" / WHEEL).is_file()
    assert json.loads((repo / "wheelrelay-receipt.json").read_text())["complete"]
    make_wheel(repo / "dist", payload=b"built again")
    assert run_plain(repo, name).code != 0


@pytest.mark.long
@pytest.mark.parametrize("name", [name for name in PLAIN if name != "Jenkinsfile"])
def test_script_succeeds_for_forks(repo, name):
    config = repo / "wheelrelay.toml"
    config.write_text(
        config.read_text()
        .replace("remotes.staging", "remotes.x")
        .replace("remotes.locked", "remotes.staging")
    )
    assert run_plain(repo, name).code == 0


@pytest.mark.parametrize(
    ("name", "variables"),
    [("travis.yml", {"TRAVIS_PULL_REQUEST": "7"}), ("appveyor.yml", {"APPVEYOR_PULL_REQUEST_NUMBER": "7"})],
)
def test_pull_request_pushes_nothing(repo, name, variables):
    assert run_plain(repo, name, **variables).code == 0
    assert not (repo / "staging").exists()


def test_appveyor_keeps_the_receipt(repo):
    (document,) = documents(CI / "appveyor.yml")
    assert "artifacts" not in document
    assert [one["sh"] for one in document["on_finish"]] == [
        "if [ -f wheelrelay-receipt.json ]; then appveyor PushArtifact wheelrelay-receipt.json; fi"
    ]


def test_buildkite_retry_replaces_files(repo):
    run_plain(repo, "buildkite.yml")
    make_wheel(repo / "dist", payload=b"built again")
    assert run_plain(repo, "buildkite.yml", BUILDKITE_RETRY_COUNT="1").code == 0


@pytest.fixture(scope="session")
def seaweed(request):
    return shared(request, run_seaweed)


@pytest.mark.long
def test_matrix_jobs_push_in_parallel_and_one_is_rerun(repo, tmp_path, seaweed):
    bucket = seaweed.new_bucket()
    remote = (
        f'[remotes.staging]\ntype = "s3"\nbucket = "{bucket}"\nendpoint_url = "{seaweed.url}"\n'
        'region = "us-east-1"\naccess_key_id = { env = "STAGING_KEY" }\n'
        'secret_access_key = { env = "STAGING_SECRET" }\n'
    )
    keys = {"STAGING_KEY": seaweed.access_key_id, "STAGING_SECRET": seaweed.secret_access_key}
    running = []
    for minor in range(10, 14):
        job = tmp_path / f"job-{minor}" / "repo"
        make_wheel(job / "dist", "sample", "1.0", f"cp3{minor}-cp3{minor}-manylinux_2_17_x86_64")
        (job / "wheelrelay.toml").write_text(remote)
        (job.parent / "temp").mkdir()
        step, values, env = github(job, "push", to="staging")
        running.append((job, step.start(job, values, {**env, **keys})))
    for _, process in running:
        out, err = process.communicate(timeout=100)
        assert process.returncode == 0, out + err
    again = running[0][0]
    make_wheel(again / "dist", "sample", "1.0", "cp310-cp310-manylinux_2_17_x86_64", payload=b"built again")
    for attempt, code in ((1, 3), (2, 0)):
        step, values, env = github(again, "push", attempt, to="staging")
        assert step.run(again, values, {**env, **keys}).code == code
    there = {one["Key"] for one in seaweed.client().list_objects_v2(Bucket=bucket)["Contents"]}
    assert len([key for key in there if key.endswith(".whl")]) == 4
    page = seaweed.client().get_object(Bucket=bucket, Key="simple/sample/index.json")["Body"].read()
    assert len(json.loads(page)["files"]) == 4
