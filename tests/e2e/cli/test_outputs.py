"""A receipt or a list of sums is never written over something that is read or published."""

import json
import signal
import time

import pytest
from jsonschema import validate
from tests.e2e.cli.conftest import SDIST, WHEEL, end_of

from wheelrelay import api
from wheelrelay.cli.exits import exit_code_of
from wheelrelay.documents import document_schema
from wheelrelay.errors import RelayFailed
from wheelrelay.events import Step, StepBegan
from wheelrelay.testing import make_wheel

CONFIG = f"""
[remotes.there]
type = "directory"
path = "there"
pages = true

[routes.release]
source = "./dist"
sinks = ["there"]

[routes.release.expect]
sha256sums = "SHA256SUMS"

[routes.mirror]
source = "there"
sinks = ["./mirror"]
# {"x" * 100}
"""


@pytest.fixture
def work(here, dist, wheelrelay):
    """A release, its configuration, a container with pages, and what belongs to the files."""
    (here / "wheelrelay.toml").write_text(CONFIG)
    (dist / f"{WHEEL}.asc").write_bytes(b"signature")
    assert wheelrelay("push", "dist", "--to", "there").code == 0
    (here / "SHA256SUMS").write_text("")
    return here


def contents(folder):
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


INPUTS = [
    f"dist/{WHEEL}",
    f"dist/{SDIST}",
    f"dist/{WHEEL}.asc",
    f"./dist/../dist/{WHEEL}",
    "wheelrelay.toml",
    f"there/{WHEEL}",
    f"there/{WHEEL}.metadata",
    "there/newer-9.0-py3-none-any.whl",
    "there/index.html",
    "there/simple/index.json",
    "there/simple/sample/index.html",
]


@pytest.mark.parametrize("output", INPUTS)
@pytest.mark.parametrize("option", ["--receipt", "--sums"])
def test_relay_refuses_an_output_that_is_an_input(work, wheelrelay, option, output):
    before = contents(work)
    ended = wheelrelay("relay", "--from", "./dist", "--to", "there", "sample==1.0", option, output)
    assert ended.code == 2
    assert "would overwrite" in ended.err
    assert contents(work) == before


@pytest.mark.parametrize("output", INPUTS)
def test_push_refuses_an_output_that_is_an_input(work, wheelrelay, output):
    before = contents(work)
    ended = wheelrelay("push", "dist", "--to", "there", "--receipt", output)
    assert ended.code == 2
    assert "would overwrite" in ended.err
    assert contents(work) == before


def test_file_named_by_the_route_is_not_overwritten(work, wheelrelay):
    before = contents(work)
    assert wheelrelay("relay", "release", "sample==1.0", "--sums", "SHA256SUMS").code == 2
    assert contents(work) == before


def test_named_configuration_is_not_overwritten(work, wheelrelay):
    other = work / "other.toml"
    other.write_text(CONFIG)
    words = ("relay", "--config", other, "mirror", "--receipt", other)
    assert wheelrelay(*words).code == 2
    assert other.read_text() == CONFIG


def test_input_is_recognized_by_another_path(work, wheelrelay):
    (work / "linked").symlink_to(work / "dist")
    assert wheelrelay("push", "dist", "--to", "there", "--receipt", f"linked/{WHEEL}").code == 2


@pytest.mark.parametrize("command", ["push", "relay"])
def test_target_of_a_link_is_not_overwritten(work, wheelrelay, command):
    (work / "dist" / WHEEL).rename(work / "built")
    (work / "dist" / WHEEL).symlink_to(work / "built")
    before = (work / "built").read_bytes()
    words = ("push", "dist") if command == "push" else ("relay", "--from", "./dist", "sample", "--yes")
    ended = wheelrelay(*words, "--to", "./elsewhere", "--receipt", "built")
    assert ended.code == 2
    assert "would overwrite" in ended.err
    assert (work / "built").read_bytes() == before


def test_same_file_for_both_outputs_is_refused(work, wheelrelay):
    words = ("relay", "--from", "./dist", "--to", "./out", "sample==1.0")
    ended = wheelrelay(*words, "--sums", "out.txt", "--receipt", "./out.txt")
    assert ended.code == 2
    assert "it is given twice" in ended.err
    assert not (work / "out").exists()


def test_outputs_next_to_the_files_are_written(work, wheelrelay):
    make_wheel(work / "dist", version="2.0")
    words = ("relay", "--from", "./dist", "--to", "there", "sample==2.0")
    ended = wheelrelay(*words, "--receipt", "dist/receipt.json", "--sums", "there/SHA256SUMS")
    assert ended.code == 0
    assert json.loads((work / "dist" / "receipt.json").read_text())["complete"]
    assert "sample-2.0-py3-none-any.whl" in (work / "there" / "SHA256SUMS").read_text()


def test_incomplete_receipt_exits_with_4(work, wheelrelay):
    kept = work / "kept"
    kept.mkdir()

    def lose(event):
        if isinstance(event, StepBegan) and event.step is Step.PUBLISH and kept.exists():
            kept.rename(work / "lost")

    with pytest.raises(RelayFailed, match="the receipt is incomplete") as failed:
        api.push([work / "dist"], str(work / "out"), receipt=kept / "receipt.json", progress=lose)
    assert failed.value.receipt.is_complete
    assert exit_code_of(failed.value) == 4
    api.push([work / "dist"], str(work / "out"), receipt=work / "lost" / "receipt.json")


class TestReceiptOfFailure:
    """Exit codes 1 and 2, before any file is known."""

    def run(self, wheelrelay, here, *arguments):
        ended = wheelrelay("relay", *arguments, "--receipt", "receipt.json")
        document = json.loads((here / "receipt.json").read_text())
        validate(document, document_schema("receipt"))
        assert document["complete"] is False
        assert document["files"] == []
        assert wheelrelay("receipt", "show", "receipt.json").code == 0
        return ended.code, document["error"]

    def test_unknown_route(self, wheelrelay, dist, here):
        code, error = self.run(wheelrelay, here, "nosuch")
        assert (code, error.partition(".")[0]) == (2, "Missing route")

    def test_invalid_configuration(self, wheelrelay, dist, here):
        (here / "wheelrelay.toml").write_text("[routes.release]\n")
        code, error = self.run(wheelrelay, here, "release")
        assert code == 2
        assert "routes.release.source: this key is required" in error

    def test_missing_secret(self, wheelrelay, config, dist, here):
        config.write_text(config.read_text().replace("upload_url", 'token = { env = "NOPE" }\nupload_url'))
        code, error = self.run(wheelrelay, here, "release")
        assert code == 2
        assert "NOPE" in error

    def test_nothing_matches(self, wheelrelay, config, dist, here):
        code, error = self.run(wheelrelay, here, "release", "other")
        assert code == 1
        assert error.startswith("source 'staging': No files of other found.")

    def test_it_exists_while_the_source_is_read(self, wheelrelay, web, here):
        web.serve("/files/", "<a href=x>", delay=60)
        page = f"listing+{web.url}files/"
        process = wheelrelay.start("relay", "--from", page, "--to", "./out", "--receipt", "receipt.json")
        while not web.paths():
            assert process.poll() is None
            time.sleep(0.01)
        document = json.loads((here / "receipt.json").read_text())
        assert document["complete"] is False
        assert "still runs, or it was killed" in document["error"]
        process.send_signal(signal.SIGINT)
        assert end_of(process).code == 130
        document = json.loads((here / "receipt.json").read_text())
        assert document["error"] == "Interrupted; nothing was published."

    def test_other_files_are_never_replaced(self, wheelrelay, dist, here):
        path = here / "notes.json"
        path.write_text("{}")
        assert wheelrelay("relay", "nosuch", "--receipt", path).code == 2
        assert path.read_text() == "{}"
