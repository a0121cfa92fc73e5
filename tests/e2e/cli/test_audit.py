"""``wheelrelay audit`` reports the issues of many projects as a table, JSON, HTML and a job summary."""

import json

import pytest
from jsonschema import Draft202012Validator

from wheelrelay import audit, read_receipt
from wheelrelay.report_documents import audit_document, parse_audit
from wheelrelay.testing import make_sdist, make_wheel

CONFIG = """
[remotes.company]
type = "index"
url = "{0.simple_url}"
upload_url = "{0.upload_url}"

[routes.release]
source = "./dist"
sinks = ["./staging", "company"]
projects = ["sample"]
"""

TAGS = ("cp313-cp313-win_amd64", "cp313-cp313-manylinux_2_17_x86_64")
LOST = "sample-1.1-cp313-cp313-win_amd64.whl"


@pytest.fixture
def index(here, pypi):
    """An index with three releases of a project, of which the second is incomplete; and another project."""
    (here / "wheelrelay.toml").write_text(CONFIG.format(pypi))
    for version in ("1.0", "1.1", "1.2"):
        for tag in TAGS:
            pypi.take(make_wheel(here / "made", "sample", version, tag))
    pypi.lose(LOST)
    pypi.take(make_sdist(here / "made", "other"))
    return pypi


def test_prints_the_issues_of_all_projects(wheelrelay, index):
    ended = wheelrelay("audit", "company")
    assert ended.code == 3
    assert "error  incomplete  sample 1.1  No wheel for CPython 3.13 on Windows amd64." in ended.out
    assert ended.out.endswith("1 error, 0 warnings in 4 releases of 2 projects at company.\n")


def test_projects_are_named_or_from_the_route_or_from_requirements(wheelrelay, index, here):
    assert "1 project at company" in wheelrelay("audit", "company", "Other").out
    assert "1 project at company" in wheelrelay("audit", "release").out
    (here / "requirements.txt").write_text("other>=1\nsample; python_version > '3'\n")
    assert "2 projects" in wheelrelay("audit", "company", "--requirements", "requirements.txt").out
    ended = wheelrelay("audit", "company", "other")
    assert (ended.code, ended.out) == (0, "No issues in 1 release of 1 project at company.\n")
    assert wheelrelay("audit", "company", "other", "--quiet").out == ""


def test_absent_project_is_an_error(wheelrelay, index):
    ended = wheelrelay("audit", "company", "sampel")
    assert ended.code == 3
    assert "absent" in ended.out


def test_whole_of_pypi_is_refused(wheelrelay, here):
    ended = wheelrelay("audit", "pypi")
    assert ended.code == 2
    assert "too many projects" in ended.err


def test_page_that_cannot_be_read_is_an_error_of_its_project(wheelrelay, index, web):
    index.serve("/simple/sample/", b"", status=403)
    index.statuses["sample"] = "active"
    ended = wheelrelay("audit", "company", "sample", "other", "--json")
    issues = json.loads(ended.out)["issues"]
    assert ended.code == 3
    assert [issue["project"] for issue in issues] == ["sample"]


def test_json_has_a_schema_and_is_read_back(wheelrelay, index):
    ended = wheelrelay("audit", "company", "--json")
    schema = json.loads(wheelrelay("config", "schema", "audit").out)
    document = json.loads(ended.out)
    Draft202012Validator(schema).validate(document)
    assert document["files"][0]["filename"] == "other-1.0.tar.gz"
    assert audit_document(parse_audit(ended.out)) == document


def test_files_that_vanished_since_an_earlier_audit_are_reported(wheelrelay, index, here):
    (here / "earlier.json").write_text(wheelrelay("audit", "company", "other", "--json").out)
    index.lose("other-1.0.tar.gz")
    ended = wheelrelay("audit", "company", "other", "--since", "earlier.json")
    assert ended.code == 3
    assert "vanished  other 1.0  1 file has vanished. other-1.0.tar.gz" in ended.out


def test_files_that_vanished_since_a_relay_are_reported(wheelrelay, here):
    make_sdist(here / "dist", "sample")
    assert wheelrelay("push", "dist", "--to", "./shelf", "--receipt", "receipt.json").code == 0
    assert wheelrelay("audit", "./shelf", "--since", "receipt.json").code == 0
    receipt = read_receipt("receipt.json")
    (here / "shelf" / "sample-1.0.tar.gz").unlink()
    assert [issue.check for issue in audit("./shelf", earlier=receipt).issues] == ["vanished"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 2}', '{"format": 1, "time": "x"}'])
def test_file_that_is_no_audit_is_refused(wheelrelay, index, here, text):
    (here / "earlier.json").write_text(text)
    ended = wheelrelay("audit", "company", "other", "--since", "earlier.json")
    assert ended.code == 2
    assert "audit" in ended.err


def test_other_digests_at_another_index_are_reported(wheelrelay, index, here):
    make_sdist(here / "shelf", "other", payload=b"other bytes")
    assert wheelrelay("index", "./shelf").code == 0
    ended = wheelrelay("audit", "company", "other", "--against", "./shelf")
    assert "differs" in ended.out
    assert "1 file is at ./shelf with another sha256. other-1.0.tar.gz" in ended.out


def test_writes_a_page_that_loads_nothing(wheelrelay, index, here):
    index.take(make_wheel(here / "made", "third"))
    index.yank("third-1.0-py3-none-any.whl", "<script>alert(1)</script>")
    assert wheelrelay("audit", "company", "--html", "audit.html").code == 3
    page = (here / "audit.html").read_text()
    assert "<title>Audit of company</title>" in page
    assert "default-src &#x27;none&#x27;" in page
    assert "No wheel for CPython 3.13 on Windows amd64." in page
    assert "&lt;script&gt;" in page
    assert "<script" not in page
    assert "<li>other</li>" in page


def test_adds_the_issues_to_the_job_summary(wheelrelay, index, here, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(here / "summary.md"))
    wheelrelay("audit", "company")
    assert "| error | `incomplete` | sample 1\\.1 |" in (here / "summary.md").read_text()
