"""A mirror of an index lists what the index lists about its files, and installers respect it."""

import json
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tests.servers.installers import pip_install, uv_install
from tests.servers.pypi import run_pypi

import wheelrelay
from wheelrelay import Action, Outcome, Remote, Route
from wheelrelay.backends.local.directory import DirectoryConfig
from wheelrelay.errors import CheckFailed
from wheelrelay.model import ProjectStatus
from wheelrelay.testing import make_wheel

OLD, NEW = (f"sample-{version}-py3-none-any.whl" for version in ("1.0", "2.0"))


@pytest.fixture
def index(tmp_path):
    """Run an index with two versions of a project that are 30 days old."""
    with run_pypi() as index:
        for version in ("1.0", "2.0"):
            index.take(make_wheel(tmp_path / "made", "sample", version))
        index.show_all()
        index.age(days=30)
        yield index


@pytest.fixture
def folder(tmp_path):
    """Return the directory of the mirror."""
    return tmp_path / "mirror"


def route(index, folder, **keys):
    """Return a route that mirrors the index."""
    source = wheelrelay.IndexConfig(url=index.simple_url)
    sink = DirectoryConfig(path=folder, pages=True)
    return Route(**{"source": source, "sinks": [sink], "projects": ["sample"], "mode": "mirror", **keys})


def mirror(index, folder, **keys):
    """Mirror the index, and return the outcome of each file."""
    receipt = wheelrelay.relay(route(index, folder, **keys))
    return {file.filename: next(iter(file.sinks.values())).outcome for file in receipt.files}


def planned(index, folder):
    """Return the action and the reason for each file."""
    plan = wheelrelay.plan(route(index, folder))
    intents = {file.file.filename: next(iter(file.sinks.values())) for file in plan.files}
    return {name: (intent.action, intent.reason) for name, intent in intents.items()}


def listed(folder):
    """Return the files of the project's page by filename."""
    document = json.loads((folder / "simple/sample/index.json").read_text())
    return {file["filename"]: file for file in document["files"]}


def file_requests(index):
    """Return the paths of the files that were downloaded."""
    return [request.path for request in index.requests if request.path.startswith("/files/")]


@contextmanager
def served(folder):
    """Serve a directory, with JSON for clients that accept it, and yield the URL of its index."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, args=[0.01])
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/simple/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(SimpleHTTPRequestHandler):
    """Chooses between the pages of a folder by the header ``Accept``."""

    def send_head(self):
        if self.path.endswith("/") and "simple.v1+json" in self.headers.get("Accept", ""):
            self.path += "index.json"
        return super().send_head()

    def guess_type(self, path):
        is_json = path.endswith("index.json")
        return "application/vnd.pypi.simple.v1+json" if is_json else super().guess_type(path)

    def log_message(self, *_):
        pass


def test_first_run_keeps_upload_times(index, folder):
    assert mirror(index, folder) == {OLD: Outcome.PUBLISHED, NEW: Outcome.PUBLISHED}
    uploaded = datetime.fromisoformat(listed(folder)[OLD]["upload-time"])
    assert datetime.now(UTC) - uploaded > timedelta(days=29)
    assert mirror(index, folder) == {OLD: Outcome.SKIPPED, NEW: Outcome.SKIPPED}


def test_later_run_yanks_and_restores_without_transfer(index, folder):
    mirror(index, folder)
    index.requests.clear()
    index.yank(NEW, "broken")
    assert planned(index, folder) == {
        OLD: (Action.SKIP, "the same bytes exist"),
        NEW: (Action.UPDATE, "yanked upstream: broken"),
    }
    assert mirror(index, folder) == {OLD: Outcome.SKIPPED, NEW: Outcome.UPDATED}
    assert listed(folder)[NEW]["yanked"] == "broken"
    assert mirror(index, folder) == {OLD: Outcome.SKIPPED, NEW: Outcome.SKIPPED}
    index.yank(NEW, None)
    assert mirror(index, folder)[NEW] is Outcome.UPDATED
    assert "yanked" not in listed(folder)[NEW]
    assert file_requests(index) == []


def test_yanked_file_is_not_published_to_a_sink_that_lacks_it(index, folder, tmp_path):
    mirror(index, folder)
    index.yank(NEW, "broken")
    other = tmp_path / "other"
    sinks = [Remote(path.name, DirectoryConfig(path=path, pages=True)) for path in (folder, other)]
    receipt = wheelrelay.relay(route(index, folder, sinks=sinks))
    outcomes = {file.filename: [sent.outcome for sent in file.sinks.values()] for file in receipt.files}
    assert outcomes == {OLD: [Outcome.SKIPPED, Outcome.PUBLISHED], NEW: [Outcome.UPDATED, Outcome.SKIPPED]}
    assert list(listed(other)) == [OLD]
    assert not (other / NEW).exists()


def test_own_yank_is_not_an_update(index, folder):
    mirror(index, folder)
    wheelrelay.yank(DirectoryConfig(path=folder, pages=True), [NEW], reason="ours")
    assert mirror(index, folder) == {OLD: Outcome.SKIPPED, NEW: Outcome.SKIPPED}
    assert listed(folder)[NEW]["yanked"] == "ours"


def test_status_of_the_project_follows(index, folder):
    mirror(index, folder)
    index.statuses["sample"] = "archived"
    assert set(mirror(index, folder).values()) == {Outcome.UPDATED}
    with DirectoryConfig(path=folder, pages=True).open() as store:
        assert store.project_status("sample") == ProjectStatus("archived")
    assert set(mirror(index, folder).values()) == {Outcome.SKIPPED}


def test_release_does_not_change_yanked_state(index, folder):
    mirror(index, folder)
    index.yank(NEW, "broken")
    assert mirror(index, folder, mode="release", projects=["sample==2.0"]) == {NEW: Outcome.SKIPPED}
    assert "yanked" not in listed(folder)[NEW]


def test_new_files_are_left_out_of_a_mirror(index, folder, tmp_path):
    index.take(make_wheel(tmp_path / "made", "sample", "3.0"))
    receipt = wheelrelay.relay(route(index, folder, min_age="7d"))
    assert [file.filename for file in receipt.files] == [OLD, NEW]
    [finding] = receipt.findings
    assert finding.check == "too-new"
    assert "Left out 1 file uploaded less than 7d ago: sample-3.0-py3-none-any.whl." in finding.message


def test_release_of_new_files_is_refused(index, folder, tmp_path):
    index.take(make_wheel(tmp_path / "made", "sample", "3.0"))
    with pytest.raises(CheckFailed) as raised:
        mirror(index, folder, mode="release", projects=["sample==3.0"], min_age="7d")
    assert [finding.check for finding in raised.value.findings] == ["too-new"]


@pytest.mark.parametrize(("unknown_age", "count"), [(None, 0), ("skip", 0), ("take", 1)])
def test_unknown_age_is_skipped_unless_configured(tmp_path, web, unknown_age, count):
    wheel = make_wheel(tmp_path / "made", "sample", "1.0")
    web.serve(f"/{wheel.name}", wheel)
    web.serve("/simple/sample/", f'<h1>Links for sample</h1><a href="/{wheel.name}">it</a>')
    source = wheelrelay.IndexConfig(url=f"{web.url}simple/", min_age="1d", unknown_age=unknown_age)
    receipt = wheelrelay.relay(
        Route(source=source, sinks=[str(tmp_path / "there")], projects=["sample"], mode="mirror")
    )
    assert len(receipt.files) == count
    assert [finding.check for finding in receipt.findings] == ["age-unknown"] * (1 - count)


def test_installers_avoid_yanked_files_unless_pinned(index, folder, tmp_path):
    mirror(index, folder)
    index.yank(NEW, "broken on Windows")
    mirror(index, folder)
    with served(folder) as url:
        for name, install in (("pip", pip_install), ("uv", uv_install)):
            options = ("--index-url", url)
            assert install(tmp_path / f"{name}1", *options, "sample") == ["sample-1.0"]
            assert install(tmp_path / f"{name}2", *options, "sample==2.0") == ["sample-2.0"]


def test_pip_shows_the_reason_of_a_yanked_file(index, folder, tmp_path):
    index.yank(NEW, "broken on Windows")
    mirror(index, folder, projects=["sample==2.0"])
    with served(folder) as url:
        log = tmp_path / "pip.log"
        pip_install(tmp_path / "pip", "--index-url", url, "--log", str(log), "sample==2.0")
    assert "Reason for being yanked: broken on Windows" in log.read_text()


def test_uv_excludes_newer_files_by_the_upload_time_of_upstream(index, folder, tmp_path):
    made = make_wheel(tmp_path / "made", "sample", "3.0")
    index.take(made)
    mirror(index, folder)
    week = (datetime.now(UTC) - timedelta(days=7)).strftime("%Y-%m-%dT%H:%M:%SZ")
    with served(folder) as url:
        options = ("--index-url", url, "--exclude-newer", week)
        assert uv_install(tmp_path / "uv", *options, "sample") == ["sample-2.0"]
