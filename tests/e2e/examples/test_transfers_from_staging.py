"""Releases that CI systems leave at GitHub and at anaconda.org are published as the examples describe."""

import os
from pathlib import Path

import pytest
from tests.e2e.examples.steps import github_steps
from tests.e2e.examples.transfers import TAGS, Work, addresses, s3_keys, stand_in
from tests.servers.anaconda import OWNER, run_anaconda
from tests.servers.gcs import run_fake_gcs, run_gcs
from tests.servers.github import REPOSITORY, TOKEN, run_github
from tests.servers.installers import pip_install
from tests.servers.oidc import AUDIENCE, run_trusting_index
from tests.servers.process import script
from tests.servers.pypi import run_pypi
from tests.servers.seaweed import run_seaweed
from tests.servers.shared import shared
from tests.servers.sigstore_service import run_sigstore

CI = Path(__file__).parents[3] / "examples" / "ci" / "github"
PLATFORMS = (
    *("manylinux_2_28_x86_64", "manylinux_2_28_aarch64"),
    *("macosx_11_0_x86_64", "macosx_11_0_arm64", "win_amd64"),
)


@pytest.fixture
def work(tmp_path):
    return Work(tmp_path)


@pytest.fixture
def testpypi():
    """An index like PyPI."""
    with run_pypi() as index:
        yield index


@pytest.fixture
def github():
    """A repository on GitHub."""
    with run_github() as server:
        yield server


@pytest.fixture
def anaconda():
    """An anaconda.org."""
    with run_anaconda() as server:
        yield server


def repository(github):
    return {"repository": REPOSITORY, "api_url": github.api_url}


class TestReleaseJob:
    """The job `release` of publish.yml publishes the artifacts of the same run, with attestations."""

    @pytest.fixture
    def job(self, work, github, tmp_path, monkeypatch):
        """Return what runs the last step of the job, with two indexes that trust its workflow."""
        (folder := tmp_path / "sigstore").mkdir()
        monkeypatch.setenv("PATH", f"{Path(script('wheelrelay')).parent}{os.pathsep}{os.environ['PATH']}")
        with run_trusting_index() as pypi, run_trusting_index() as testpypi, run_sigstore() as sigstore:
            for index in (pypi, testpypi):
                index.publisher = index.repository = REPOSITORY
                index.trust_root = sigstore.sigstore.write_trust_root(folder)
            testpypi.trust_jobs_of(pypi)
            trust = {"trusted_publishing": True, "audience": AUDIENCE}
            changes = {"remotes.artifacts": repository(github)}
            for name, index in (("pypi", pypi), ("testpypi", testpypi)):
                changes[f"remotes.local-{name}"] = {**stand_in(index), **trust}
            work.configure("artifacts_to_testpypi_then_pypi.toml", changes)
            step = github_steps(CI / "publish.yml")[-1]
            env = {**pypi.github(), "GITHUB_RUN_ID": "1", "GITHUB_API_URL": github.api_url}
            env |= sigstore.job_environment(folder)
            self.pypi, self.testpypi, self.sigstore = pypi, testpypi, sigstore
            yield lambda: step.run(work.folder, {"github.token": TOKEN}, env)

    def add_artifacts(self, github, work, names):
        run = github.add_run()
        assert run.id == 1
        for name in names:
            github.add_artifact(run, f"of-{name[:40]}", {name: (work.dist / name).read_bytes()})

    def test_publishes_all_artifacts_with_attestations(self, job, github, work):
        release = work.build(*TAGS)
        self.add_artifacts(github, work, release)
        ended = job()
        assert ended.code == 0, ended.err
        assert sorted(self.testpypi.sent()) == sorted(self.pypi.sent()) == release
        predicates = ["https://docs.pypi.org/attestations/publish/v1"]
        assert self.pypi.attested == self.testpypi.attested == dict.fromkeys(release, predicates)
        assert sorted(self.sigstore.signed) == release
        assert job().code == 0
        assert len(self.pypi.uploads) == len(release)

    @pytest.mark.long
    def test_publishes_nothing_if_an_artifact_is_missing(self, job, github, work):
        self.add_artifacts(github, work, work.build(*TAGS)[1:])
        ended = job()
        assert ended.code == 3
        assert "is missing" in ended.err
        assert self.testpypi.sent() == self.pypi.sent() == self.sigstore.signed == []


def test_job_has_twelve_lines_and_installs_from_a_lock_file():
    text = (CI / "publish.yml").read_text()
    lines = text[text.index("  release:\n") :].splitlines()
    assert len(lines) == 12
    assert "pip install --require-hashes --only-binary :all: " in lines[-3]


@pytest.mark.long
def test_publishes_a_github_release(work, github, pypi):
    release = github.add_release("v1.0")
    names = work.build(*TAGS)
    for name in names:
        github.add_asset(release, name, (work.dist / name).read_bytes())
    github.add_asset(release, "CHANGES.txt", b"not a distribution file")
    changes = {"remotes.github": repository(github), "remotes.local-pypi": stand_in(pypi)}
    work.follow("github_release_to_pypi.toml", changes, PYPI_TOKEN=pypi.accounts["__token__"])
    assert sorted(pypi.sent()) == names


@pytest.mark.long
def test_pip_installs_from_the_mirror_of_a_github_release(work, github, request, tmp_path):
    seaweed = shared(request, run_seaweed)
    for version in ("1.0", "1.1"):
        release = github.add_release(f"v{version}")
        for name in work.build("py3-none-any", version=version):
            github.add_asset(release, name, (work.dist / name).read_bytes())
    bucket = seaweed.new_bucket(public=True)
    url = f"{seaweed.url}/{bucket}/sample/"
    place = {"bucket": bucket, "endpoint_url": seaweed.url, "region": seaweed.region, "public_url": url}
    changes = {"remotes.github": repository(github), "remotes.wheels": place}
    for _ in range(2):
        work.follow("github_release_to_bucket.toml", changes, **s3_keys(seaweed), GITHUB_TOKEN=TOKEN)
    links = ("--no-index", "--find-links", f"{url}index.html")
    assert pip_install(tmp_path / "installed", *links, "sample") == ["sample-1.1"]


@pytest.mark.long
def test_publishes_a_release_from_google_cloud_storage_to_a_private_index(work, pypiserver, request):
    release = work.build(*TAGS)
    server = shared(request, run_fake_gcs)
    with run_gcs(server) as gateway:
        gateway.token = TOKEN
        bucket = {"bucket": server.new_bucket(), "endpoint_url": gateway.url, "token": {"env": "GCS_TOKEN"}}
        company = {**addresses(pypiserver), "username": pypiserver.username}
        changes = {"remotes.builds": bucket, "remotes.company": company}
        secrets = {"GCS_TOKEN": TOKEN, "COMPANY_PASSWORD": pypiserver.password}
        work.follow("gcs_to_private_index.toml", changes, **secrets)
    assert sorted(path.name for path in pypiserver.folder.iterdir()) == release


def stage(work, anaconda, project, version, pythons):
    """Stage a release on anaconda.org, next to files of another project and of another version."""
    tags = [f"{python}-{python}-{platform}" for python in pythons for platform in PLATFORMS]
    names = work.build(*tags, project=project, version=version)
    for name in names:
        anaconda.add(project, version, name, (work.dist / name).read_bytes())
    anaconda.add(project, "0.1", f"{project.replace('-', '_')}-0.1-py3-none-any.whl", b"old")
    anaconda.add("other", version, f"other-{version}-py3-none-any.whl", b"other")
    return names


@pytest.mark.long
@pytest.mark.parametrize(
    ("example", "project", "version"),
    [("scikit_learn.toml", "scikit-learn", "1.7.0"), ("pandas.toml", "pandas", "2.3.0")],
)
def test_publishes_a_release_that_is_staged_on_anaconda(
    work, anaconda, testpypi, pypi, example, project, version
):
    names = stage(work, anaconda, project, version, ("cp311", "cp312", "cp313"))
    place = {"owner": OWNER, "api_url": anaconda.api_url, "url": anaconda.simple_url}
    changes = {"remotes.staging": place, "remotes.local-pypi": stand_in(pypi)}
    token = {"token": {"env": "PYPI_TOKEN"}}
    if example == "scikit_learn.toml":
        changes["remotes.local-pypi"] |= token
        changes["remotes.local-testpypi"] = stand_in(testpypi) | token
    work.follow(example, changes, PYPI_TOKEN=pypi.accounts["__token__"])
    assert sorted(pypi.sent()) == names
    assert sorted(testpypi.sent()) == (names if example == "scikit_learn.toml" else [])
