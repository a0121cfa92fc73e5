"""Files are published in order, confirmed, and retried after temporary failures."""

import pytest
from tests.e2e.scenarios.helpers import (
    AGAIN,
    PURE,
    SDIST,
    all_are,
    digests,
    index_remote,
    outcomes,
    relay,
    shown,
)
from tests.servers.proxy import Fault, uploaded_name
from tests.servers.web import Reply

import wheelrelay
from wheelrelay import PublishOptions, Remote
from wheelrelay.backends.index import IndexConfig
from wheelrelay.backends.web.listing import ListingConfig
from wheelrelay.model import Confirm
from wheelrelay.records import Outcome
from wheelrelay.testing import make_wheel


class TestRetries:
    @pytest.mark.parametrize(
        "fault",
        [
            Reply(b"Busy.", 503, headers=AGAIN),
            Reply(b"Slow down.", 429, headers=AGAIN),
            Reply(b"PK" * 100, cut_after=50),
        ],
        ids=["503", "429", "cut"],
    )
    def test_retries_while_staging(self, web, listing, wheelhouse, dist, fault):
        web.fail(f"/files/{PURE}", fault)
        assert relay(listing, str(wheelhouse)).is_complete
        assert digests(wheelhouse) == digests(dist)

    def test_retries_while_listing(self, web, listing, wheelhouse):
        web.fail("/files/", Reply(b"Busy.", 503, headers=AGAIN))
        assert relay(listing, str(wheelhouse)).is_complete

    @pytest.mark.parametrize(
        "fault",
        [
            Fault(Reply(b"Busy.", 503, headers=AGAIN)),
            Fault(Reply(b"Slow down.", 429, headers=AGAIN)),
            Fault(),
            Fault(after=3_000),
        ],
        ids=["503", "429", "reset", "reset in the body"],
    )
    def test_retries_while_publishing(self, proxy, dist, fault):
        proxy.fail_upload(PURE, fault)
        receipt = relay(dist, index_remote(proxy.index))
        assert receipt.is_complete
        assert max(file.sinks["index"].attempts for file in receipt.files) == 2
        assert shown(index_remote(proxy.index)) == digests(dist)

    @pytest.mark.parametrize("reply", [Reply(b"Busy.", 503, headers=AGAIN), None], ids=["503", "reset"])
    def test_lost_response_is_resolved_without_second_upload(self, proxy, dist, reply):
        proxy.fail_upload("", Fault(reply, taken=True))
        receipt = relay(dist, index_remote(proxy.index))
        assert all_are(Outcome.PUBLISHED, receipt)
        assert sorted(proxy.uploads()) == sorted(digests(dist))

    def test_permanent_failure_publishes_nothing(self, proxy, dist):
        proxy.fail_upload("", *[Fault(Reply(b"Busy.", 503, headers=AGAIN))] * 100)
        with pytest.raises(wheelrelay.RelayFailed) as failed:
            relay(dist, index_remote(proxy.index), jobs=1)
        assert sorted(set(outcomes(failed.value.receipt).values())) == [Outcome.FAILED, Outcome.PENDING]
        assert shown(index_remote(proxy.index)) == {}


class TestPublishing:
    def test_sdist_is_published_last(self, proxy, dist):
        relay(dist, index_remote(proxy.index))
        assert proxy.uploads()[-1] == SDIST
        assert len(proxy.uploads()) == 4
        names = [uploaded_name(request) or "" for request in proxy.requests]
        last_wheel = max(n for n, name in enumerate(names) if name.endswith(".whl"))
        between = [request.path for request in proxy.requests[last_wheel + 1 : names.index(SDIST)]]
        assert "/simple/sample/" in between, "the wheels were not confirmed before the sdist went"

    def test_refusal_stops_relay_and_second_run_completes_it(self, proxy, dist):
        sink = index_remote(proxy.index)
        proxy.fail_upload(
            "sample-1.0-cp313-cp313-win_amd64.whl", Fault(Reply(b"Bad description.", 400, "text/plain"))
        )
        with pytest.raises(wheelrelay.RelayFailed, match="Bad description") as failed:
            relay(dist, sink, jobs=1)
        assert outcomes(failed.value.receipt) == {
            "sample-1.0-cp312-cp312-manylinux_2_17_x86_64.whl": Outcome.PUBLISHED,
            "sample-1.0-cp313-cp313-win_amd64.whl": Outcome.FAILED,
            PURE: Outcome.PENDING,
            SDIST: Outcome.PENDING,
        }
        assert list(shown(sink)) == ["sample-1.0-cp312-cp312-manylinux_2_17_x86_64.whl"]
        second = relay(dist, sink)
        assert second.is_complete
        assert shown(sink) == digests(dist)

    def test_second_sink_is_unchanged_if_first_fails(self, proxy, dist, wheelhouse):
        proxy.fail_upload(SDIST, Fault(Reply(b"Bad.", 400, "text/plain")))
        with pytest.raises(wheelrelay.RelayFailed) as failed:
            relay(dist, index_remote(proxy.index), str(wheelhouse))
        assert all_are(Outcome.PENDING, failed.value.receipt, str(wheelhouse))
        assert not wheelhouse.exists()

    def test_second_sink_waits_for_confirmation_of_first(self, index, dist, wheelhouse):
        receipt = relay(dist, index_remote(index), str(wheelhouse))
        assert receipt.is_complete
        assert digests(wheelhouse) == digests(dist) == shown(index_remote(index))

    def test_complete_first_sink_does_not_block_second(self, index, dist, wheelhouse):
        relay(dist, index_remote(index))
        receipt = relay(dist, index_remote(index), str(wheelhouse))
        assert all_are(Outcome.SKIPPED, receipt, "index")
        assert all_are(Outcome.PUBLISHED, receipt, str(wheelhouse))


class TestConfirmation:
    def test_waits_for_late_sink(self, proxy, dist):
        proxy.fail_page(*[Fault(Reply(b"", 404))] * 4)
        assert relay(dist, index_remote(proxy.index)).is_complete

    def test_polling_bypasses_caches(self, proxy, dist):
        relay(dist, index_remote(proxy.index))
        first = next(n for n, request in enumerate(proxy.requests) if request.method == "POST")
        pages = [request for request in proxy.requests[first:] if request.path == "/simple/sample/"]
        assert {page.headers.get("cache-control") for page in pages} == {"no-cache"}

    def test_files_not_listed_in_time_are_unconfirmed(self, proxy, dist):
        proxy.fail_page(*[Fault(Reply(b"", 404))] * 1_000)
        with pytest.raises(wheelrelay.RelayFailed, match="does not show it") as failed:
            relay(dist, index_remote(proxy.index), options=PublishOptions(confirm_timeout=0.5))
        found = outcomes(failed.value.receipt)
        assert found.pop(SDIST) is Outcome.PENDING
        assert set(found.values()) == {Outcome.UNCONFIRMED}

    def test_sink_with_other_contents_fails_confirmation(self, proxy, dist):
        true = digests(dist)[PURE].encode()
        proxy.rewrite = lambda page: page.replace(true, b"0" * 64)
        with pytest.raises(wheelrelay.RelayFailed, match="but the sink has 000") as failed:
            relay(dist, index_remote(proxy.index))
        assert not failed.value.receipt.is_complete
        assert failed.value.receipt.has_changes

    def test_confirmation_by_download(self, index, dist):
        assert relay(dist, index_remote(index, confirm=Confirm.DOWNLOAD)).is_complete

    def test_confirmation_by_download_finds_wrong_contents(self, proxy, dist, open_pypiserver):
        def swap(page):
            (open_pypiserver.folder / PURE).write_bytes(b"PK something else")
            return page

        sink = index_remote(proxy.index, confirm=Confirm.DOWNLOAD)
        proxy.rewrite = lambda page: swap(page) if PURE.encode() in page else page
        with pytest.raises(wheelrelay.RelayFailed, match="but the sink has"):
            relay(dist, sink)

    def test_web_page_in_answer_to_uploads_names_what_to_correct(self, web, index, dist):
        web.serve("/login/", "<!doctype html><html><body>Please log in.</body></html>")
        wrong = IndexConfig(url=index.simple_url, upload_url=f"{web.url}login/", confirm_timeout="1s")
        with pytest.raises(wheelrelay.RelayFailed, match=r"Correct upload_url\.") as failed:
            relay(dist, Remote("index", wrong))
        assert "Correct this first" in failed.value.hint
        assert not failed.value.receipt.is_complete

    def test_confirmation_can_be_disabled(self, open_pypiserver, dist):
        blind = Remote("blind", IndexConfig(upload_url=open_pypiserver.upload_url, confirm=Confirm.NONE))
        receipt = relay(dist, blind)
        assert all_are(Outcome.PUBLISHED, receipt)
        assert digests(open_pypiserver.folder) == digests(dist)
        assert all_are(Outcome.SKIPPED, relay(dist, blind))


class TestConcurrency:
    @pytest.fixture
    def many(self, tmp_path):
        folder = tmp_path / "many"
        for number in range(24):
            make_wheel(folder, "sample", "1.0", f"py3-none-manylinux_2_{number}_x86_64")
        return folder

    def test_transfers_are_parallel_and_reuse_connections(self, web, proxy, many):
        page = web.serve_folder(many, "/files/")
        web.latency = 0.02
        source = Remote("listing", ListingConfig(url=page))
        receipt = relay(source, index_remote(proxy.index), jobs=3)
        assert receipt.is_complete
        assert web.most_at_once > 1
        assert len(proxy.uploads()) == 24
        assert len(proxy.connections) <= 3 + 2

    def test_zero_jobs_are_refused(self, dist, wheelhouse):
        with pytest.raises(wheelrelay.ConfigError, match="`jobs` is 0"):
            relay(dist, str(wheelhouse), jobs=0)
