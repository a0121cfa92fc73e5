"""Published files are compared with their source, or with the digests that their remote declares."""

import pytest
from tests.servers.faulty_store import FaultyStore, staged_files
from tests.unit.engine.conftest import SDIST, WHEELS, release, request_between

from wheelrelay.engine.verifying import verify_remote, verify_sinks
from wheelrelay.errors import AuthenticationFailed, DigestMismatch, IntegrityError, Unavailable
from wheelrelay.model import Digests
from wheelrelay.transfer.staging_area import temporary_staging_area


def found(*places, download=False):
    request = request_between(*places)
    with temporary_staging_area() as staging_area:
        if len(places) == 1:
            findings = verify_remote(request, staging_area)
        else:
            findings = verify_sinks(request, staging_area, download=download)
    return sorted((finding.check, finding.filename) for finding in findings)


@pytest.mark.parametrize("download", [False, True])
def test_relayed_files_are_verified(source, sink, download):
    release(source, sink)
    assert found(source, sink, download=download) == []


def test_reports_missing_and_different_files(source, other):
    assert found(source, other(WHEELS[0])) == sorted(
        [("verify-differs", WHEELS[0]), *(("verify-missing", name) for name in [*WHEELS[1:], SDIST])]
    )


@pytest.mark.parametrize("download", [False, True])
def test_compares_bytes_without_declared_digests(source, sink, other, download):
    release(source, sink)
    source.shown = sink.shown = Digests()
    assert found(source, sink, download=download) == []
    second = other(*WHEELS, SDIST)
    second.shown = Digests()
    assert {check for check, _ in found(source, second, download=download)} == {"verify-differs"}


def test_download_detects_wrong_bytes(source, tmp_path, files):
    honest = {staged.filename: staged.file for staged in files}

    class Liar(FaultyStore):
        def inventory(self, project):
            for file in super().iter_files(project):
                yield honest[file.filename]

    sink = Liar(staged_files(tmp_path / "other", *WHEELS, SDIST, seed=1))
    assert found(source, sink) == []
    assert {check for check, _ in found(source, sink, download=True)} == {"verify-damaged"}


def test_compares_files_of_a_remote_with_its_digests(source):
    assert found(source) == []
    source.fetch_errors = {WHEELS[0]: [IntegrityError("It is bad.")], SDIST: [Unavailable("Busy.")]}
    assert found(source) == [("verify-damaged", WHEELS[0])]
    source.shown = Digests(sha256="0" * 64)
    assert len(found(source)) == 5


def test_unreadable_remote_is_an_error_not_damage(source, sink):
    release(source, sink)
    source.fetch_errors = {WHEELS[0]: [AuthenticationFailed("Who are you?")]}
    with pytest.raises(AuthenticationFailed):
        found(source)
    sink.fetch_errors = {WHEELS[0]: [AuthenticationFailed("Who are you?")]}
    with pytest.raises(AuthenticationFailed):
        found(source, sink, download=True)


def test_damaged_source_is_an_error(source, sink):
    release(source, sink)
    source.shown = Digests()
    source.fetch_errors = {WHEELS[0]: [DigestMismatch("It is bad.")]}
    with pytest.raises(DigestMismatch):
        found(source, sink)
