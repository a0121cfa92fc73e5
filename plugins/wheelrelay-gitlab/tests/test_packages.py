"""Uploads to generic packages: conflicts, races, duplicates, redirects and tokens."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.servers.gitlab_packages import JOB_TOKEN, PROJECT, TOKEN, run_gitlab_packages

import wheelrelay
from wheelrelay.config import Remote, as_remote
from wheelrelay.config.remote_types import make_config
from wheelrelay.errors import (
    AlreadyExists,
    AuthenticationFailed,
    ConfigError,
    MissingSecret,
    NotFound,
    Rejected,
    Unavailable,
)
from wheelrelay.testing import make_sdist, make_wheel, stage_path
from wheelrelay_gitlab.config import GitLabPackagesConfig

WHEEL = "sample-1.0-py3-none-any.whl"


def staged(folder, payload=b"x = 1\n"):
    return stage_path(make_wheel(folder, "sample", "1.0", payload=payload))


def contents(gitlab):
    return {file.name: file.content for file in gitlab.files}


def test_taken_name_with_other_bytes_is_a_conflict(gitlab, store, tmp_path):
    gitlab.add("sample", "1.0", WHEEL, b"other")
    with pytest.raises(AlreadyExists, match="with other bytes"):
        store.put(staged(tmp_path))
    assert contents(gitlab) == {WHEEL: b"other"}


@pytest.mark.parametrize("allows", [True, False])
def test_exactly_one_of_two_writers_wins(gitlab, config, tmp_path, allows):
    gitlab.allows_duplicates = allows
    rivals = [staged(tmp_path / str(number), payload=f"x = {number}\n".encode()) for number in range(4)]

    def put(file):
        with config.open() as store:
            try:
                store.put(file)
            except AlreadyExists:
                return False
        return True

    with ThreadPoolExecutor(4) as pool:
        won = list(pool.map(put, rivals))
    assert sorted(won) == [False, False, False, True]
    assert contents(gitlab) == {WHEEL: rivals[won.index(True)].path.read_bytes()}
    assert len(gitlab.files) == 1


def test_file_that_another_job_uploaded_meanwhile_stays_and_ours_is_deleted(gitlab, store, tmp_path):
    file = staged(tmp_path)
    answer = gitlab._upload

    def upload(name, version, filename, *rest):
        gitlab.add(name, version, filename, b"theirs")
        return answer(name, version, filename, *rest)

    gitlab._upload = upload
    with pytest.raises(AlreadyExists):
        store.put(file)
    assert contents(gitlab) == {WHEEL: b"theirs"}


def test_replacing_leaves_one_file(gitlab, store, tmp_path):
    store.put(staged(tmp_path / "old"))
    for allows in (True, False):
        gitlab.allows_duplicates = allows
        new = staged(tmp_path / str(allows), payload=f"new = {allows}\n".encode())
        store.replace(new)
        assert contents(gitlab) == {WHEEL: new.path.read_bytes()}
        assert len(gitlab.files) == 1


def test_lists_are_read_to_their_end(gitlab, store):
    gitlab.page_size = 2
    for number in range(5):
        gitlab.add("sample", f"1.{number}", f"sample-1.{number}-py3-none-any.whl", b"x")
        gitlab.add("sample", "2.0", f"sample-2.0-{number}-py3-none-any.whl", b"x")
    assert len(list(store.inventory("sample"))) == 10


def test_packages_of_similar_names_are_not_listed(gitlab, store):
    gitlab.add("sample-extra", "1.0", "sample_extra-1.0-py3-none-any.whl", b"x")
    gitlab.add("sample", "1.0", "notes.txt", b"x")
    assert list(store.inventory("sample")) == []
    assert [file.project for file in store.iter_files(None)] == ["sample-extra"]


def test_storage_gets_no_token(gitlab, store, tmp_path):
    file = staged(tmp_path)
    store.put(file)
    with run_gitlab_packages() as storage:
        storage.files = gitlab.files
        gitlab.storage = storage.url
        [listed] = store.iter_files("sample")
        with store.open(listed) as stream:
            assert stream.read(1 << 20) == file.path.read_bytes()
        [request] = storage.requests
        assert not {"private-token", "job-token", "authorization"} & set(request.headers)


def test_failure_of_gitlab_can_be_retried(gitlab, store, tmp_path):
    gitlab.fails = 1
    file = staged(tmp_path)
    with pytest.raises(Unavailable):
        store.put(file)
    store.put(file)
    assert gitlab.names() == [WHEEL]


def test_name_that_gitlab_does_not_accept_is_refused(gitlab, store, tmp_path):
    with pytest.raises(Rejected, match="GitLab does not accept the name"):
        store.put(stage_path(make_wheel(tmp_path, "sample", "1!2.0")))
    assert gitlab.files == []


def test_relay_to_packages_and_back(gitlab, config, tmp_path):
    make_wheel(tmp_path / "dist", "sample", "1.0")
    make_sdist(tmp_path / "dist", "sample", "1.0")
    remote = Remote("registry", config)
    for _ in range(2):
        route = wheelrelay.Route(source=str(tmp_path / "dist"), sinks=[remote])
        assert wheelrelay.relay(route).is_complete
    assert gitlab.names() == ["sample-1.0-py3-none-any.whl", "sample-1.0.tar.gz"]
    back = wheelrelay.relay(wheelrelay.Route(source=remote, sinks=[str(tmp_path / "back")]))
    assert back.is_complete


class TestTokens:
    def test_job_of_the_same_server_needs_no_configuration(self, gitlab, monkeypatch, tmp_path):
        monkeypatch.setenv("CI_API_V4_URL", gitlab.api_url)
        monkeypatch.setenv("CI_JOB_TOKEN", JOB_TOKEN)
        with as_remote(f"gitlab-packages://{PROJECT}").open() as store:
            store.put(staged(tmp_path))
        assert {request.headers.get("job-token") for request in gitlab.requests} == {JOB_TOKEN}

    def test_token_of_a_job_is_not_sent_to_another_server(self, gitlab, monkeypatch):
        monkeypatch.setenv("CI_API_V4_URL", "https://gitlab.example.org/api/v4")
        monkeypatch.setenv("CI_JOB_TOKEN", JOB_TOKEN)
        with GitLabPackagesConfig(project=PROJECT, api_url=gitlab.api_url).open() as store:
            with pytest.raises(MissingSecret, match="no GitLab token"):
                store.make_ready()
            with pytest.raises(AuthenticationFailed):
                list(store.iter_files(None))
        assert "job-token" not in gitlab.requests[0].headers

    def test_variable_of_a_user(self, gitlab, monkeypatch):
        monkeypatch.setenv("GITLAB_TOKEN", TOKEN)
        with GitLabPackagesConfig(project=PROJECT, api_url=gitlab.api_url).open() as store:
            assert list(store.iter_files(None)) == []

    def test_refused_token_is_not_shown(self, gitlab, config, monkeypatch):
        monkeypatch.setenv("TOKEN_FOR_TESTS", "glpat-guessed")
        with config.open() as store, pytest.raises(AuthenticationFailed, match="scope api") as refused:
            list(store.iter_files(None))
        assert "glpat-guessed" not in str(refused.value)

    def test_unknown_project_is_not_empty(self, gitlab, config):
        other = config.model_copy(update={"project": "example/other"})
        with other.open() as store, pytest.raises(NotFound, match="Check the project"):
            list(store.iter_files(None))


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"project": "sample"}, "group/name"),
        ({"project": "a/b", "api_url": "http://gitlab.example.org/api/v4"}, "plain HTTP"),
    ],
)
def test_wrong_keys_are_refused(keys, message):
    with pytest.raises(ConfigError, match=message):
        make_config("gitlab-packages", keys, where="remotes.x")
