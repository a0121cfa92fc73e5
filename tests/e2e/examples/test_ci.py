"""The steps for CI: their files are valid, and their shell does what they say, whatever it is given."""

import json
import os
import re
import shutil
import sys
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.e2e.examples.schemas import violations
from tests.e2e.examples.steps import (
    Ended,
    Step,
    appveyor_steps,
    azure_steps,
    buildkite_steps,
    circleci_steps,
    documents,
    github_steps,
    gitlab_steps,
    jenkins_steps,
    travis_steps,
)
from tests.servers.process import script
from tests.servers.seaweed import Seaweed, run_seaweed
from tests.servers.shared import shared

from wheelrelay import __version__
from wheelrelay.testing.samples import make_wheel

CI = Path(__file__).parents[3] / "examples" / "ci"
BIN = str(Path(script("wheelrelay")).parent)
FILES = {
    "github/push/action.yml": "github-actions",
    "github/relay/action.yml": "github-actions",
    "github/wheels.yml": "github-workflows",
    "github/release.yml": "github-workflows",
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


@pytest.mark.parametrize("name", FILES)
def test_a_file_keeps_to_the_published_schema(name: str, tmp_path: Path) -> None:
    assert violations(CI / name, FILES[name], tmp_path) == ""


def test_no_file_is_left_out() -> None:
    assert {path.relative_to(CI).as_posix() for path in CI.rglob("*.yml")} == set(FILES)


def test_versions_are_pinned_to_this_one() -> None:
    texts = [path.read_text(encoding="utf-8") for path in CI.rglob("*") if path.is_file()]
    pins = re.findall(r"\bwheelrelay(?:-s3)?==([\w.]+)", "\n".join(texts))
    assert set(pins) == {__version__}


def test_only_the_release_may_ask_for_an_identity() -> None:
    (wheels,), (release,) = documents(CI / "github/wheels.yml"), documents(CI / "github/release.yml")
    assert wheels["permissions"] == release["permissions"] == {}
    assert {str(job["permissions"]) for job in wheels["jobs"].values()} == {str({"contents": "read"})}
    assert release["jobs"]["release"]["permissions"] == {"contents": "read", "id-token": "write"}


def test_inputs_of_actions_are_documented_and_outputs_come_from_the_command() -> None:
    for name in ("push", "relay"):
        (action,) = documents(CI / "github" / name / "action.yml")
        assert all(told["description"] for told in action["inputs"].values())
        values = {output: told["value"] for output, told in action["outputs"].items()}
        assert values == {one: f"${{{{ steps.{name}.outputs.{one} }}}}" for one in values}
        assert set(values) == {"receipt", "published", "address"}


def test_no_script_holds_an_expression() -> None:
    found = [
        step
        for name, read in (
            *((f"github/{name}/action.yml", github_steps) for name in ("push", "relay")),
            *((f"gitlab/templates/{name}.yml", gitlab_steps) for name in ("push", "relay")),
            ("azure/push.yml", azure_steps),
            ("circleci.yml", circleci_steps),
        )
        for step in read(CI / name)
    ]
    assert len(found) >= 10
    assert [step.name for step in found if re.search(r"\$\{\{|\$\[\[|<<\s*parameters", step.script)] == []


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with a wheel in ``dist``, and a container in a directory; what is installed is there."""
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
    """The main step of an action, the values that GitHub puts in, and the variables that it sets."""
    path = CI / "github" / action / "action.yml"
    (told,) = documents(path)
    usual = {name: one.get("default", "") for name, one in told["inputs"].items()}
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


def run_github(repo: Path, action: str, attempt: int = 1, **inputs: str) -> Ended:
    step, values, env = github(repo, action, attempt, **inputs)
    return step.run(repo, values, env)


class TestGitHub:
    def test_what_was_built_is_pushed_and_relayed(self, repo: Path) -> None:
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

    def test_the_first_attempt_replaces_nothing_and_the_next_one_does(self, repo: Path) -> None:
        assert run_github(repo, "push", to="staging").code == 0
        make_wheel(repo / "dist", payload=b"built again")
        assert run_github(repo, "push", to="staging").code == 3
        assert run_github(repo, "push", attempt=2, to="staging", replace="never").code == 3
        assert run_github(repo, "push", attempt=2, to="staging").code == 0
        assert (repo / "staging" / WHEEL).read_bytes() == (repo / "dist" / WHEEL).read_bytes()

    def test_no_attempt_of_a_pull_request_replaces_anything_on_its_own(self, repo: Path) -> None:
        assert run_github(repo, "push", to="staging").code == 0
        make_wheel(repo / "dist", payload=b"built again")
        step, values, env = github(repo, "push", attempt=2, to="staging")
        for event in ("pull_request", "pull_request_target"):
            assert step.run(repo, values, {**env, "GITHUB_EVENT_NAME": event}).code == 3
        assert step.run(repo, values, {**env, "GITHUB_EVENT_NAME": "push"}).code == 0

    def test_a_fork_without_secrets_passes_unless_that_is_not_wanted(self, repo: Path) -> None:
        ended = run_github(repo, "push", to="locked")
        assert ended.code == 0
        assert "::notice " in ended.err
        assert run_github(repo, "push", to="locked", skip_if_no_credentials="false").code == 2

    @pytest.mark.parametrize("name", ["paths", "to", "config", "replace", "skip_if_no_credentials"])
    def test_no_input_of_push_takes_the_script_over(self, repo: Path, name: str) -> None:
        assert run_github(repo, "push", **{"to": "staging", name: TAKEN_OVER}).code != 0
        assert not list(repo.rglob("taken-over"))

    @pytest.mark.long
    @pytest.mark.parametrize("name", ["route", "requirements", "config", "wait", "dry_run"])
    def test_no_input_of_relay_takes_the_script_over(self, repo: Path, name: str) -> None:
        run_github(repo, "push", to="staging")
        assert run_github(repo, "relay", **{"route": "release", name: TAKEN_OVER}).code != 0
        assert not list(repo.rglob("taken-over"))

    def test_a_path_is_never_an_option(self, repo: Path) -> None:
        ended = run_github(repo, "push", to="staging", paths="--replace")
        assert ended.code != 0
        assert "The file or directory --replace does not exist" in ended.err

    @pytest.mark.long
    @pytest.mark.timeout(300)
    def test_what_is_installed_is_what_the_input_says(self, repo: Path) -> None:
        shutil.rmtree(repo.parent / "temp")
        (repo.parent / "temp").mkdir()
        step, values, env = github(repo, "push", install=str(Path(__file__).parents[3]))
        install = github_steps(CI / "github" / "push" / "action.yml")[0]
        ended = install.run(repo, values, env, timeout=250)
        assert ended.code == 0, ended.err
        told = (repo.parent / "temp" / "outputs").read_text().strip()
        values |= {"steps.install.outputs.bin": told.removeprefix("bin="), "inputs.to": "staging"}
        assert step.run(repo, values, env).code == 0


class TestGitLab:
    def run(self, repo: Path, name: str, env: Mapping[str, str] | None = None, **inputs: str) -> Ended:
        (job,) = gitlab_steps(CI / "gitlab" / "templates" / f"{name}.yml")
        main = "\n".join(
            line for line in job.script.splitlines() if "python" not in line and "INSTALL" not in line
        )
        values = {f"inputs.{key.replace('_', '-')}": value for key, value in inputs.items()}
        return Step(job.name, main, job.env, job.shell, job.fill).run(
            repo, values, {"GITLAB_CI": "true", "RELAY_ID_TOKEN": "", **(env or {})}
        )

    def test_what_was_built_is_pushed_and_relayed(self, repo: Path) -> None:
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
    def test_the_identity_is_found_whatever_its_audience(self, repo: Path, audience: str) -> None:
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

    def test_a_fork_without_secrets_passes(self, repo: Path) -> None:
        assert self.run(repo, "push", to="locked").code == 0
        assert self.run(repo, "push", to="locked", skip_if_no_credentials="false").code == 2

    @pytest.mark.long
    @pytest.mark.parametrize("name", ["to", "paths", "replace", "skip_if_no_credentials"])
    def test_no_input_takes_the_script_over(self, repo: Path, name: str) -> None:
        self.run(repo, "push", **{"to": "staging", name: TAKEN_OVER})
        assert not list(repo.rglob("taken-over"))


class TestAzure:
    def run(self, repo: Path, attempt: int = 1, reason: str = "Manual", **parameters: str) -> Ended:
        values = {f"parameters.{name}": told for name, told in {"paths": "dist", **parameters}.items()}
        temp = str(repo.parent / "temp")
        env = {"TF_BUILD": "True", "AGENT_TEMPDIRECTORY": temp, "SYSTEM_JOBATTEMPT": str(attempt)}
        env["BUILD_REASON"] = reason
        env["SECRET"] = "$(SECRET)"  # as Azure leaves it where there is none
        (step,) = (one for one in azure_steps(CI / "azure" / "push.yml") if one.name == "Push")
        return step.run(repo, {**values, "insert": "", "parameters.secrets": ""}, env)

    def test_attempts_after_the_first_one_replace(self, repo: Path) -> None:
        assert self.run(repo, to="staging").code == 0
        make_wheel(repo / "dist", payload=b"built again")
        assert self.run(repo, to="staging").code == 3
        ended = self.run(repo, 2, to="staging")
        assert ended.code == 0
        assert "##vso[task.setvariable variable=published;isOutput=true]1" in ended.err

    def test_no_attempt_of_a_pull_request_replaces_anything(self, repo: Path) -> None:
        assert self.run(repo, to="staging").code == 0
        make_wheel(repo / "dist", payload=b"built again")
        assert self.run(repo, 2, "PullRequest", to="staging").code == 3

    def test_the_command_is_found_in_an_environment_of_windows_too(self, repo: Path) -> None:
        home = repo.parent / "temp" / "wheelrelay"
        (home / "bin").rename(home / "Scripts")
        assert self.run(repo, to="staging").code == 0

    def test_the_receipt_is_kept_if_there_is_one(self, repo: Path) -> None:
        *_, keep = azure_steps(CI / "azure" / "push.yml")
        assert keep.condition == "always()"
        env = {"AGENT_TEMPDIRECTORY": str(repo.parent / "temp"), "SYSTEM_JOBID": "7"}
        assert keep.run(repo, {}, env).out == ""
        self.run(repo, to="staging")
        said = keep.run(repo, {}, env).out
        path = re.fullmatch(r"##vso\[artifact.upload artifactname=wheelrelay-receipt-7\](.*)\n", said)[1]
        assert json.loads(Path(path).read_text())["complete"]

    def test_a_secret_that_azure_did_not_put_in_is_none(self, repo: Path) -> None:
        ended = self.run(repo, to="locked")
        assert ended.code == 0
        assert "credentials are missing" in ended.err

    @pytest.mark.long
    @pytest.mark.parametrize("name", ["to", "paths"])
    def test_no_parameter_takes_the_script_over(self, repo: Path, name: str) -> None:
        assert self.run(repo, **{"to": "staging", name: TAKEN_OVER}).code != 0
        assert not list(repo.rglob("taken-over"))


PLAIN: dict[str, tuple[Callable[[Path], list[Step]], str, dict[str, str]]] = {
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


def run_plain(repo: Path, name: str, **variables: str) -> Ended:
    """The pushing part of a plain script; what is installed is there already."""
    read, part, env = PLAIN[name]
    (step,) = (step for step in read(CI / name) if step.name == part)
    kept = [
        line for line in step.script.splitlines() if not re.search(r"-m (venv|pip)\b|^buildkite-agent", line)
    ]
    plain = Step(step.name, "\n".join(kept), step.env, step.shell, step.fill)
    return plain.run(repo, {"parameters.to": "staging"}, {**env, **variables})


@pytest.mark.parametrize("name", PLAIN)
def test_a_plain_script_pushes_and_refuses_other_bytes(repo: Path, name: str) -> None:
    ended = run_plain(repo, name)
    assert ended.code == 0, ended.err
    assert (repo / "staging" / WHEEL).is_file()
    assert json.loads((repo / "wheelrelay-receipt.json").read_text())["complete"]
    make_wheel(repo / "dist", payload=b"built again")
    assert run_plain(repo, name).code != 0


@pytest.mark.long
@pytest.mark.parametrize("name", [name for name in PLAIN if name != "Jenkinsfile"])
def test_a_plain_script_lets_forks_pass(repo: Path, name: str) -> None:
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
def test_a_pull_request_pushes_nothing(repo: Path, name: str, variables: dict[str, str]) -> None:
    assert run_plain(repo, name, **variables).code == 0
    assert not (repo / "staging").exists()


def test_appveyor_keeps_a_receipt_that_is_written_after_it_has_collected_artifacts(repo: Path) -> None:
    (document,) = documents(CI / "appveyor.yml")
    assert "artifacts" not in document
    assert [one["sh"] for one in document["on_finish"]] == [
        "if [ -f wheelrelay-receipt.json ]; then appveyor PushArtifact wheelrelay-receipt.json; fi"
    ]


def test_a_retry_of_buildkite_replaces(repo: Path) -> None:
    run_plain(repo, "buildkite.yml")
    make_wheel(repo / "dist", payload=b"built again")
    assert run_plain(repo, "buildkite.yml", BUILDKITE_RETRY_COUNT="1").code == 0


@pytest.fixture(scope="session")
def seaweed(request: pytest.FixtureRequest) -> Seaweed:
    return shared(request, run_seaweed)


@pytest.mark.long
def test_jobs_of_a_matrix_push_at_once_into_one_bucket_and_one_is_run_again(
    repo: Path, tmp_path: Path, seaweed: Seaweed
) -> None:
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
