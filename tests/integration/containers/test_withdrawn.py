"""A mirror follows an index that withdraws files: quarantined projects, and those that are yanked whole."""

import json

import pytest
from tests.integration.containers.test_upstream_state import listed, served
from tests.servers.installers import pip_download
from tests.servers.pypi import run_pypi

import wheelrelay
from wheelrelay import Outcome, Route
from wheelrelay.backends.local.directory import DirectoryConfig
from wheelrelay.errors import NothingMatched
from wheelrelay.testing import make_wheel

OLD, NEW = (f"sample-{version}-py3-none-any.whl" for version in ("1.0", "2.0"))
OTHER = "other-1.0-py3-none-any.whl"


@pytest.fixture
def index(tmp_path):
    """Run an index with two projects."""
    with run_pypi() as index:
        for project, version in (("sample", "1.0"), ("sample", "2.0"), ("other", "1.0")):
            index.take(make_wheel(tmp_path / "made", project, version))
        index.show_all()
        yield index


@pytest.fixture
def folder(tmp_path):
    """Return the directory of the mirror."""
    return tmp_path / "mirror"


def mirror(index, folder, *projects, **keys):
    """Mirror projects, and return the outcome of each file and the ids of the findings."""
    source = wheelrelay.IndexConfig(url=index.simple_url)
    sinks = [DirectoryConfig(path=folder, pages=True)]
    route = Route(**{"source": source, "sinks": sinks, "projects": projects, "mode": "mirror", **keys})
    receipt = wheelrelay.relay(route)
    outcomes = {file.filename: next(iter(file.sinks.values())).outcome for file in receipt.files}
    return outcomes, [finding.check for finding in receipt.findings]


def status(folder):
    """Return the status on the page of the project."""
    document = json.loads((folder / "simple/sample/index.json").read_text())
    return document["project-status"]


@pytest.mark.parametrize("projects", [("sample",), ("sample", "other"), ()])
def test_files_of_a_quarantined_project_are_kept_and_not_offered(index, folder, projects):
    mirror(index, folder, *projects)
    index.statuses["sample"] = "quarantined"
    outcomes, findings = mirror(index, folder, *projects)
    assert {name: outcomes[name] for name in (OLD, NEW)} == dict.fromkeys((OLD, NEW), Outcome.UPDATED)
    assert outcomes.get(OTHER, Outcome.SKIPPED) is Outcome.SKIPPED
    assert findings == ["project-quarantined"]
    assert listed(folder) == {}
    assert status(folder) == {"status": "quarantined"}
    assert "quarantined" in (folder / "simple/sample/index.html").read_text()
    assert (folder / OLD).exists()
    assert wheelrelay.check_index(DirectoryConfig(path=folder, pages=True)) == []


def test_run_without_changes_updates_no_quarantined_project(index, folder):
    mirror(index, folder, "sample")
    index.statuses["sample"] = "quarantined"
    mirror(index, folder, "sample")
    assert mirror(index, folder, "sample") == (
        {OLD: Outcome.SKIPPED, NEW: Outcome.SKIPPED},
        ["project-quarantined"],
    )


def test_files_are_offered_again_when_the_quarantine_ends(index, folder):
    index.yank(OLD, "old")
    index.yank(NEW, None)
    mirror(index, folder, "sample==1.0")
    mirror(index, folder, "sample")
    index.statuses["sample"] = "quarantined"
    mirror(index, folder, "sample")
    del index.statuses["sample"]
    outcomes, findings = mirror(index, folder, "sample")
    assert outcomes == {OLD: Outcome.UPDATED, NEW: Outcome.UPDATED}
    assert findings == []
    assert status(folder) == {"status": "active"}
    assert {name: file.get("yanked") for name, file in listed(folder).items()} == {OLD: "old", NEW: None}


def test_pip_finds_nothing_of_a_quarantined_project(index, folder, tmp_path):
    mirror(index, folder, "sample")
    index.statuses["sample"] = "quarantined"
    mirror(index, folder, "sample")
    with served(folder) as url, pytest.raises(RuntimeError, match="from versions: none"):
        pip_download(tmp_path / "there", "--index-url", url, "sample")


def test_mirror_without_files_of_a_quarantined_project_succeeds(index, folder):
    index.statuses["sample"] = "quarantined"
    assert mirror(index, folder, "sample") == ({}, ["project-quarantined"])


def test_project_that_is_yanked_whole_is_no_error(index, folder):
    mirror(index, folder, "sample")
    for name in (OLD, NEW):
        index.yank(name, "withdrawn")
    outcomes, findings = mirror(index, folder, "sample")
    assert outcomes == {OLD: Outcome.UPDATED, NEW: Outcome.UPDATED}
    assert findings == ["all-yanked"]
    assert {file["yanked"] for file in listed(folder).values()} == {"withdrawn"}


def test_mirror_gets_no_files_of_a_project_that_is_yanked_whole(index, folder):
    for name in (OLD, NEW):
        index.yank(name)
    assert mirror(index, folder, "sample") == ({}, ["all-yanked"])
    assert mirror(index, folder, "sample==1.0")[0] == {OLD: Outcome.PUBLISHED}


def test_release_of_yanked_files_is_refused(index, folder):
    index.yank(OLD)
    index.yank(NEW)
    with pytest.raises(NothingMatched, match="No file matches sample"):
        mirror(index, folder, "sample", mode="release")


def test_unknown_project_is_an_error(index, folder):
    with pytest.raises(NothingMatched, match="No files of nothing found"):
        mirror(index, folder, "nothing")
