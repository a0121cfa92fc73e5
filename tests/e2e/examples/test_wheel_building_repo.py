"""The repository that builds wheels: its history, its choice of a commit, and all of it for real."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from zipfile import ZipFile

import pytest
from tests.e2e.examples.wheel_building import COMMITS, LATEST, ROOT, copied


def checkout(repo, **variables):
    command = [sys.executable, "tools/checkout.py"]
    return subprocess.run(
        command, cwd=repo, env={**os.environ, **variables}, capture_output=True, text=True, check=False
    )


def git(folder, *arguments):
    who = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.org"]
    command = ["git", *who, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


class TestHistory:
    def test_commit_hashes_are_reproducible(self, repo):
        made = repo / "made"
        script = [sys.executable, "upstream/make_history.py", str(made)]
        surroundings = {
            "GIT_AUTHOR_NAME": "Else",
            "GIT_COMMITTER_DATE": "2001-01-01T00:00:00",
            "TZ": "Asia/Tokyo",
        }
        subprocess.run(script, cwd=repo, env={**os.environ, **surroundings}, check=True)
        refs = git(made, "for-each-ref", "--format=%(refname:short) %(objectname)").splitlines()
        assert dict(line.split() for line in refs) == COMMITS
        assert git(made, "status", "--porcelain") == ""

    def test_each_commit_has_another_version(self, repo):
        checkout(repo)
        files = {name: git(repo / "build/upstream", "show", f"{name}:pyproject.toml") for name in COMMITS}
        assert {name: tomllib.loads(text)["project"]["version"] for name, text in files.items()} == {
            "v1.0.0": "1.0.0",
            "v1.1.0": "1.1.0",
            "main": "1.2.0.dev0",
            "1.0.x": "1.0.1.dev0",
        }


class TestBuildCommit:
    @pytest.mark.parametrize(
        ("named", "commit"), [*COMMITS.items(), (COMMITS["main"], COMMITS["main"]), (LATEST[:7], LATEST)]
    )
    def test_can_be_a_tag_a_branch_or_a_hash(self, repo, named, commit):
        done = checkout(repo, BUILD_COMMIT=named)
        assert done.returncode == 0, done.stderr
        assert f"at {named}, commit {commit}" in done.stdout
        assert (repo / "build/commit").read_text().strip() == commit
        assert git(repo / "build/source", "rev-parse", "HEAD") == commit

    @pytest.mark.parametrize("blank", ["", " "])
    def test_defaults_to_the_latest_final_release(self, repo, blank):
        checkout(repo)
        upstream = repo.parent / "upstream"
        (repo / "build/upstream").rename(upstream)
        for tag in ("v1.10.0rc1", "v1.9.0", "v1.10.0", "v2.0.0a1", "nightly"):
            git(upstream, "commit", "--quiet", "--allow-empty", "--message", tag)
            git(upstream, "tag", tag)
        done = checkout(repo, REPOSITORY=str(upstream), BUILD_COMMIT=blank)
        assert "at v1.10.0," in done.stdout

    def test_can_be_set_in_build_env(self, repo):
        settings = repo / "build.env"
        settings.write_text(settings.read_text().replace("BUILD_COMMIT=", "BUILD_COMMIT=1.0.x"))
        assert COMMITS["1.0.x"] in checkout(repo).stdout
        assert COMMITS["main"] in checkout(repo, BUILD_COMMIT="main").stdout

    @pytest.mark.parametrize("named", ["v9.9.9", "deadbeef", "a42", "--help", "two words", "main^", "HEAD"])
    def test_unknown_name_fails_the_build(self, repo, named):
        checkout(repo)
        done = checkout(repo, BUILD_COMMIT=named)
        assert done.returncode == 1
        assert (
            f"BUILD_COMMIT={named}: skyclock has no branch, no tag and no commit of that name." in done.stderr
        )
        assert "Its branches: 1.0.x, main\nIts tags: v1.0.0, v1.1.0\n" in done.stderr
        assert not (repo / "build/commit").exists()

    def test_ambiguous_name_fails_the_build(self, repo):
        checkout(repo)
        upstream = repo.parent / "upstream"
        (repo / "build/upstream").rename(upstream)
        git(upstream, "tag", "1.0.x", "main")
        done = checkout(repo, REPOSITORY=str(upstream), BUILD_COMMIT="1.0.x")
        assert done.returncode == 1
        assert "BUILD_COMMIT=1.0.x is a tag and a branch of skyclock; use its hash instead." in done.stderr

    def test_project_without_releases_is_reported(self, repo, tmp_path):
        upstream = tmp_path / "upstream"
        upstream.mkdir()
        git(upstream, "init", "--quiet", "--initial-branch=main")
        git(upstream, "commit", "--quiet", "--allow-empty", "--message", "Begin")
        done = checkout(repo, REPOSITORY=str(upstream))
        assert (done.returncode, "has no tag of a release, such as v1.0.0" in done.stderr) == (1, True)

    def test_missing_repository_is_reported(self, repo):
        done = checkout(repo, REPOSITORY="./nowhere")
        assert done.returncode == 1
        assert "git clone failed" in done.stderr
        assert "nowhere" in done.stderr


@pytest.fixture(scope="module")
def workshop(tmp_path_factory):
    """One copy of the example for all builds, so that its environment is made once."""
    return copied(tmp_path_factory.mktemp("workshop"))


def make(repo, *words):
    command = ["make", *words, f"WHEELRELAY={ROOT}", f"PYTHON={sys.executable}"]
    return subprocess.run(command, cwd=repo, capture_output=True, text=True, check=False)


def running_in(folder):
    """The command lines of the processes that have to do with a folder."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return [line for line in lines if str(folder) in line]


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.skipif(sys.platform != "linux", reason="Swift runs on Linux")
@pytest.mark.parametrize(
    ("named", "commit", "version"),
    [
        pytest.param("", LATEST, "1.1.0", id="the latest tag"),
        pytest.param("v1.0.0", COMMITS["v1.0.0"], "1.0.0", id="a tag"),
        pytest.param("1.0.x", COMMITS["1.0.x"], "1.0.1.dev0", id="a branch"),
        pytest.param(COMMITS["main"][:10], COMMITS["main"], "1.2.0.dev0", id="a hash"),
    ],
)
def test_make_builds_and_pushes_a_commit(workshop, named, commit, version):
    done = make(workshop, f"BUILD_COMMIT={named}")
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-6000:]
    wheel, sdist = sorted(path.name for path in (workshop / "dist").iterdir())
    python = "cp{}{}".format(*sys.version_info)
    assert re.fullmatch(rf"skyclock-{version}-{python}-{python}-manylinux[\w.]+\.whl", wheel)
    assert sdist == f"skyclock-{version}.tar.gz"
    with ZipFile(workshop / "dist" / wheel) as archive:
        libraries = [name for name in archive.namelist() if name.startswith("skyclock.libs/libskytime-")]
    assert len(libraries) == 1
    assert f"{wheel} contains {libraries[0]}" in done.stdout
    assert re.search(rf"{re.escape(wheel)}\s+is\s+consistent", done.stdout)
    assert f"skyclock=={version}, built from {commit}, is published and tested." in done.stdout
    receipt = json.loads((workshop / "build" / "receipt.json").read_text())
    assert {file["filename"] for file in receipt["files"]} == {wheel, sdist}
    assert not {"source", "prefix", "library", "unrepaired"} & {
        path.name for path in (workshop / "build").iterdir()
    }
    assert running_in(workshop) == []


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.skipif(sys.platform != "linux", reason="wheels are repaired in another way elsewhere")
def test_builds_of_one_commit_are_reproducible(workshop):
    def built():
        done = make(workshop, "wheel", "BUILD_COMMIT=main")
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-6000:]
        return {path.name: path.read_bytes() for path in (workshop / "dist").iterdir()}

    first = built()
    assert len(first) == 2
    assert first == built()


def test_make_reports_missing_programs(repo):
    done = subprocess.run(["make"], cwd=repo, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "No checkout of wheelrelay at ../..; set its path: make WHEELRELAY=/path/to/it" in done.stderr
