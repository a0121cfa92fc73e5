"""``push``, ``index``, ``remove``, ``prune`` and ``check`` as commands."""

import json

import pytest
from jsonschema import validate
from tests.e2e.cli.conftest import SDIST, WHEEL

from wheelrelay.documents import document_schema
from wheelrelay.testing import make_wheel


@pytest.fixture
def staging(here):
    """A container that keeps pages and the newest version."""
    (here / "wheelrelay.toml").write_text(
        """
[remotes.staging]
type = "directory"
path = "staging"
pages = true

[remotes.staging.retention]
keep = 1

[remotes.locked]
type = "index"
url = "http://127.0.0.1:9/simple/"
upload_url = "http://127.0.0.1:9/"
token = { env = "NOT_SET" }
"""
    )
    return here / "staging"


def files_in(folder):
    return sorted(path.name for path in folder.iterdir() if path.suffix in (".whl", ".gz"))


def test_push_problems_are_printed_once(wheelrelay, config, dist):
    (dist / "sample-9.0-py3-none-any.whl").symlink_to("nowhere")
    ended = wheelrelay("push", "dist", "--to", "./pushed")
    assert ended.code == 3
    assert ended.err.count("[dangling-link]") == 1


class TestPush:
    def test_push_writes_files_and_pages(self, wheelrelay, staging, dist):
        ended = wheelrelay("push", "dist", "--to", "staging", "--json")
        assert ended.code == 0
        validate(json.loads(ended.out), document_schema("receipt"))
        assert files_in(staging) == [WHEEL, SDIST]
        assert (staging / "simple" / "sample" / "index.html").is_file()

    def test_second_push_is_skipped(self, wheelrelay, staging, dist):
        wheelrelay("push", "dist", "--to", "staging")
        assert "2 skipped" in wheelrelay("push", "dist", "--to", "staging").out

    def test_conflicts_are_refused_and_replaced_on_request(self, wheelrelay, staging, dist):
        wheelrelay("push", "dist", "--to", "staging")
        make_wheel(dist, payload=b"other")
        before = (staging / WHEEL).read_bytes()
        assert wheelrelay("push", "dist", "--to", "staging").code == 3
        assert (staging / WHEEL).read_bytes() == before
        assert wheelrelay("push", "dist", "--to", "staging", "--replace").code == 0
        assert (staging / WHEEL).read_bytes() == (dist / WHEEL).read_bytes()

    def test_push_without_credentials_can_be_skipped(self, wheelrelay, staging, dist, monkeypatch):
        ended = wheelrelay("push", "dist", "--to", "locked", "--skip-if-no-credentials")
        assert (ended.code, ended.out) == (0, "")
        assert "credentials are missing" in ended.err
        assert "NOT_SET" in ended.err
        assert wheelrelay("push", "dist", "--to", "locked").code == 2

    def test_nothing_to_push_is_an_error(self, wheelrelay, staging):
        assert wheelrelay("push", "nowhere", "--to", "staging").code == 2


class TestIndex:
    def test_outdated_pages_are_rebuilt(self, wheelrelay, staging, dist):
        wheelrelay("push", "dist", "--to", "staging")
        assert wheelrelay("index", "staging", "--check").code == 0
        make_wheel(staging, version="2.0")
        ended = wheelrelay("index", "staging", "--check")
        assert ended.code == 3
        assert "is missing or outdated" in ended.out
        assert wheelrelay("index", "staging").out == "Wrote all pages.\n"
        assert wheelrelay("index", "staging", "--check").code == 0

    def test_package_index_has_no_pages(self, wheelrelay, staging):
        assert wheelrelay("index", "locked").code == 2


class TestRemove:
    def test_file_is_removed(self, wheelrelay, staging, dist):
        wheelrelay("push", "dist", "--to", "staging")
        ended = wheelrelay("remove", "staging", WHEEL)
        assert ended.out == f"{WHEEL}\nRemoved 1 file.\n"
        assert files_in(staging) == [SDIST]

    def test_json_lists_removed_files(self, wheelrelay, staging, dist):
        wheelrelay("push", "dist", "--to", "staging")
        ended = wheelrelay("remove", "staging", WHEEL, "--json")
        document = json.loads(ended.out)
        validate(document, document_schema("list"))
        assert [file["filename"] for file in document] == [WHEEL]

    def test_missing_file_removes_nothing(self, wheelrelay, staging, dist):
        wheelrelay("push", "dist", "--to", "staging")
        ended = wheelrelay("remove", "staging", WHEEL, "sample-9.0.tar.gz")
        assert ended.code == 1
        assert "nothing was removed" in ended.err
        assert files_in(staging) == [WHEEL, SDIST]


class TestPrune:
    def test_old_versions_are_pruned(self, wheelrelay, staging, dist):
        make_wheel(dist, version="2.0")
        wheelrelay("push", "dist", "--to", "staging")
        ended = wheelrelay("prune", "staging", "--dry-run")
        assert "Would remove 2 files." in ended.out
        assert len(files_in(staging)) == 3
        assert "Removed 2 files." in wheelrelay("prune", "staging").out
        assert files_in(staging) == ["sample-2.0-py3-none-any.whl"]

    def test_prune_without_retention_fails(self, wheelrelay, dist):
        assert wheelrelay("prune", "./dist").code == 2


class TestCheck:
    def test_valid_files_have_no_problems(self, wheelrelay, dist):
        ended = wheelrelay("check", "dist")
        assert (ended.code, ended.out) == (0, "No problems found. Checked 2 files in dist.\n")

    def test_problems_are_printed_and_counted(self, wheelrelay, dist):
        make_wheel(dist, metadata={"Version": "not a version"})
        ended = wheelrelay("check", "dist")
        assert ended.code == 3
        assert WHEEL in ended.out
        assert " error" in ended.out.splitlines()[-1]

    def test_json_lists_problems(self, wheelrelay, dist):
        make_wheel(dist, metadata={"Version": "not a version"})
        findings = json.loads(wheelrelay("check", "dist", "--json").out)
        validate(findings, document_schema("findings"))
        ignored = {finding["check"] for finding in findings}
        options = [option for check in ignored for option in ("--ignore", check)]
        assert wheelrelay("check", "dist", *options).code == 0

    def test_unknown_check_cannot_be_ignored(self, wheelrelay, dist):
        ended = wheelrelay("check", "dist", "--ignore", "no-such-check")
        assert ended.code == 2
        assert "no-such-check" in ended.err

    @pytest.mark.parametrize("command", [["check"], ["push", "--to", "staging"]])
    def test_file_that_is_not_a_distribution_is_a_usage_error(self, wheelrelay, staging, here, command):
        (here / "notes.txt").write_text("Not a distribution.")
        ended = wheelrelay(command[0], "notes.txt", *command[1:])
        assert ended.code == 2
        assert "notes.txt" in ended.err

    def test_misnamed_distribution_is_refused(self, wheelrelay, dist):
        (dist / WHEEL).rename(dist / "sample-1.0-any.whl")
        ended = wheelrelay("check", "dist/sample-1.0-any.whl")
        assert ended.code == 3
        assert "not a valid wheel or sdist filename" in ended.out


class TestPartialFiles:
    """An older version, or a copy that was interrupted, may have left the beginning of a file."""

    @pytest.fixture
    def part(self, staging, dist):
        staging.mkdir()
        (staging / WHEEL).write_bytes((dist / WHEEL).read_bytes()[:100])
        return staging / WHEEL

    def test_partial_file_is_reported_with_remove_command(self, wheelrelay, part, dist):
        size = (dist / WHEEL).stat().st_size
        ended = wheelrelay("push", "dist", "--to", "staging")
        assert ended.code == 3
        assert f"staging has 100 of its {size} bytes" in ended.err
        assert f"wheelrelay remove staging {WHEEL}" in ended.err
        assert wheelrelay("remove", "staging", WHEEL).code == 0
        assert wheelrelay("push", "dist", "--to", "staging").code == 0

    def test_partial_file_is_in_the_plan(self, wheelrelay, part, dist):
        planned = wheelrelay("plan", "--from", "./dist", "--to", "staging", "sample==1.0")
        assert "conflict: the filename exists with 100 of" in " ".join(planned.out.split())

    def test_hint_for_container_is_replace(self, wheelrelay, staging, dist):
        wheelrelay("push", "dist", "--to", "staging")
        make_wheel(dist, payload=b"x" * 5000)
        make_wheel(staging, payload=b"y" * 9000)
        ended = wheelrelay("push", "dist", "--to", "staging")
        assert "wheelrelay push --replace" in ended.err
        assert "An index never takes" not in ended.err
