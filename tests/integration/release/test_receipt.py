"""The receipt is correct during the whole relay, matches its schema, and contains no secret."""

import json
import subprocess
from base64 import b64encode
from importlib.metadata import version

import jsonschema
import pytest
from tests.integration.release.conftest import SDIST, WHEELS, index_table
from tests.servers.pypi import TOKEN
from tests.servers.pypi_troubles import Point, Trouble

from wheelrelay.testing import make_wheel


@pytest.fixture
def valid(run):
    """Return a function that validates a document against its published schema."""
    schemas = {kind: run("config", "schema", kind).json() for kind in ("list", "plan", "findings", "receipt")}

    def validated(kind, document):
        jsonschema.Draft202012Validator.check_schema(schemas[kind])
        jsonschema.validate(document, schemas[kind])
        return document

    return validated


@pytest.fixture
def receipt(project, valid):
    """Return a function that reads ``receipt.json``."""
    return lambda: valid("receipt", json.loads((project.folder / "receipt.json").read_text()))


def test_records_source_sinks_and_outcomes(project, pypi, relay, receipt):
    done = relay("--receipt", "receipt.json", "--json")
    found = receipt()
    assert done.code == 0
    assert done.json()["files"] == found["files"]
    assert (found["source"], found["sinks"], found["mode"]) == ("staging", ["warehouse"], "release")
    assert found["complete"] is True
    assert found["versions"]["wheelrelay"] == version("wheelrelay")
    assert found["started"] < found["finished"]
    assert {file["filename"]: file["sha256"] for file in found["files"]} == project.digests()
    for file in found["files"]:
        path = project.dist / file["filename"]
        assert (file["size"], file["project"], file["version"]) == (path.stat().st_size, "sample", "1.0")
        assert file["source_url"] == str(path)
        assert file["sinks"]["warehouse"]["attempts"] == 1
        assert file["sinks"]["warehouse"]["seconds"] > 0


@pytest.mark.parametrize(
    ("trouble", "code", "outcomes"),
    [
        (Trouble(400, "No"), 4, {"published", "failed"}),
        (Trouble(429, retry_after="0"), 0, {"published"}),
    ],
    ids=["refused", "tried again"],
)
def test_is_correct_and_valid_after_success_and_failure(pypi, relay, receipt, trouble, code, outcomes):
    pypi.trouble(SDIST, trouble)
    assert relay("--receipt", "receipt.json").code == code
    found = receipt()
    assert {file["sinks"]["warehouse"]["outcome"] for file in found["files"]} == outcomes
    assert found["complete"] is (code == 0)


def test_contains_all_findings_of_a_refusal(project, pypi, relay, receipt):
    make_wheel(project.dist, tag="cp313-cp313-linux_x86_64")
    done = relay("--receipt", "receipt.json", "--json")
    assert done.code == 3
    assert [found["check"] for found in receipt()["findings"]] == ["platform-tag"]
    assert {file["sinks"]["warehouse"]["outcome"] for file in receipt()["files"]} == {"pending"}


def test_is_updated_while_files_are_sent(project, pypi, relay_beside, receipt):
    pages = pypi.hold(Point.PAGE, number=2)  # the project's status, which is read after staging
    path = project.folder / "receipt.json"
    future = relay_beside(jobs=2, receipt=path)
    pages.await_reached()
    begun = receipt()
    assert {file["sinks"]["warehouse"]["outcome"] for file in begun["files"]} == {"pending"}
    assert begun["complete"] is False
    held = [pypi.hold(Point.RECEIVED, name) for name in WHEELS[:2]]
    pages.let_go()
    for hold in held:
        hold.await_reached()
    sending = {file["filename"]: file["sinks"]["warehouse"] for file in receipt()["files"]}
    assert [sending[name]["outcome"] for name in (*WHEELS, SDIST)] == ["unconfirmed"] * 2 + ["pending"] * 3
    assert sending[WHEELS[0]]["reason"] == "It was being sent."
    for hold in held:
        hold.let_go()
    assert future.result(60).is_complete
    assert receipt()["complete"] is True


def test_unwritable_receipt_stops_the_relay_before_publishing(pypi, relay):
    done = relay("--receipt", "nowhere/receipt.json")
    assert done.code == 1
    assert "receipt.json cannot be written" in done.err
    assert pypi.uploads == []


def test_sha256sum_accepts_the_sums(project, relay):
    assert relay("--sums", "SHA256SUMS").code == 0
    checked = subprocess.run(
        ["sha256sum", "--check", "--strict", "../SHA256SUMS"],
        cwd=project.dist,
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0, checked.stderr
    assert checked.stdout.count(": OK\n") == 5


def test_sums_of_one_relay_can_be_expected_by_the_next(project, pypi, second, relay):
    assert relay("--sums", "SHA256SUMS").code == 0
    expect = '[routes.release.expect]\nsha256sums = "SHA256SUMS"'
    project.configure("mirror", remotes=index_table(second, "mirror"), route=expect)
    assert relay().code == 0
    assert second.digests() == pypi.digests() == project.digests()


def test_contains_no_secret(project, pypi, relay, receipt):
    pypi.trouble(WHEELS[0], Trouble(403, "Not you"))
    done = relay("--receipt", "receipt.json", "-vv", "--debug")
    assert done.code in (1, 4)
    output = done.out + done.err + json.dumps(receipt())
    for secret in (
        TOKEN,
        b64encode(f"__token__:{TOKEN}".encode()).decode(),
        b64encode(TOKEN.encode()).decode(),
    ):
        assert secret not in output


def test_json_of_every_command_matches_its_schema(project, relay, run, valid):
    assert len(valid("plan", run("plan", "release", "--json").json())["files"]) == 5
    valid("receipt", relay("--json").json())
    assert len(valid("list", run("list", "warehouse", "sample", "--json").json())) == 5
    assert valid("findings", run("verify", "release", "--json").json()) == []
    make_wheel(project.dist, tag="cp313-cp313-linux_x86_64")
    done = run("check", "dist", "--json")
    assert done.code == 3
    assert len(valid("findings", done.json())) == 1
    valid("receipt", run("push", "dist/sample-1.0.tar.gz", "--to", "./box", "--json").json())


@pytest.mark.parametrize("path", ["nowhere/SHA256SUMS", "dist"])
def test_unwritable_sums_stop_the_relay_before_publishing(pypi, relay, path):
    done = relay("--sums", path)
    assert done.code == 1
    assert f"{path} cannot be written" in done.err
    assert pypi.uploads == []
