"""``wheelrelay preflight`` prints what would prevent publishing, and reports it to the CI system."""

import json
import re

import pytest
from jsonschema import Draft202012Validator
from tests.e2e.cli.conftest import SDIST, WHEEL
from tests.servers.pypi import TOKEN

CONFIG = """
[remotes.company]
type = "index"
url = "{0.simple_url}"
upload_url = "{0.upload_url}"
checks.profile = "pypi"

[routes.release]
source = "./dist"
sinks = ["company"]
projects = ["sample"]
"""


@pytest.fixture
def index(here, pypi, monkeypatch):
    """An index that a route publishes to, with a token for it."""
    (here / "wheelrelay.toml").write_text(CONFIG.format(pypi))
    monkeypatch.setenv("WHEELRELAY_COMPANY_TOKEN", TOKEN)
    return pypi


def test_prints_the_results_by_remote_and_project(wheelrelay, index, dist):
    index.take(dist / WHEEL)
    ended = wheelrelay("preflight", "release", "sample==2.0")
    assert ended.code == 0
    lines = ended.out.splitlines()
    assert "      check        company" in lines
    assert "      check         company, sample" in lines
    assert "pass  version       Version 2.0 is not published." in ended.out
    assert lines[-1] == "Nothing prevents publishing: 8 passed, 0 failed, 0 unknown."


def test_exits_with_3_if_a_check_fails(wheelrelay, index, dist):
    index.take(dist / WHEEL)
    (dist / WHEEL).unlink()
    (dist / SDIST).unlink()
    ended = wheelrelay("preflight", "release", "sample==1.0")
    assert ended.code == 3
    assert re.search(r"^fail +version ", ended.out, re.MULTILINE)
    assert "release a new version" in ended.out


def test_prints_json_with_a_schema(wheelrelay, index):
    document = json.loads(wheelrelay("preflight", "sample==2.0", "--json").out)
    schema = json.loads(wheelrelay("config", "schema", "preflight").out)
    Draft202012Validator(schema).validate(document)
    assert document["may_publish"] is True
    assert {item["check"]: item["verdict"] for item in document["items"]}["credentials"] == "pass"


def test_quiet_prints_failures_only(wheelrelay, index, monkeypatch):
    assert wheelrelay("preflight", "sample==2.0", "--quiet").out == ""
    monkeypatch.setenv("WHEELRELAY_COMPANY_TOKEN", "wrong")
    assert "fail  credentials" in wheelrelay("preflight", "sample==2.0", "--quiet").out


def test_writes_annotations_and_the_job_summary(wheelrelay, index, here, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(here / "summary.md"))
    monkeypatch.setenv("WHEELRELAY_COMPANY_TOKEN", "wrong-secret")
    ended = wheelrelay("preflight", "sample==2.0")
    assert ended.code == 3
    assert "::error title=credentials::company: " in ended.out + ended.err
    summary = (here / "summary.md").read_text()
    assert summary.startswith("### Preflight: The release would be refused")
    assert "| **fail** | `credentials` | company |" in summary
    assert "wrong-secret" not in summary + ended.out + ended.err


def test_needs_a_project(wheelrelay, here, index):
    (here / "wheelrelay.toml").write_text(CONFIG.format(index).replace('projects = ["sample"]', ""))
    ended = wheelrelay("preflight", "release")
    assert ended.code == 2
    assert "No project is named" in ended.err
