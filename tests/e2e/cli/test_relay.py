"""``plan``, ``relay`` and ``verify``: what is asked for is done, shown, and told by the exit code."""

import hashlib
import json
import os
import pty
import sys

import click
import pytest
from jsonschema import validate
from tests.e2e.cli.conftest import SDIST, WHEEL
from tests.servers.proxy import Fault
from tests.servers.web import Reply

from wheelrelay.documents import document_schema
from wheelrelay.testing import make_sdist, make_wheel


def answer(ended, shape):
    """The JSON document that a command printed, after holding it against its published shape."""
    document = json.loads(ended.out)
    validate(document, document_schema(shape))
    return document


@pytest.fixture
def conflict(dist, proxy, open_pypiserver):
    """The index has the wheel with other bytes."""
    make_wheel(open_pypiserver.folder, payload=b"other")
    return open_pypiserver.folder / WHEEL


class TestPlan:
    def test_plan_prints_actions_and_changes_nothing(self, wheelrelay, config, dist, proxy):
        ended = wheelrelay("plan", "release")
        assert ended.code == 0
        assert f"{WHEEL}" in ended.out
        assert "index: 2 upload (2.0 kB)." in ended.out
        assert proxy.uploads() == []

    def test_plan_json_lists_files(self, wheelrelay, config, dist):
        document = answer(wheelrelay("plan", "release", "--json"), "plan")
        assert document["source"] == "staging"
        assert document["missing"] == document["unexpected"] == document["findings"] == []
        assert [file["filename"] for file in document["files"]] == [WHEEL, SDIST]
        assert document["files"][0]["sinks"] == {"index": {"action": "upload", "reason": "not there yet"}}
        assert document["files"][0]["size"] == (dist / WHEEL).stat().st_size

    def test_plan_json_has_digests(self, wheelrelay, config, dist):
        wheelrelay("relay", "release")
        document = answer(wheelrelay("plan", "release", "--json"), "plan")
        assert {file["sinks"]["index"]["action"] for file in document["files"]} == {"skip"}
        assert document["files"][0]["sha256"] == hashlib.sha256((dist / WHEEL).read_bytes()).hexdigest()

    def test_plan_with_conflict_exits_with_3(self, wheelrelay, config, conflict):
        ended = wheelrelay("plan", "release", "--json")
        assert ended.code == 3
        actions = {
            file["filename"]: file["sinks"]["index"]["action"] for file in answer(ended, "plan")["files"]
        }
        assert actions == {WHEEL: "conflict", SDIST: "upload"}
        assert "conflict: the filename exists with other bytes" in wheelrelay("plan", "release").out

    def test_plan_without_work_prints_nothing_to_do(self, wheelrelay, config, dist):
        wheelrelay("relay", "release")
        assert "Nothing to do." in wheelrelay("plan", "release").out

    def test_plan_reports_missing_digests(self, wheelrelay, web, dist, here):
        page = web.serve_folder(dist, "/files/")
        make_wheel(here / "out", payload=b"other")
        ended = wheelrelay("plan", "--from", f"listing+{page}", "--to", "./out")
        assert "unknown: the filename exists; the source declares no sha256" in " ".join(ended.out.split())


class TestRelay:
    def test_relay_publishes_and_prints_receipt(self, wheelrelay, config, dist, open_pypiserver):
        ended = wheelrelay("relay", "release")
        assert ended.code == 0
        assert "index: 2 published." in ended.out
        assert "Publishing 1 file to index" in ended.err
        assert sorted(path.name for path in open_pypiserver.folder.iterdir()) == [WHEEL, SDIST]

    def test_relay_json_prints_only_the_receipt(self, wheelrelay, config, dist):
        receipt = answer(wheelrelay("relay", "release", "--json"), "receipt")
        assert receipt["complete"] is True
        assert (receipt["source"], receipt["sinks"], receipt["mode"]) == ("staging", ["index"], "release")
        assert receipt["started"] < receipt["finished"]
        assert "wheelrelay" in receipt["versions"]
        [wheel, sdist] = receipt["files"]
        assert wheel["filename"] == WHEEL
        assert wheel["sha256"] == hashlib.sha256((dist / WHEEL).read_bytes()).hexdigest()
        assert wheel["source_url"] == str(dist / WHEEL)
        assert sdist["sinks"]["index"]["outcome"] == "published"
        assert sdist["sinks"]["index"]["attempts"] == 1

    def test_quiet_prints_nothing(self, wheelrelay, config, dist):
        ended = wheelrelay("relay", "release", "-q")
        assert (ended.code, ended.out, ended.err) == (0, "", "")

    def test_quiet_prints_errors(self, wheelrelay, config, conflict):
        ended = wheelrelay("relay", "release", "-q")
        assert (ended.code, ended.out) == (3, "")
        assert WHEEL in ended.err

    def test_conflict_is_refused_with_findings(self, wheelrelay, config, conflict, proxy):
        before = conflict.read_bytes()
        ended = wheelrelay("relay", "release", "--receipt", "receipt.json")
        assert ended.code == 3
        assert f"error {WHEEL}: index has this filename with other bytes" in ended.err
        assert "[conflict]" in ended.err
        assert proxy.uploads() == []
        assert conflict.read_bytes() == before
        receipt = json.loads((config.parent / "receipt.json").read_text())
        validate(receipt, document_schema("receipt"))
        assert [finding["check"] for finding in receipt["findings"]] == ["conflict"]

    def test_partial_relay_exits_with_4_and_is_completed(self, wheelrelay, config, dist, proxy):
        proxy.fail_upload(SDIST, Fault(Reply(b"Bad description.", 400, "text/plain")))
        ended = wheelrelay("relay", "release", "--json", "--receipt", "receipt.json")
        assert ended.code == 4
        assert "index has 1 of 2 files" in ended.err
        assert "Bad description" in ended.err
        assert "then run the same command again to complete it" in ended.err
        receipt = answer(ended, "receipt")
        assert receipt["complete"] is False
        assert receipt == json.loads((config.parent / "receipt.json").read_text()) | {
            "finished": receipt["finished"]
        }
        assert wheelrelay("relay", "release").code == 0

    def test_failure_before_first_upload_exits_with_1(self, wheelrelay, config, dist, proxy):
        proxy.fail_upload("", Fault(Reply(b"Bad.", 400, "text/plain")))
        ended = wheelrelay("relay", "release")
        assert ended.code == 1
        assert "index has 0 of 2 files" in ended.err

    def test_unreadable_sink_exits_with_1(self, wheelrelay, config, dist, proxy):
        proxy.fail_page(Fault(Reply(b"Who are you?", 401, "text/plain")))
        ended = wheelrelay("relay", "release")
        assert ended.code == 1
        assert "sink 'index'" in ended.err
        assert "Check the credentials" in ended.err

    def test_unconfirmed_relay_exits_with_4(self, wheelrelay, config, dist, proxy):
        proxy.fail_page(*[Fault(Reply(b"", 404))] * 1_000)
        ended = wheelrelay("relay", "release", "--confirm-timeout", "1s")
        assert ended.code == 4
        assert "unconfirmed" in ended.out

    def test_several_versions_are_listed(self, wheelrelay, config, dist):
        make_wheel(dist, version="2.0")
        ended = wheelrelay("relay", "release", "sample")
        assert ended.code == 2
        assert "sample has 1.0, 2.0" in ended.err
        assert "mode 'mirror'" in ended.err

    def test_mirror_publishes_all_versions(self, wheelrelay, config, dist, proxy):
        make_wheel(dist, version="2.0")
        assert wheelrelay("relay", "release", "sample", "--mode", "mirror").code == 0
        assert len(proxy.uploads()) == 3

    def test_mirror_with_failures_exits_with_4(self, wheelrelay, config, conflict, proxy):
        ended = wheelrelay("relay", "release", "--mode", "mirror")
        assert ended.code == 4
        assert proxy.uploads() == [SDIST]
        assert "the filename exists with other bytes" in ended.err

    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            (["--no-sdist"], [WHEEL]),
            (["--sdist-only"], [SDIST]),
            (["--wheels", "py3-none-*", "--no-sdist"], [WHEEL]),
            (["--wheels", "cp313-*-*"], [SDIST]),
            (["sample==1.0.0"], [WHEEL, SDIST]),
        ],
    )
    def test_options_select_files(self, wheelrelay, dist, here, options, expected):
        wheelrelay("relay", "--from", "./dist", "--to", "./out", *options)
        assert sorted(path.name for path in (here / "out").iterdir()) == expected

    def test_web_page_is_a_source(self, wheelrelay, web, dist, here):
        page = web.serve_folder(dist, "/files/")
        assert wheelrelay("relay", "--from", page, "--to", "./out", "sample").code == 0
        assert (here / "out" / WHEEL).read_bytes() == (dist / WHEEL).read_bytes()

    def test_several_sinks_are_published_in_order(self, wheelrelay, config, dist, here):
        ended = wheelrelay("relay", "--from", "staging", "--to", "index", "--to", "./out", "--json")
        receipt = answer(ended, "receipt")
        assert receipt["sinks"] == ["index", "./out"]
        assert receipt["complete"] is True

    def test_only_route_needs_no_name(self, wheelrelay, config, dist):
        assert wheelrelay("relay", "sample==1.0").code == 0

    def test_missing_route_name_lists_routes(self, wheelrelay, config, dist):
        config.write_text(config.read_text() + '[routes.other]\nsource = "staging"\nsinks = ["index"]\n')
        ended = wheelrelay("relay", "sample==1.0")
        assert ended.code == 2
        assert "other, release" in ended.err

    def test_sums_have_sha256sum_format(self, wheelrelay, dist, here):
        wheelrelay("relay", "--from", "./dist", "--to", "./out", "--sums", "SHA256SUMS")
        digest = hashlib.sha256((dist / WHEEL).read_bytes()).hexdigest()
        assert f"{digest}  {WHEEL}\n" in (here / "SHA256SUMS").read_text()

    def test_unwritable_receipt_fails_before_publishing(self, wheelrelay, config, dist, proxy):
        ended = wheelrelay("relay", "release", "--receipt", "nowhere/receipt.json")
        assert ended.code == 1
        assert "nowhere/receipt.json cannot be written" in ended.err
        assert proxy.uploads() == []

    def test_receipt_has_no_signed_urls(self, wheelrelay, web, dist, here):
        for name in (WHEEL, SDIST):
            web.serve(f"/files/{name}", dist / name)
        web.serve("/files/", f'<a href="{WHEEL}?signature=canary">{WHEEL}</a>')
        ended = wheelrelay("relay", "--from", f"listing+{web.url}files/", "--to", "./out", "--json", "-vv")
        assert answer(ended, "receipt")["files"][0]["source_url"] == f"{web.url}files/{WHEEL}"
        assert "canary" not in ended.out + ended.err


class TestConfirmation:
    """On a terminal, a relay asks before the first byte."""

    @pytest.fixture
    def terminal(self, monkeypatch):
        """Let somebody sit at a terminal; call it with what they type."""
        master, slave = pty.openpty()
        with os.fdopen(slave, "r") as stdin:

            def types(text=""):
                monkeypatch.setattr(sys, "stdin", stdin)
                monkeypatch.setattr(sys.stderr, "isatty", lambda: True)

                def answer(prompt=""):
                    """Answer now: keys typed before the question do not count."""
                    sys.stderr.write(prompt)
                    return text.strip()

                monkeypatch.setattr(click.termui, "visible_prompt_func", answer)

            yield types
        os.close(master)

    def test_no_publishes_nothing(self, wheelrelay, config, dist, proxy, terminal):
        terminal("n\n")
        ended = wheelrelay("relay", "release")
        assert ended.code == 3
        assert "Publish 2 files to index?" in ended.err
        assert "not approved" in ended.err
        assert proxy.uploads() == []

    def test_yes_publishes(self, wheelrelay, config, dist, proxy, terminal):
        terminal("y\n")
        assert wheelrelay("relay", "release").code == 0
        assert len(proxy.uploads()) == 2

    def test_yes_option_skips_the_prompt(self, wheelrelay, config, dist, terminal):
        terminal()
        ended = wheelrelay("relay", "release", "--yes")
        assert ended.code == 0
        assert "Publish 2 files" not in ended.err

    def test_no_prompt_without_work(self, wheelrelay, config, dist, terminal):
        wheelrelay("relay", "release", "--yes")
        terminal()
        ended = wheelrelay("relay", "release")
        assert ended.code == 0
        assert "Publish" not in ended.err


class TestVerify:
    def test_verified_files_exit_with_0(self, wheelrelay, config, dist):
        wheelrelay("relay", "release")
        for options in ([], ["--download"]):
            ended = wheelrelay("verify", "release", *options)
            assert ended.code == 0
            assert "All files verified. Total: 2 files at index." in ended.out
        assert wheelrelay("verify", "index", "sample").code == 0

    def test_missing_files_exit_with_3(self, wheelrelay, config, dist):
        ended = wheelrelay("verify", "release", "--json")
        assert ended.code == 3
        findings = answer(ended, "findings")
        assert {finding["filename"] for finding in findings} == {WHEEL, SDIST}
        assert {finding["check"] for finding in findings} == {"verify-missing"}

    def test_different_files_exit_with_3(self, wheelrelay, config, conflict):
        ended = wheelrelay("verify", "release")
        assert ended.code == 3
        assert "exists with other bytes at index" in ended.out
        assert "[verify-differs]" in ended.out

    def test_download_finds_damaged_files(self, wheelrelay, config, dist, proxy, open_pypiserver):
        wheelrelay("relay", "release")
        true = hashlib.sha256((dist / WHEEL).read_bytes()).hexdigest().encode()
        make_wheel(open_pypiserver.folder, payload=b"other")
        false = hashlib.sha256((open_pypiserver.folder / WHEEL).read_bytes()).hexdigest().encode()
        proxy.rewrite = lambda page: page.replace(false, true)
        assert wheelrelay("verify", "release").code == 0
        assert "[verify-damaged]" in wheelrelay("verify", "release", "--download").out
        assert "[verify-damaged]" in wheelrelay("verify", "index", "sample").out


def test_requirement_replaces_projects_of_the_route(wheelrelay, config, dist, proxy):
    make_sdist(dist, "other", "2.0")
    config.write_text(config.read_text() + 'projects = ["sample"]\n')
    wheelrelay("relay", "release", "other")
    assert proxy.uploads() == ["other-2.0.tar.gz"]


class TestMisspelledRoute:
    def test_nearest_route_is_named(self, wheelrelay, config, dist):
        for command in ("plan", "relay", "verify"):
            ended = wheelrelay(command, "relaese", "sample")
            assert ended.code == 2
            assert "There is no route 'relaese'. Did you mean 'release'?" in ended.err

    def test_project_of_the_only_route_is_no_route(self, wheelrelay, config, dist):
        make_sdist(dist, "releases", "2.0")
        config.write_text(config.read_text() + 'projects = ["releases"]\n')
        assert "releases-2.0.tar.gz" in wheelrelay("plan", "releases").out
        config.write_text(config.read_text().replace("projects =", "# projects ="))
        assert wheelrelay("plan", "releases").code == 2
        assert "releases-2.0.tar.gz" in wheelrelay("plan", "release", "releases").out


class TestPlanWithoutSecret:
    @pytest.fixture
    def config(self, config):
        config.write_text(config.read_text().replace("upload_url", 'token = { env = "NOPE" }\nupload_url'))
        return config

    def test_index_is_read_without_credentials(self, wheelrelay, config, dist):
        ended = wheelrelay("plan", "release")
        assert ended.code == 0
        assert "index: 2 upload" in ended.out
        assert wheelrelay("relay", "release").code == 2

    def test_index_that_requires_credentials_names_the_secret(self, wheelrelay, config, proxy, dist):
        proxy.fail_page(*[Fault(Reply(b"", 401))] * 9)
        ended = wheelrelay("plan", "release")
        assert ended.code == 2
        assert "The environment variable NOPE is not set." in ended.err


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--wheels", "cp312", "error: --wheels: 'cp312' is not a tag pattern."),
        ("--local", "a+b", "error: --local: 'a+b' is not a local version"),
    ],
)
def test_errors_name_the_option(wheelrelay, config, dist, option, value, said):
    ended = wheelrelay("plan", "release", option, value)
    assert ended.code == 2
    assert ended.err.startswith(said)
