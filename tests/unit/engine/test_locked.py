"""A relay of locked files: exactly these files, each with the digest of the lock."""

from dataclasses import replace

import pytest
from packaging.version import Version
from tests.servers.faulty_store import FaultyStore
from tests.unit.engine.conftest import ALL, SDIST, WHEELS, mirror, release, request_between

from wheelrelay.engine.verified_files import VerifiedFiles
from wheelrelay.engine.verifying import verify_remote, verify_sinks
from wheelrelay.errors import AuthenticationFailed, CheckFailed, DigestMismatch, Incomplete, RelayFailed
from wheelrelay.lock_files import Lock, LockedRelease
from wheelrelay.model import Digests
from wheelrelay.select import Selection
from wheelrelay.transfer.staging_area import temporary_staging_area

OTHER = 64 * "f"


@pytest.fixture
def digests(files):
    return {staged.filename: staged.sha256 for staged in files}


def named(digests):
    return Lock((LockedRelease("sample", Version("1.0"), digests),))


def hashed(*digests):
    return Lock((LockedRelease("sample", Version("1.0"), digests=frozenset(digests)),))


def checks(found):
    return sorted((finding.check, finding.filename) for finding in found)


def verified(*places, lock, download=False):
    request = request_between(*places, lock=lock)
    with temporary_staging_area() as area:
        if len(places) == 1:
            return checks(verify_remote(request, area, VerifiedFiles(None)))
        return checks(verify_sinks(request, area, VerifiedFiles(None), download=download))


class TestRelease:
    def test_publishes_exactly_the_locked_files(self, source, sink, digests):
        receipt = release(source, sink, lock=named({SDIST: digests[SDIST]}))
        assert sink.names() == [SDIST]
        assert receipt.is_complete

    def test_missing_file_publishes_nothing(self, source, sink, digests):
        missing = "sample-1.0-py3-none-win_amd64.whl"
        with pytest.raises(Incomplete) as refused:
            release(source, sink, lock=named(digests | {missing: OTHER}))
        assert checks(refused.value.findings) == [("lock-missing", missing)]
        assert sink.names() == []

    def test_declared_digest_other_than_the_lock_publishes_nothing(self, source, sink, digests):
        with pytest.raises(CheckFailed) as refused:
            release(source, sink, lock=named(digests | {SDIST: OTHER}))
        assert checks(refused.value.findings) == [("lock-differs", SDIST)]
        assert sink.names() == []

    @pytest.mark.parametrize("lock_of", [named, lambda locked: hashed(*locked.values())])
    def test_bytes_other_than_the_lock_publish_nothing(self, source, sink, digests, lock_of):
        source.shown = Digests()
        with pytest.raises(DigestMismatch, match=f"but the bytes have {digests[SDIST]}"):
            release(source, sink, lock=lock_of(digests | {SDIST: OTHER}))
        assert sink.names() == []

    def test_verifies_undeclared_digests_after_staging(self, source, sink, digests):
        source.shown = Digests()
        release(source, sink, lock=hashed(*digests.values()))
        assert sink.names() == ALL

    def test_waits_for_locked_files(self, source, sink, digests):
        class Late(FaultyStore):
            """A source that lists its sdist from the second listing on."""

            listings = 0

            def iter_files(self, project):
                self.listings += 1
                files = source.iter_files(project)
                return (file for file in files if self.listings > 1 or file.filename != SDIST)

            def open(self, file):
                return source.open(file)

        assert release(Late(), sink, lock=named(digests), wait=60).is_complete
        assert sink.names() == ALL


class TestMirror:
    def test_copies_the_rest_and_fails(self, source, sink, digests):
        missing = "sample-1.0-py3-none-win_amd64.whl"
        with pytest.raises(RelayFailed, match=r"^The mirror is incomplete\. .*And 1 more") as failed:
            mirror(source, sink, lock=named(digests | {missing: OTHER, SDIST: OTHER}))
        assert sink.names() == sorted(WHEELS)
        receipt = failed.value.receipt
        assert checks(receipt.findings) == [("lock-differs", SDIST), ("lock-missing", missing)]
        assert receipt.is_complete

    def test_bytes_other_than_the_lock_are_not_copied(self, source, sink, digests):
        source.shown = Digests()
        with pytest.raises(RelayFailed, match=OTHER):
            mirror(source, sink, lock=named(digests | {SDIST: OTHER}))
        assert sink.names() == sorted(WHEELS)

    def test_fails_if_the_source_has_nothing_of_the_lock(self, sink, digests):
        with pytest.raises(RelayFailed, match="the source does not have it"):
            mirror(FaultyStore(), sink, lock=named({SDIST: digests[SDIST]}))


class TestVerify:
    def test_remote_with_all_locked_files_is_verified(self, source, digests):
        assert verified(source, lock=named(digests)) == []
        source.shown = Digests()
        assert verified(source, lock=hashed(*digests.values())) == []

    def test_reports_missing_different_and_damaged_files(self, source, digests):
        missing = "sample-1.0-py3-none-win_amd64.whl"
        lock = named(digests | {missing: OTHER, SDIST: OTHER})
        assert verified(source, lock=lock) == [("lock-differs", SDIST), ("lock-missing", missing)]
        source.shown = Digests()
        assert verified(source, lock=lock) == [("lock-missing", missing), ("verify-damaged", SDIST)]

    def test_compares_sinks_with_the_locked_files_of_the_source(self, source, sink, digests):
        release(source, sink)
        assert verified(source, sink, lock=named(digests | {SDIST: OTHER})) == [("lock-differs", SDIST)]

    def test_locked_files_of_an_unreadable_page_are_not_missing(self, files, digests):
        class OnePage(FaultyStore):
            def iter_files(self, project):
                if project == "other":
                    raise AuthenticationFailed("Log in.")
                return super().iter_files(project)

        other = LockedRelease("other", Version("1.0"), {"other-1.0.tar.gz": OTHER})
        lock = Lock((*named(digests).releases, other))
        request = replace(request_between(OnePage(files)), selection=Selection(lock=lock))
        with temporary_staging_area() as area:
            findings = verify_remote(request, area, VerifiedFiles(None))
        assert checks(findings) == [("verify-unreadable", None)]
