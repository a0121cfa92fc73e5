"""Conflicts, unreadable sinks and damaged sources: nothing is published."""

import hashlib
import os

import pytest
from tests.e2e.scenarios.helpers import (
    AGAIN,
    PURE,
    SDIST,
    digests,
    index_remote,
    outcomes,
    relay,
    shown,
)
from tests.servers.proxy import Fault
from tests.servers.web import Reply

import wheelrelay
from wheelrelay import Remote, Route
from wheelrelay.backends.web.listing import ListingConfig
from wheelrelay.records import Action, Outcome
from wheelrelay.testing import make_sdist, make_wheel


class TestConflicts:
    @pytest.fixture
    def other(self, tmp_path):
        """Two of the files with other bytes."""
        folder = tmp_path / "other"
        make_wheel(folder, "sample", "1.0", "py3-none-any", payload=b"other")
        make_sdist(folder, "sample", "1.0", payload=b"other")
        return folder

    def test_conflict_publishes_nothing(self, index, dist, other):
        sink = index_remote(index)
        relay(other, sink)
        before = shown(sink)
        with pytest.raises(wheelrelay.Conflict) as refused:
            relay(dist, sink)
        assert {finding.filename for finding in refused.value.findings} == {PURE, SDIST}
        assert shown(sink) == before == digests(other)

    def test_conflict_found_after_staging_publishes_nothing(self, index, listing, other):
        sink = index_remote(index)
        relay(other, sink)
        plan = wheelrelay.plan(Route(source=listing, sinks=[sink]), ["sample"])
        assert plan.count("index", Action.UNKNOWN) == 2
        with pytest.raises(wheelrelay.Conflict) as refused:
            relay(listing, sink)
        assert {finding.filename for finding in refused.value.findings} == {PURE, SDIST}
        assert shown(sink) == digests(other)

    def test_directory_is_not_overwritten(self, listing, other):
        before = digests(other)
        with pytest.raises(wheelrelay.Conflict):
            relay(listing, str(other))
        assert digests(other) == before

    def test_mirror_reports_conflict_and_publishes_other_files(self, dist, other, index):
        sink = index_remote(index)
        relay(other, sink)
        with pytest.raises(wheelrelay.RelayFailed) as failed:
            relay(dist, sink, mode="mirror")
        found = outcomes(failed.value.receipt)
        assert found.pop(PURE) is found.pop(SDIST) is Outcome.FAILED
        assert set(found.values()) == {Outcome.PUBLISHED}
        assert shown(sink) == {**digests(dist), **digests(other)}


class TestUnreadableSinks:
    @pytest.mark.parametrize(
        ("reply", "error"),
        [
            (Reply(b"Who are you?", 401, "text/plain"), wheelrelay.AuthenticationFailed),
            (Reply(b"Not you.", 403, "text/plain"), wheelrelay.PermissionDenied),
            (Reply(b"Oh no.", 500, "text/plain", AGAIN), wheelrelay.Unavailable),
            (Reply(b"Slow down.", 429, "text/plain", AGAIN), wheelrelay.Unavailable),
            (Reply(b"<html><h1>Log in</h1></html>", 200, "text/html"), wheelrelay.BackendError),
            (Reply(b"", 200, "text/html"), wheelrelay.BackendError),
            (Reply(b"{", 200, "application/vnd.pypi.simple.v1+json"), wheelrelay.BackendError),
            (Reply(b"\x00\x01", 200, "application/octet-stream"), wheelrelay.BackendError),
        ],
        ids=["401", "403", "500", "429", "login page", "empty", "broken JSON", "binary"],
    )
    def test_unreadable_sink_is_an_error(self, proxy, dist, reply, error):
        proxy.fail_page(*[Fault(reply)] * 20)
        with pytest.raises(error) as failed:
            relay(dist, index_remote(proxy.index))
        assert "sink 'index'" in str(failed.value)
        assert proxy.uploads() == []

    def test_unreadable_second_sink_leaves_first_unchanged(self, proxy, dist, wheelhouse):
        proxy.fail_page(Fault(Reply(b"Not you.", 403, "text/plain")))
        with pytest.raises(wheelrelay.PermissionDenied):
            relay(dist, str(wheelhouse), index_remote(proxy.index))
        assert not wheelhouse.exists()


class TestDamagedSources:
    @pytest.mark.parametrize(
        "damage",
        [
            lambda good: {"body": "<html>Please log in.</html>"},
            lambda good: {"body": good[:-100]},
            lambda good: {"body": good[:-3000] + os.urandom(2000) + good[-1000:]},
        ],
        ids=["web page", "short", "corrupt"],
    )
    @pytest.mark.parametrize("declared", [True, False], ids=["with digest", "without digest"])
    def test_damaged_file_publishes_nothing(self, web, dist, wheelhouse, damage, declared):
        links = ""
        for path in dist.iterdir():
            good = path.read_bytes()
            web.serve(f"/{path.name}", **({"body": good} if path.name != PURE else damage(good)))
            fragment = f"#sha256={hashlib.sha256(good).hexdigest()}" if declared else ""
            links += f'<a href="/{path.name}{fragment}">{path.name}</a>\n'
        web.serve("/files/", links)
        source = Remote("listing", ListingConfig(url=web.url + "files/"))
        with pytest.raises(wheelrelay.IntegrityError, match=PURE) as failed:
            relay(source, str(wheelhouse))
        assert "source 'listing'" in str(failed.value)
        assert not wheelhouse.exists()

    def test_wrong_digest_publishes_nothing(self, web, dist, wheelhouse):
        web.serve_folder(dist, "/")
        fragment = "#sha256=" + "0" * 64
        web.serve("/files/", f'<a href="/{PURE}{fragment}">{PURE}</a> <a href="/{SDIST}">{SDIST}</a>')
        with pytest.raises(wheelrelay.DigestMismatch):
            relay(Remote("listing", ListingConfig(url=web.url + "files/")), str(wheelhouse))
        assert not wheelhouse.exists()

    def test_all_damaged_files_are_reported(self, web, listing, wheelhouse):
        web.serve(f"/files/{PURE}", b"PK not really")
        web.serve(f"/files/{SDIST}", b"no archive at all")
        with pytest.raises(wheelrelay.IntegrityError) as failed:
            relay(listing, str(wheelhouse))
        assert PURE in str(failed.value)
        assert SDIST in str(failed.value)

    def test_missing_file_is_reported(self, web, listing, wheelhouse):
        web.serve(f"/files/{PURE}", b"gone", status=404)
        with pytest.raises(wheelrelay.NotFound):
            relay(listing, str(wheelhouse))
        assert not wheelhouse.exists()

    def test_source_that_refuses_ends_the_relay(self, web, listing, wheelhouse, dist):
        for path in dist.iterdir():
            web.serve(f"/files/{path.name}", b"Not you.", status=403)
        with pytest.raises(wheelrelay.PermissionDenied) as failed:
            relay(listing, str(wheelhouse), jobs=1)
        assert str(failed.value).count("returned 403") == 1

    def test_mirror_reports_damaged_file_and_publishes_other_files(self, web, listing, wheelhouse, dist):
        web.serve(f"/files/{PURE}", b"PK not really")
        with pytest.raises(wheelrelay.RelayFailed) as failed:
            relay(listing, str(wheelhouse), mode="mirror")
        assert outcomes(failed.value.receipt)[PURE] is Outcome.FAILED
        assert PURE in str(failed.value)
        expected = digests(dist)
        del expected[PURE]
        assert digests(wheelhouse) == expected
