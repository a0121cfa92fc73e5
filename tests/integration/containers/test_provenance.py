"""A mirror keeps the provenance (PEP 740) that an index serves for its files, and lists it."""

import json
from urllib.parse import urljoin

import pytest
from pypi_attestations import Provenance
from tests.integration.containers.test_upstream_state import served
from tests.servers.oidc import run_trusting_index
from tests.servers.sigstore import LocalSigstore
from tests.servers.web import Reply

import wheelrelay
from wheelrelay import Outcome, Route
from wheelrelay.backends.local.directory import DirectoryConfig
from wheelrelay.testing import make_wheel

WITH, WITHOUT = (f"sample-{version}-py3-none-any.whl" for version in ("1.0", "2.0"))


@pytest.fixture(scope="module")
def sigstore():
    return LocalSigstore()


@pytest.fixture
def index(tmp_path, sigstore):
    """Run an index with two files, one of them with provenance."""
    with run_trusting_index() as index:
        for version in ("1.0", "2.0"):
            index.take(make_wheel(tmp_path / "made", "sample", version))
        index.show_all()
        vouch(index, sigstore, WITH)
        yield index


@pytest.fixture
def folder(tmp_path):
    """Return the directory of the mirror."""
    return tmp_path / "mirror"


def vouch(index, sigstore, name, **changes):
    """Publish an attestation of a file, or of another one."""
    about = {"filename": name, "sha256": index.digests()[name], **changes}
    index.vouch(name, [json.loads(sigstore.attest(**about))])


def mirror(url, folder, **keys):
    """Mirror the index, and return the receipt."""
    source = wheelrelay.IndexConfig(url=url)
    sinks = [DirectoryConfig(path=folder, pages=True)]
    route = Route(**{"source": source, "sinks": sinks, "projects": ["sample"], "mode": "mirror", **keys})
    return wheelrelay.relay(route)


def outcomes(receipt):
    """Return the outcome of each file."""
    return {file.filename: next(iter(file.sinks.values())).outcome for file in receipt.files}


def listed(folder):
    """Return the addresses of provenance objects in the project's page, by filename."""
    document = json.loads((folder / "simple/sample/index.json").read_text())
    assert document["meta"]["api-version"] == "1.4"
    return {file["filename"]: file.get("provenance") for file in document["files"]}


def requests_of(index, start):
    """Return the paths of all requests that begin like this."""
    return [path for path in index.paths() if path.startswith(start)]


def test_provenance_is_stored_next_to_its_file_and_listed(index, folder):
    receipt = mirror(index.simple_url, folder)
    assert outcomes(receipt) == {WITH: Outcome.PUBLISHED, WITHOUT: Outcome.PUBLISHED}
    assert listed(folder) == {WITH: f"../../{WITH}.provenance", WITHOUT: None}
    html = (folder / "simple/sample/index.html").read_text()
    assert html.count("data-provenance=") == html.count(f'data-provenance="../../{WITH}.provenance"') == 1
    assert (folder / f"{WITH}.provenance").read_bytes() == index.provenance[WITH]
    assert len(requests_of(index, "/integrity/")) == 1


def test_stored_object_has_the_format_of_pypi(index, folder):
    mirror(index.simple_url, folder)
    stored = Provenance.model_validate_json((folder / f"{WITH}.provenance").read_bytes())
    [bundle] = stored.attestation_bundles
    assert bundle.publisher.repository == index.publisher
    [subject] = bundle.attestations[0].statement["subject"]
    assert subject == {"name": WITH, "digest": {"sha256": index.digests()[WITH]}}


def test_run_without_changes_requests_no_provenance(index, folder):
    mirror(index.simple_url, folder)
    index.requests.clear()
    assert set(outcomes(mirror(index.simple_url, folder)).values()) == {Outcome.SKIPPED}
    assert requests_of(index, "/integrity/") == []


def test_later_provenance_is_added_without_a_transfer_of_its_file(index, folder, sigstore):
    mirror(index.simple_url, folder)
    vouch(index, sigstore, WITHOUT)
    index.requests.clear()
    receipt = mirror(index.simple_url, folder)
    assert outcomes(receipt) == {WITH: Outcome.SKIPPED, WITHOUT: Outcome.UPDATED}
    [delivery] = receipt.files[1].sinks.values()
    assert delivery.reason == "provenance upstream"
    assert listed(folder)[WITHOUT] == f"../../{WITHOUT}.provenance"
    assert requests_of(index, "/files/") == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sha256": "0" * 64}, "it is about other bytes"),
        ({"filename": "other-1.0.tar.gz"}, "it is about other-1.0.tar.gz"),
    ],
)
def test_provenance_of_something_else_is_not_stored(index, folder, sigstore, changes, reason):
    vouch(index, sigstore, WITH, **changes)
    receipt = mirror(index.simple_url, folder)
    assert receipt.is_complete
    [finding] = receipt.findings
    assert finding.message == f"{WITH}.provenance is not published: {reason}."
    assert listed(folder)[WITH] is None
    assert not (folder / f"{WITH}.provenance").exists()


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(status=404), "it does not exist"),
        (Reply(b"<html>Log in</html>", content_type="text/html"), "Expecting value"),
        (Reply(b'{"version": 1, "attestation_bundles": []}'), "it has no attestation"),
    ],
)
def test_unusable_provenance_does_not_keep_its_file_out(index, folder, reply, reason):
    index.fail(f"/integrity/{WITH}/provenance", reply)
    receipt = mirror(index.simple_url, folder)
    assert receipt.is_complete
    assert [reason in finding.message for finding in receipt.findings] == [True]
    assert outcomes(mirror(index.simple_url, folder))[WITH] is Outcome.UPDATED
    assert listed(folder)[WITH] == f"../../{WITH}.provenance"


def test_route_can_leave_provenance_out(index, folder):
    mirror(index.simple_url, folder, provenance=False)
    assert requests_of(index, "/integrity/") == []
    assert set(outcomes(mirror(index.simple_url, folder, provenance=False)).values()) == {Outcome.SKIPPED}
    assert listed(folder) == {WITH: None, WITHOUT: None}


def test_mirror_of_a_mirror_has_the_same_provenance(index, folder, tmp_path):
    mirror(index.simple_url, folder)
    other = tmp_path / "other"
    with served(folder) as url:
        mirror(url, other)
        assert urljoin(f"{url}sample/", listed(folder)[WITH]) == urljoin(url, f"../{WITH}.provenance")
    assert (other / f"{WITH}.provenance").read_bytes() == index.provenance[WITH]
    assert listed(other) == listed(folder)


def test_provenance_is_removed_with_its_file(index, folder):
    mirror(index.simple_url, folder)
    wheelrelay.remove(DirectoryConfig(path=folder, pages=True), [WITH])
    assert not (folder / f"{WITH}.provenance").exists()
    assert WITH not in listed(folder)
