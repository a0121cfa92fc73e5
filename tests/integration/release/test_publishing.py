"""Publishing copes with failures of the index; the request log of the test index shows how."""

import threading
import time
from itertools import pairwise

import pytest
from tests.integration.release.conftest import SDIST, WHEELS, index_table
from tests.servers.pypi_troubles import Point, Trouble

import wheelrelay
from wheelrelay.events import FileEnded
from wheelrelay.records import Outcome
from wheelrelay.testing import make_wheel


def outcomes(receipt, sink="warehouse"):
    """Return the outcome of each file in a receipt."""
    return {file["filename"]: file["sinks"][sink]["outcome"] for file in receipt["files"]}


def attempts(receipt, sink="warehouse"):
    return {file["filename"]: file["sinks"][sink]["attempts"] for file in receipt["files"]}


class TestOrder:
    def test_publishes_wheels_in_parallel_and_sdist_after_confirmation(self, project, pypi, relay):
        pypi.slowness, pypi.lag = 0.2, 0.4
        assert relay().code == 0
        *wheels, sdist = pypi.uploads
        assert pypi.most_uploads_at_once == 4
        assert sorted(upload.filename for upload in wheels) == sorted(WHEELS)
        assert sdist.filename == SDIST
        assert sdist.began > max(upload.ended for upload in wheels)
        assert sdist.began > max(pypi.files[name].shown_at for name in WHEELS)

    def test_any_order_publishes_all_in_parallel(self, project, pypi, relay):
        project.configure("warehouse", remotes=index_table(pypi), route='order = "any"')
        pypi.slowness = 0.2
        assert relay().code == 0
        assert pypi.most_uploads_at_once == 5
        assert pypi.digests() == project.digests()

    def test_jobs_limit_parallel_uploads(self, pypi, relay):
        pypi.slowness = 0.05
        assert relay("--jobs", "2").code == 0
        assert pypi.most_uploads_at_once == 2


class TestTemporaryFailures:
    @pytest.mark.parametrize(
        "trouble",
        [
            Trouble(503, retry_after="0"),
            Trouble(500, retry_after="0"),
            Trouble(408, retry_after="0"),
            Trouble(429, "Too many new projects", retry_after="0"),
            Trouble(None),
            Trouble(None, in_body=1_500),
        ],
        ids=["503", "500", "408", "429", "reset", "reset in the body"],
    )
    def test_retries_the_upload(self, project, pypi, relay, trouble):
        pypi.trouble("" if trouble.in_body else WHEELS[0], trouble)
        done = relay("--json")
        assert done.code == 0
        assert sorted(attempts(done.json()).values()) == [1, 1, 1, 1, 2]
        assert len(pypi.uploads) == 6
        assert pypi.digests() == project.digests()

    @pytest.mark.parametrize(
        "trouble",
        [Trouble(503, taken=True, retry_after="0"), Trouble(None, taken=True)],
        ids=["503", "reset"],
    )
    def test_resolves_lost_answer_by_reading_not_by_sending_again(self, project, pypi, relay, trouble):
        pypi.trouble(WHEELS[0], trouble)
        done = relay("--json")
        assert done.code == 0
        assert set(outcomes(done.json()).values()) == {"published"}
        assert pypi.sent().count(WHEELS[0]) == 1
        assert pypi.digests() == project.digests()

    def test_resolves_lost_answer_although_the_page_lags(self, project, pypi, relay):
        pypi.lag = 1.0
        pypi.trouble(SDIST, Trouble(503, taken=True, retry_after="0"))
        done = relay("--json")
        assert done.code == 0
        assert set(outcomes(done.json()).values()) == {"published"}
        assert pypi.digests() == project.digests()

    def test_honours_retry_after(self, pypi, relay):
        pypi.trouble(WHEELS[0], Trouble(429, retry_after="2"))
        assert relay().code == 0
        first, second = (upload for upload in pypi.uploads if upload.filename == WHEELS[0])
        assert 2.0 <= second.began - first.ended < 8.0

    def test_pauses_double_without_retry_after(self, pypi, relay):
        pypi.trouble(WHEELS[0], *[Trouble(503)] * 2)
        assert relay().code == 0
        tries = [upload for upload in pypi.uploads if upload.filename == WHEELS[0]]
        pauses = [after.began - before.ended for before, after in pairwise(tries)]
        assert len(pauses) == 2
        assert pauses[0] >= 0.25
        assert pauses[1] >= 0.5

    def test_limits_attempts(self, pypi, relay):
        pypi.trouble("", *[Trouble(503, "Busy", retry_after="0")] * 1_000)
        done = relay("--jobs", "1", "--json")
        assert done.code == 1
        assert pypi.sent() == [WHEELS[0]] * 5
        assert set(outcomes(done.json()).values()) == {"failed", "pending"}
        assert "503: Busy" in done.err


class TestRefusals:
    @pytest.mark.parametrize(
        ("trouble", "words"),
        [
            (Trouble(400, "The description failed to render"), "400: The description failed to render"),
            (Trouble(403, "The user ci isn't allowed to upload"), "403: The user ci isn't allowed"),
        ],
        ids=["400", "403"],
    )
    def test_refusal_stops_new_uploads_and_completes_running_ones(
        self, project, pypi, relay_beside, relay, trouble, words
    ):
        """One of three running uploads is refused: the others are completed, and no further one begins."""
        held = pypi.hold(Point.RECEIVED, WHEELS[0]), pypi.hold(Point.RECEIVED, WHEELS[2])
        refused = pypi.hold(Point.RECEIVED, WHEELS[1])
        pypi.trouble(WHEELS[1], trouble)
        reported = threading.Event()

        def listen(event):
            if isinstance(event, FileEnded) and event.error:
                reported.set()

        future = relay_beside(jobs=3, progress=listen)
        for hold in (*held, refused):
            hold.await_reached()
        refused.let_go()
        assert reported.wait(30)
        time.sleep(0.1)
        for hold in held:
            hold.let_go()
        with pytest.raises(wheelrelay.RelayFailed) as failed:
            future.result(60)
        assert words in str(failed.value)
        assert sorted(pypi.sent()) == sorted(WHEELS[:3])
        found = {file.filename: file.sinks["warehouse"].outcome for file in failed.value.receipt.files}
        assert found == {
            WHEELS[0]: Outcome.PUBLISHED,
            WHEELS[1]: Outcome.FAILED,
            WHEELS[2]: Outcome.PUBLISHED,
            WHEELS[3]: Outcome.PENDING,
            SDIST: Outcome.PENDING,
        }
        assert set(pypi.digests()) == {WHEELS[0], WHEELS[2]}
        assert relay().code == 0
        assert pypi.digests() == project.digests()

    def test_same_command_completes_partial_release(self, project, pypi, relay):
        pypi.trouble(SDIST, Trouble(400, "No"))
        done = relay("--json")
        assert done.code == 4
        assert outcomes(done.json()) == {**dict.fromkeys(WHEELS, "published"), SDIST: "failed"}
        assert "warehouse has 4 of 5 files" in done.err
        assert "same command again" in done.err
        done = relay("--json")
        assert done.code == 0
        assert outcomes(done.json()) == {**dict.fromkeys(WHEELS, "skipped"), SDIST: "published"}
        assert sorted(pypi.sent()) == sorted([*WHEELS, SDIST, SDIST])

    def test_shows_refusal_of_a_used_name(self, project, pypi, relay):
        assert relay().code == 0
        pypi.delete(SDIST)
        done = relay("--json")
        assert done.code == 1
        assert outcomes(done.json())[SDIST] == "failed"
        assert "previously used" in done.err

    def test_name_taken_by_another_upload_is_a_failure(self, project, pypi, relay_beside):
        own, others = pypi.hold(Point.RECEIVED, SDIST), project.folder / "others"
        future = relay_beside()
        own.await_reached()
        make_wheel(others, "sample", "1.0", "py3-none-any")
        (others / "sample-1.0-py3-none-any.whl").rename(others / SDIST)
        pypi.take(others / SDIST)
        own.let_go()
        with pytest.raises(wheelrelay.RelayFailed, match="other content") as failed:
            future.result(60)
        assert failed.value.receipt.files[-1].sinks["warehouse"].outcome is Outcome.FAILED

    def test_wrong_credentials_publish_nothing(self, pypi, relay, monkeypatch):
        monkeypatch.setenv("WAREHOUSE_TOKEN", "pypi-wrong")
        done = relay()
        assert done.code == 1
        assert pypi.digests() == {}
        assert "authentication information" in done.err


class TestCredentials:
    @pytest.mark.parametrize("blind", [False, True])
    def test_missing_secret_of_second_sink_stops_first_sink(
        self, project, pypi, second, relay, monkeypatch, blind
    ):
        """Even if the second sink is not read, so that only publishing needs the secret."""
        mirror = index_table(second, "mirror", profile="index", keys='confirm = "none"' if blind else "")
        if blind:
            mirror = mirror.replace(f'url = "{second.simple_url}"\n', "")
        project.configure("warehouse", "mirror", remotes=index_table(pypi) + mirror)
        monkeypatch.delenv("MIRROR_TOKEN")
        done = relay()
        assert done.code == 2
        assert "MIRROR_TOKEN" in done.err
        assert pypi.uploads == second.uploads == []

    @pytest.mark.parametrize("status", [301, 302, 307, 308])
    def test_uploads_do_not_follow_redirects(self, project, pypi, second, web, relay, status):
        web.redirect("/legacy/", second.upload_url, status=status)
        remotes = index_table(pypi).replace(pypi.upload_url, web.url + "legacy/")
        project.configure("warehouse", remotes=remotes)
        done = relay()
        assert done.code == 1
        assert second.uploads == []
        assert second.requests == []
        assert f"redirects uploads to {second.upload_url}" in done.err

    @pytest.mark.parametrize("read", [True, False])
    def test_reserved_namespace_is_a_refusal_not_an_existing_file(self, project, pypi, web, relay, read):
        """PEP 752 prescribes 409, which many indexes return for an existing filename."""
        answer = "<title>409 Conflict</title><p>sample is in the reserved namespace sam.</p>"
        url = web.serve("/legacy/", answer, status=409)
        remotes = index_table(pypi, keys="" if read else 'confirm = "none"').replace(pypi.upload_url, url)
        if not read:
            remotes = remotes.replace(f'url = "{pypi.simple_url}"\n', "")
        project.configure("warehouse", remotes=remotes)
        done = relay()
        assert done.code == 1
        assert "sample is in the reserved namespace sam" in done.err
        assert "Choose another name" in done.err
        assert "already" not in done.err


class TestSeveralSinks:
    @pytest.fixture
    def both(self, project, pypi, second):
        remotes = index_table(second, "mirror") + index_table(pypi)
        project.configure("mirror", "warehouse", remotes=remotes)

    def test_second_sink_follows_confirmed_first_sink(self, project, pypi, second, relay, both):
        second.lag = 0.5
        done = relay("--json")
        assert done.code == 0
        assert pypi.digests() == second.digests() == project.digests()
        last = max(there.shown_at for there in second.files.values())
        assert min(upload.began for upload in pypi.uploads) > last

    def test_refusal_of_first_sink_leaves_second_untouched(self, project, pypi, second, relay, both):
        second.trouble(SDIST, Trouble(400, "No"))
        done = relay("--json")
        assert done.code == 4
        assert set(outcomes(done.json()).values()) == {"pending"}
        assert pypi.uploads == []
        assert relay().code == 0
        assert pypi.digests() == second.digests() == project.digests()

    def test_skips_files_at_first_sink_and_publishes_at_second(self, project, pypi, second, relay, both):
        assert relay().code == 0
        for name in WHEELS[:2]:
            pypi.lose(name)
        second.uploads.clear()
        done = relay("--json")
        assert done.code == 0
        assert set(outcomes(done.json(), "mirror").values()) == {"skipped"}
        assert second.uploads == []
        assert pypi.digests() == project.digests()

    def test_stages_files_once_for_all_sinks(self, project, pypi, second, web, relay):
        page = web.serve_folder(project.dist, "/files/")
        remotes = index_table(second, "mirror") + index_table(pypi)
        remotes += f'[remotes.listing]\ntype = "listing"\nurl = "{page}"\n'
        project.configure("mirror", "warehouse", remotes=remotes)
        path = project.folder / "wheelrelay.toml"
        path.write_text(path.read_text().replace('source = "staging"', 'source = "listing"'))
        assert relay().code == 0
        fetched = [path for path in web.paths() if path.endswith((".whl", ".gz"))]
        assert sorted(fetched) == sorted(set(fetched))


class TestMirror:
    @pytest.fixture(autouse=True)
    def mirrored(self, project, pypi, web):
        """Files of two versions on a page of links; one is broken."""
        make_wheel(project.dist, "sample", "2.0")
        make_wheel(project.dist, "sample", "2.0", "cp312-cp312-linux_x86_64")
        page = web.serve_folder(project.dist, "/files/")
        remotes = index_table(pypi) + f'[remotes.listing]\ntype = "listing"\nurl = "{page}"\n'
        project.configure("warehouse", remotes=remotes, route='mode = "mirror"')
        path = project.folder / "wheelrelay.toml"
        path.write_text(path.read_text().replace('source = "staging"', 'source = "listing"'))

    def test_reports_failed_files_and_publishes_the_others(self, project, pypi, web, relay):
        web.serve(f"/files/{WHEELS[0]}", b"<html>Log in</html>", content_type="text/html")
        pypi.trouble(WHEELS[1], Trouble(400, "No"))
        done = relay("--json")
        assert done.code == 4
        bad = {WHEELS[0], WHEELS[1], "sample-2.0-cp312-cp312-linux_x86_64.whl"}
        expected = {name: digest for name, digest in project.digests().items() if name not in bad}
        assert pypi.digests() == expected
        assert {name for name, outcome in outcomes(done.json()).items() if outcome == "failed"} == bad
        assert [found["check"] for found in done.json()["findings"]] == ["platform-tag"]

    def test_second_run_publishes_only_new_files(self, pypi, relay):
        assert relay().code == 4
        there = pypi.digests()
        assert len(there) == 6
        pypi.uploads.clear()
        assert relay().code == 4
        assert pypi.uploads == []
        assert pypi.digests() == there

    def test_publishes_while_other_files_download(self, pypi, web, relay_beside):
        """While one download is delayed, the other files are published."""
        late = threading.Event()
        web.serve(f"/files/{SDIST}", b"late", after=late)
        future = relay_beside()
        ends = time.monotonic() + 30
        while len(pypi.files) < 5 and time.monotonic() < ends:
            time.sleep(0.01)
        assert len(pypi.files) == 5
        assert not future.done()
        late.set()
        with pytest.raises(wheelrelay.RelayFailed, match=SDIST):
            future.result(60)
