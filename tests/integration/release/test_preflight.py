"""A preflight reports before a build what would prevent publishing, and changes nothing."""

import pytest
from tests.servers.oidc import AUDIENCE, TOKEN, run_trusting_index

import wheelrelay
from wheelrelay import ChecksConfig, ConfigError, Expect, IndexConfig, Remote, Route, Verdict
from wheelrelay.testing import MemoryStore, make_sdist, make_wheel


@pytest.fixture
def index(monkeypatch):
    """An index with the rules of PyPI, and a token for it."""
    monkeypatch.setenv("WHEELRELAY_INDEX_TOKEN", TOKEN)
    with run_trusting_index() as running:
        yield running


@pytest.fixture
def job(index, monkeypatch):
    """The same index, without a token; this is a job that it trusts."""
    monkeypatch.delenv("WHEELRELAY_INDEX_TOKEN")
    for name, value in index.github().items():
        monkeypatch.setenv(name, value)
    return index


def remote(index, profile="pypi", **keys):
    urls = {"url": index.simple_url, "upload_url": index.upload_url}
    checks = keys.pop("checks", ChecksConfig(profile=profile))
    return Remote("index", IndexConfig(**urls, checks=checks, **keys))


def trusting(index):
    return remote(index, trusted_publishing=True, audience=AUDIENCE)


def preflight(sink, *requirements, source="./missing", expect=None, **options):
    """Return the items by their ids."""
    route = Route(source=str(source), sinks=[sink], expect=expect)
    report = wheelrelay.preflight(route, requirements, **options)
    return {item.check: item for item in report.items}


def failing(items):
    return sorted(check for check, item in items.items() if item.verdict is Verdict.FAIL)


def publish(index, folder, *versions, project="sample"):
    for version in versions:
        index.take(make_wheel(folder, project, version))
        index.take(make_sdist(folder, project, version))


def test_next_version_of_a_project_may_be_published(index, tmp_path):
    publish(index, tmp_path, "1.0")
    items = preflight(remote(index), "sample==1.1")
    assert {check: item.verdict.value for check, item in items.items()} == {
        "staging": "pass",
        "credentials": "pass",
        "clock": "pass",
        "project": "pass",
        "version": "pass",
        "status": "pass",
        "file-size": "pass",
        "project-size": "pass",
    }
    assert "the variable WHEELRELAY_INDEX_TOKEN" in items["credentials"].reason


def test_nothing_is_uploaded(index, tmp_path):
    publish(index, tmp_path, "1.0")
    before = index.digests()
    preflight(remote(index), "sample==1.1")
    preflight(remote(index), "new-project==1.1")
    assert index.digests() == before
    assert all(upload.status in (400, 403) for upload in index.uploads)


class TestCredentials:
    def test_refused_token_fails(self, index, monkeypatch):
        monkeypatch.setenv("WHEELRELAY_INDEX_TOKEN", "wrong")
        item = preflight(remote(index), "sample==1.0")["credentials"]
        assert item.verdict is Verdict.FAIL
        assert "Invalid or non-existent authentication" in item.reason
        assert "WHEELRELAY_INDEX_TOKEN" in item.hint

    def test_missing_secret_fails(self, index):
        sink = remote(index, token={"env": "NOT_SET"})
        item = preflight(sink, "sample==1.0")["credentials"]
        assert item.verdict is Verdict.FAIL
        assert "NOT_SET" in item.reason

    def test_index_that_requires_credentials_fails_without_any(self, index, monkeypatch):
        monkeypatch.delenv("WHEELRELAY_INDEX_TOKEN")
        item = preflight(remote(index), "sample==1.0")["credentials"]
        assert item.verdict is Verdict.FAIL
        assert "WHEELRELAY_INDEX_TOKEN and WHEELRELAY_INDEX_PASSWORD are not set" in item.hint

    def test_token_is_issued_and_revoked(self, job, tmp_path):
        publish(job, tmp_path, "1.0")
        item = preflight(trusting(job), "sample==1.1")["credentials"]
        assert item.verdict is Verdict.PASS
        assert "trusted publisher" in item.reason
        assert len(job.tokens) == 1
        assert job.burnt == list(job.tokens)

    def test_job_without_a_publisher_fails(self, job, tmp_path):
        publish(job, tmp_path, "1.0")
        job.publisher = "example/other"
        item = preflight(trusting(job), "sample==1.1")["credentials"]
        assert item.verdict is Verdict.FAIL
        assert "no corresponding publisher" in item.reason

    def test_no_token_is_requested_for_a_new_project(self, job):
        item = preflight(trusting(job), "sample==1.0")["credentials"]
        assert item.verdict is Verdict.UNKNOWN
        assert "pending publisher" in item.reason
        assert job.tokens == {}

    def test_attestations_need_trusted_publishing(self, index, job, monkeypatch, tmp_path):
        publish(job, tmp_path, "1.0")
        sink = remote(job, trusted_publishing=True, audience=AUDIENCE, attest=True)
        assert preflight(sink, "sample==1.1")["attestations"].verdict is Verdict.PASS
        monkeypatch.setenv("WHEELRELAY_INDEX_TOKEN", TOKEN)
        item = preflight(sink, "sample==1.1")["attestations"]
        assert item.verdict is Verdict.FAIL
        assert "only with trusted publishing" in item.reason

    def test_wrong_upload_url_fails(self, index):
        sink = Remote("index", IndexConfig(url=index.simple_url, upload_url=f"{index.url}elsewhere/"))
        item = preflight(sink, "sample==1.0")["credentials"]
        assert item.verdict is Verdict.FAIL
        assert "404" in item.reason

    def test_unavailable_index_is_unknown(self, index, web, monkeypatch):
        monkeypatch.setenv("WHEELRELAY_MAX_RETRY_WAIT", "0s")
        web.serve("/legacy/", b"", status=503)
        sink = Remote("index", IndexConfig(url=index.simple_url, upload_url=f"{web.url}legacy/"))
        item = preflight(sink, "sample==1.0")["credentials"]
        assert item.verdict is Verdict.UNKNOWN


class TestReleases:
    def test_published_version_fails(self, index, tmp_path):
        publish(index, tmp_path, "1.0")
        item = preflight(remote(index), "sample==1.0")["version"]
        assert item.verdict is Verdict.FAIL
        assert "sample-1.0-py3-none-any.whl and 1 more" in item.reason

    def test_published_files_that_are_not_expected_do_not_matter(self, index, tmp_path):
        index.take(make_wheel(tmp_path, "sample", "1.0", "cp312-cp312-win_amd64"))
        expect = Expect(wheels=["cp313-cp313-win_amd64"])
        assert preflight(remote(index), "sample==1.0", expect=expect)["version"].verdict is Verdict.PASS
        expect = Expect(wheels=["cp31{2,3}-cp31{2,3}-win_amd64"])
        assert preflight(remote(index), "sample==1.0", expect=expect)["version"].verdict is Verdict.FAIL

    def test_staged_files_are_compared_with_published_ones(self, index, tmp_path):
        publish(index, tmp_path, "1.0")
        items = preflight(remote(index), "sample==1.0", source=tmp_path, commit="abc")
        assert items["version"].verdict is Verdict.PASS
        make_wheel(tmp_path, "sample", "1.0", payload=b"other")
        items = preflight(remote(index), "sample==1.0", source=tmp_path, commit="abc")
        assert items["version"].verdict is Verdict.FAIL

    def test_staged_files_without_digests_are_unknown(self, index, tmp_path, web):
        publish(index, tmp_path, "1.0")
        page = web.serve("/dist/", '<a href="sample-1.0-py3-none-any.whl">wheel</a>')
        items = preflight(remote(index), "sample==1.0", source=f"listing+{page}")
        assert items["version"].verdict is Verdict.UNKNOWN

    def test_version_is_unknown_without_one(self, index):
        item = preflight(remote(index), "sample")["version"]
        assert item.verdict is Verdict.UNKNOWN
        assert "sample==1.0" in item.hint

    def test_release_that_is_closed_fails(self, index, tmp_path):
        index.take(make_wheel(tmp_path, "sample", "1.0", "cp312-cp312-win_amd64"))
        expect = Expect(wheels=["cp313-cp313-win_amd64"])
        items = preflight(remote(index), "sample==1.0", expect=expect)
        assert items["upload-window"].verdict is Verdict.PASS
        index.age(days=15)
        items = preflight(remote(index), "sample==1.0", expect=expect)
        assert failing(items) == ["upload-window"]

    def test_sizes_of_the_last_release_are_compared_with_the_limits(self, index, tmp_path):
        publish(index, tmp_path, "0.9", "1.0")
        used = sum(published.file.size for published in index.files.values())
        checks = ChecksConfig(profile="pypi", max_file_size=100, max_project_size=used + 9)
        items = preflight(remote(index, checks=checks), "sample==1.1")
        assert failing(items) == ["file-size", "project-size"]
        assert "The sizes are those of 1.0." in items["file-size"].reason

    def test_names_what_could_be_deleted(self, index, tmp_path):
        publish(index, tmp_path, "1.0rc1", "0.9", "1.0")
        used = sum(published.file.size for published in index.files.values())
        checks = ChecksConfig(profile="pypi", max_project_size=used + 1)
        item = preflight(remote(index, checks=checks), "sample==1.1")["project-size"]
        assert item.verdict is Verdict.FAIL
        assert "Its 1 old pre-releases have" in item.hint
        checks = ChecksConfig(profile="pypi", max_project_size=used - 1)
        item = preflight(remote(index, checks=checks), "sample==1.1")["project-size"]
        assert "set max_project_size" in item.hint

    def test_sizes_are_unknown_for_a_first_release(self, index):
        items = preflight(remote(index), "sample==1.0")
        assert items["project-size"].verdict is Verdict.UNKNOWN

    @pytest.mark.parametrize(("status", "verdict"), [("archived", "fail"), ("quarantined", "fail")])
    def test_closed_project_fails(self, index, tmp_path, status, verdict):
        publish(index, tmp_path, "1.0")
        index.statuses["sample"] = status
        assert preflight(remote(index), "sample==1.1")["status"].verdict.value == verdict

    def test_deprecated_project_passes_with_a_note(self, index, tmp_path):
        publish(index, tmp_path, "1.0")
        index.statuses["sample"] = "deprecated"
        item = preflight(remote(index), "sample==1.1")["status"]
        assert (item.verdict, "deprecated" in item.reason) == (Verdict.PASS, True)


class TestNames:
    def test_name_like_an_existing_one_fails(self, index, tmp_path):
        publish(index, tmp_path, "1.0", project="pillow")
        item = preflight(remote(index), "PI11OW==1.0")["name"]
        assert item.verdict is Verdict.FAIL
        assert "pillow" in item.reason

    def test_name_of_a_standard_module_fails(self, index):
        assert preflight(remote(index), "asyncio==1.0")["name"].verdict is Verdict.FAIL

    def test_other_name_is_unknown(self, index, tmp_path):
        publish(index, tmp_path, "1.0", project="pillow")
        item = preflight(remote(index), "brand-new==1.0")["name"]
        assert item.verdict is Verdict.UNKNOWN
        assert "PEP 541" in item.reason

    def test_rules_for_names_apply_at_pypi_only(self, index):
        assert "name" not in preflight(remote(index, profile="index"), "asyncio==1.0")


class TestStaging:
    @pytest.fixture
    def staging(self, tmp_path):
        """A container with a release of one commit."""
        make_wheel(tmp_path / "dist", "sample", "1.0")
        config = wheelrelay.DirectoryConfig(path=tmp_path / "staging", pages=True)
        wheelrelay.push([tmp_path / "dist"], config, build={"commit": "1f2e3d" * 6})
        return Remote("staging", config)

    def check(self, index, staging, requirement, commit):
        route = Route(source=staging, sinks=[remote(index)])
        report = wheelrelay.preflight(route, [requirement], commit=commit)
        return next(item for item in report.items if item.check == "staging")

    def test_files_of_this_commit_pass(self, index, staging):
        assert self.check(index, staging, "sample==1.0", "1f2e3d" * 6).verdict is Verdict.PASS
        assert self.check(index, staging, "sample==1.0", "1f2e3d").verdict is Verdict.PASS

    def test_files_of_another_commit_fail(self, index, staging):
        item = self.check(index, staging, "sample==1.0", "abcdef")
        assert item.verdict is Verdict.FAIL
        assert "1f2e3d1f2e3d" in item.reason

    def test_files_of_another_version_do_not_matter(self, index, staging):
        assert self.check(index, staging, "sample==1.1", "abcdef").verdict is Verdict.PASS

    def test_commit_of_the_job_is_used(self, index, staging, monkeypatch):
        assert self.check(index, staging, "sample==1.0", None).verdict is Verdict.UNKNOWN
        monkeypatch.setenv("TRAVIS_COMMIT", "abcdef")
        monkeypatch.setenv("TRAVIS_BUILD_WEB_URL", "https://ci.example.org/1")
        assert self.check(index, staging, "sample==1.0", None).verdict is Verdict.FAIL

    def test_files_without_a_commit_are_unknown(self, index, tmp_path):
        make_wheel(tmp_path, "sample", "1.0")
        items = preflight(remote(index), "sample==1.0", source=tmp_path, commit="abcdef")
        assert items["staging"].verdict is Verdict.UNKNOWN

    def test_projects_are_those_of_the_source_if_none_is_named(self, index, tmp_path):
        make_wheel(tmp_path, "sample", "1.0")
        assert preflight(remote(index), source=tmp_path)["project"].project == "sample"

    def test_route_without_a_project_is_an_error(self, index):
        with pytest.raises(ConfigError, match="No project is named"):
            preflight(remote(index))


class WrongClock(MemoryStore):
    """A store whose server has another time."""

    def __init__(self, offset):
        super().__init__()
        self.offset = offset

    def clock_offset(self):
        return self.offset


@pytest.mark.parametrize(
    ("offset", "verdict"), [(0.0, "pass"), (59, "pass"), (61, "fail"), (-600, "fail"), (None, "unknown")]
)
def test_clock_is_compared(offset, verdict):
    assert preflight(WrongClock(offset), "sample==1.0")["clock"].verdict.value == verdict


def test_directory_must_be_writable(tmp_path):
    items = preflight(str(tmp_path / "new" / "folder"), "sample==1.0")
    assert items["write-permission"].verdict is Verdict.PASS
    (tmp_path / "file").write_text("")
    items = preflight(str(tmp_path / "file" / "folder"), "sample==1.0")
    assert items["write-permission"].verdict is Verdict.FAIL


def test_signatures_need_a_key(tmp_path, keyring):
    sink = Remote("signed", wheelrelay.DirectoryConfig(path=tmp_path, sign=True))
    assert preflight(sink, "sample==1.0")["signatures"].verdict is Verdict.FAIL
    keyring.new_key("Releases <releases@example.org>")
    assert preflight(sink, "sample==1.0")["signatures"].verdict is Verdict.PASS


class TestPrivateIndexes:
    """Servers that are not ours respond to the probe of the credentials."""

    def sink(self, server):
        return Remote("private", IndexConfig(url=server.simple_url, upload_url=server.upload_url))

    def check(self, server, monkeypatch):
        """Return the verdicts on the right and on a wrong password."""
        verdicts = []
        monkeypatch.setenv("WHEELRELAY_PRIVATE_USERNAME", server.username)
        for password in (server.password, "wrong"):
            monkeypatch.setenv("WHEELRELAY_PRIVATE_PASSWORD", password)
            verdicts.append(preflight(self.sink(server), "sample==1.0")["credentials"].verdict)
        return verdicts

    def test_pypiserver_accepts_the_right_password_only(self, pypiserver, monkeypatch):
        assert self.check(pypiserver, monkeypatch) == [Verdict.PASS, Verdict.FAIL]

    def test_devpi_accepts_the_right_password_only(self, devpi, monkeypatch):
        assert self.check(devpi, monkeypatch) == [Verdict.PASS, Verdict.FAIL]

    def test_index_without_credentials_is_unknown(self, open_pypiserver):
        item = preflight(self.sink(open_pypiserver), "sample==1.0")["credentials"]
        assert item.verdict is Verdict.UNKNOWN
        assert "did not request credentials" in item.reason
