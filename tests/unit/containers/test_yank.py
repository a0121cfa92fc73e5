"""Containers yank files on their pages, and keep what upstream lists about them."""

import json
from datetime import UTC, datetime

import pytest

import wheelrelay
from wheelrelay.backends.local.directory import DirectoryConfig
from wheelrelay.containers.project_state import parse_state
from wheelrelay.errors import ConfigError, NothingMatched
from wheelrelay.filenames import dist_file
from wheelrelay.model import ProjectStatus
from wheelrelay.testing import make_wheel, stage_path

WHEEL = "sample-1.0-py3-none-any.whl"
OTHER = "sample-2.0-py3-none-any.whl"
TIME = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path):
    """Return a directory with two wheels of a project and index pages."""
    with DirectoryConfig(path=tmp_path / "container", pages=True).open() as store:
        for version in ("1.0", "2.0"):
            store.put(stage_path(make_wheel(tmp_path / "made", "sample", version)))
        store.finalize(["sample"])
    return tmp_path / "container"


def page(folder, project="sample"):
    """Return the JSON page of a project."""
    return json.loads((folder / "simple" / project / "index.json").read_text())


def yanked(folder):
    """Return the yanked state of each file on the page of the project."""
    return {file["filename"]: file.get("yanked", False) for file in page(folder)["files"]}


def record(folder, *files, status=None):
    """Record what upstream lists about files, and update the pages."""
    with DirectoryConfig(path=folder, pages=True).open() as store:
        digests = {file.filename: file.digests for file in store.inventory("sample")}
        described = [
            dist_file(name, digests=digests[name], upload_time=TIME, yanked=reason) for name, reason in files
        ]
        store.record_upstream("sample", described, status, {})
        store.finalize(["sample"])


def test_yank_changes_all_pages(folder):
    [changed] = wheelrelay.yank(str(folder), [WHEEL], reason="broken")
    assert changed.filename == WHEEL
    assert yanked(folder) == {WHEEL: "broken", OTHER: False}
    assert 'data-yanked="broken"' in (folder / "simple/sample/index.html").read_text()
    assert 'data-yanked="broken"' in (folder / "index.html").read_text()
    assert wheelrelay.check_index(str(folder)) == []
    listed = {
        file.filename: file.yanked
        for file in wheelrelay.list_files(DirectoryConfig(path=folder, pages=True), ["sample==1.0"])
    }
    assert listed == {WHEEL: "broken"}


def test_undo_restores_a_file(folder):
    wheelrelay.yank(str(folder), [WHEEL])
    assert yanked(folder)[WHEEL] is True
    wheelrelay.yank(str(folder), [WHEEL], undo=True)
    assert yanked(folder) == {WHEEL: False, OTHER: False}


def test_dry_run_changes_nothing(folder):
    assert [file.filename for file in wheelrelay.yank(str(folder), [WHEEL], dry_run=True)] == [WHEEL]
    assert yanked(folder)[WHEEL] is False


def test_yanking_again_changes_nothing(folder):
    wheelrelay.yank(str(folder), [WHEEL], reason="broken")
    assert wheelrelay.yank(str(folder), [WHEEL], reason="broken") == []


def test_missing_file_prevents_the_whole_change(folder):
    with pytest.raises(NothingMatched, match="nothing was yanked"):
        wheelrelay.yank(str(folder), [WHEEL, "sample-3.0-py3-none-any.whl"])
    assert yanked(folder)[WHEEL] is False


def test_container_without_pages_is_refused(tmp_path):
    path = make_wheel(tmp_path / "plain", "sample", "1.0")
    with pytest.raises(ConfigError, match="no index pages"):
        wheelrelay.yank(str(tmp_path / "plain"), [path.name])


def test_index_is_refused():
    with pytest.raises(ConfigError, match="cannot be yanked at 'index'"):
        wheelrelay.yank(wheelrelay.IndexConfig(url="http://127.0.0.1:9/simple/"), [WHEEL])


def test_yanked_state_survives_new_pages(folder):
    wheelrelay.yank(str(folder), [WHEEL], reason="broken")
    (folder / "simple/sample/index.json").unlink()
    (folder / "simple/index.json").unlink()
    wheelrelay.index(str(folder))
    assert yanked(folder)[WHEEL] == "broken"


def test_replaced_bytes_are_not_yanked(folder, tmp_path):
    wheelrelay.yank(str(folder), [WHEEL], reason="broken")
    other = make_wheel(tmp_path / "other", "sample", "1.0", metadata={"Summary": "Repaired"})
    wheelrelay.push([other], to=str(folder), options=wheelrelay.PublishOptions(replace=True))
    assert yanked(folder)[WHEEL] is False


def test_pages_list_the_upload_time_of_upstream(folder):
    record(folder, (WHEEL, None))
    times = {file["filename"]: file["upload-time"] for file in page(folder)["files"]}
    assert times[WHEEL] == "2024-05-06T07:08:09Z"
    assert not times[OTHER].startswith("2024-05")
    [file, _] = wheelrelay.list_files(DirectoryConfig(path=folder, pages=True))
    assert file.upload_time == TIME


def test_upstream_yank_is_kept_current(folder):
    record(folder, (WHEEL, "bad"))
    assert yanked(folder)[WHEEL] == "bad"
    record(folder, (WHEEL, None))
    assert yanked(folder)[WHEEL] is False


def test_own_yank_outlives_upstream_changes(folder):
    wheelrelay.yank(str(folder), [WHEEL], reason="ours")
    record(folder, (WHEEL, "theirs"))
    record(folder, (WHEEL, None))
    assert yanked(folder)[WHEEL] == "ours"


def test_own_undo_outlives_upstream_yank(folder):
    record(folder, (WHEEL, "theirs"))
    wheelrelay.yank(str(folder), [WHEEL], undo=True)
    record(folder, (WHEEL, "theirs"))
    assert yanked(folder)[WHEEL] is False


def test_pages_show_the_status_with_its_reason(folder):
    record(folder, (WHEEL, None), status=ProjectStatus("deprecated", "Use other."))
    assert page(folder)["project-status"] == {"status": "deprecated", "reason": "Use other."}
    html = (folder / "simple/sample/index.html").read_text()
    assert '<meta name="pypi:project-status" content="deprecated">' in html
    assert '<meta name="pypi:project-status-reason" content="Use other.">' in html
    with DirectoryConfig(path=folder, pages=True).open() as store:
        assert store.project_status("Sample") == ProjectStatus("deprecated", "Use other.")
        assert store.project_status("other") is None


def test_files_of_a_quarantined_project_are_not_offered(folder):
    record(folder, (WHEEL, None), status=ProjectStatus("quarantined"))
    assert page(folder)["files"] == []
    assert ".whl" not in (folder / "simple/sample/index.html").read_text()
    assert ".whl" not in (folder / "index.html").read_text()
    assert wheelrelay.check_index(str(folder)) == []
    record(folder, (WHEEL, None), status=ProjectStatus())
    assert [file["filename"] for file in page(folder)["files"]] == [WHEEL, OTHER]


def test_damaged_document_counts_as_empty():
    assert parse_state(b"[") == parse_state(b"[]") == parse_state(b'{"files": {"a": 1}}') == parse_state(b"")


DAMAGES = {
    "truncated": lambda content: content[: len(content) // 2],
    "empty": lambda _: b"",
    "no document": lambda _: b"[]",
    "nested": lambda _: 100_000 * b"[",
    "other type": lambda content: content.replace(b'"2024-05-06T07:08:09+00:00"', b"5"),
    "no key": lambda content: content.replace(b'"yanked-here"', b'"other"'),
    "newer": lambda content: content.replace(b'"files"', b'"version":9,"files"'),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_own_yank_survives_a_damaged_document(folder, damage):
    record(folder, (WHEEL, None), (OTHER, None))
    wheelrelay.yank(str(folder), [WHEEL], reason="broken")
    document = folder / "simple/sample/state.json"
    before = document.read_bytes()
    document.write_bytes(damage(before))
    assert document.read_bytes() != before
    record(folder, (OTHER, "obsolete"))
    assert yanked(folder) == {WHEEL: "broken", OTHER: "obsolete"}
    assert wheelrelay.check_index(str(folder)) == []
