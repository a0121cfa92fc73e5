"""Published files are confirmed as configured, until the index shows them or time is up."""

import pytest
from tests.integration.release.conftest import SDIST, WHEELS, index_table
from tests.servers.pypi_troubles import Trouble


def outcomes(receipt):
    return {file["filename"]: file["sinks"]["warehouse"]["outcome"] for file in receipt["files"]}


def fetched(index):
    return sorted(path.rpartition("/")[2] for path in index.paths() if path.startswith("/files/"))


def test_reads_pages_uncached_until_they_show_the_files(project, pypi, relay):
    pypi.lag = 1.0
    assert relay().code == 0
    pages = [request for request in pypi.requests if request.path == "/simple/sample/"]
    assert len(pages) > 4
    after = [page for page in pages if page.headers.get("cache-control") == "no-cache"]
    assert len(after) >= len(pages) - 1  # the project's state may be old
    assert fetched(pypi) == []


def test_file_not_shown_in_time_is_unconfirmed_and_found_by_the_next_run(project, pypi, relay):
    pypi.lag = 600
    done = relay("--confirm-timeout", "1s", "--json")
    assert done.code == 4
    assert outcomes(done.json()) == {**dict.fromkeys(WHEELS, "unconfirmed"), SDIST: "pending"}
    assert "does not show it" in done.err
    pypi.show_all()
    pypi.lag = 0
    assert relay().code == 0
    assert sorted(pypi.sent()) == sorted([*WHEELS, SDIST])
    assert pypi.digests() == project.digests()


def test_retries_pages_that_fail_temporarily(project, pypi, relay):
    pypi.slowness = 0.2
    pypi.trouble_with_pages(Trouble(503, retry_after="0"), Trouble(None), Trouble(429, retry_after="0"))
    assert relay().code == 0
    assert pypi.digests() == project.digests()


def test_unreadable_page_leaves_files_unconfirmed(project, pypi, relay):
    pypi.trouble_with_pages(*[Trouble(403, "Not you")] * 100)
    done = relay("--json")
    assert done.code == 4
    assert set(outcomes(done.json()).values()) == {"unconfirmed", "pending"}
    assert "403" in done.err


class TestDownload:
    @pytest.fixture(autouse=True)
    def careful(self, project, pypi):
        project.configure("warehouse", remotes=index_table(pypi, keys='confirm = "download"'))

    def test_downloads_and_hashes_every_file(self, pypi, relay):
        assert relay().code == 0
        assert fetched(pypi) == sorted([*WHEELS, SDIST])

    def test_detects_bytes_that_differ_from_the_page(self, project, pypi, relay):
        pypi.give_out(WHEELS[1], b"PK something else")
        done = relay("--json")
        assert done.code == 4
        assert outcomes(done.json())[WHEELS[1]] == "unconfirmed"
        assert f"sha256 {project.digests()[WHEELS[1]]}" in done.err
        assert SDIST not in pypi.sent()

    def test_verify_download_detects_damage(self, pypi, relay, run):
        assert relay().code == 0
        assert run("verify", "release").code == 0
        assert run("verify", "release", "--download").code == 0
        content = pypi.files[WHEELS[1]].content
        pypi.give_out(WHEELS[1], content[:-100] + bytes(100))
        assert run("verify", "release").code == 0
        done = run("verify", "release", "--download", "--json")
        assert done.code == 3
        assert [(finding["check"], finding["filename"]) for finding in done.json()] == [
            ("verify-damaged", WHEELS[1])
        ]
        assert run("verify", "warehouse", "sample==1.0").code == 3


def test_verify_compares_two_remotes(project, pypi, relay, run):
    assert relay().code == 0
    pypi.lose(WHEELS[0])
    done = run("verify", "--from", "staging", "--to", "warehouse", "sample", "--json")
    assert done.code == 3
    assert [(finding["check"], finding["filename"]) for finding in done.json()] == [
        ("verify-missing", WHEELS[0])
    ]
    (project.dist / WHEELS[1]).write_bytes((project.dist / WHEELS[2]).read_bytes())
    done = run("verify", "release", "--json")
    assert ("verify-differs", WHEELS[1]) in [
        (finding["check"], finding["filename"]) for finding in done.json()
    ]


def test_verify_compares_with_a_remote_that_can_only_be_read(project, pypi, relay, run):
    assert relay().code == 0
    read_only = f"index+{pypi.simple_url}"
    assert run("verify", "--from", str(project.dist), "--to", read_only).code == 0
    pypi.lose(WHEELS[0])
    done = run("verify", "--from", str(project.dist), "--to", read_only, "--json")
    assert done.code == 3
    assert [(found["check"], found["filename"]) for found in done.json()] == [("verify-missing", WHEELS[0])]


class TestWriteOnlyIndex:
    @pytest.fixture(autouse=True)
    def blind(self, project, pypi):
        table = index_table(pypi, profile="index", keys='confirm = "none"')
        project.configure("warehouse", remotes=table.replace(f'url = "{pypi.simple_url}"\n', "", 1))

    def test_reads_nothing(self, project, pypi, relay):
        assert relay().code == 0
        assert pypi.digests() == project.digests()
        assert all(request.method == "POST" for request in pypi.requests)

    def test_same_bytes_again_are_no_error(self, project, pypi, relay):
        assert relay().code == 0
        assert relay().code == 0
        assert pypi.digests() == project.digests()

    def test_sends_file_again_after_lost_answer(self, project, pypi, relay):
        pypi.trouble(SDIST, Trouble(None, taken=True))
        assert relay().code == 0
        assert pypi.sent().count(SDIST) == 2
        assert pypi.digests() == project.digests()
