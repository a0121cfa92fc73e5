"""An index that accepts attestations of every publisher gets those of the source, and new ones."""

import json
import logging

import pytest
from sigstore.errors import Error as SigstoreError
from tests.servers.oidc import TrustingIndex
from tests.servers.pypi import TOKEN
from tests.servers.sigstore import Builder, LocalSigstore
from tests.servers.web import run_web

import wheelrelay
from wheelrelay.backends.index import IndexConfig
from wheelrelay.config import Remote
from wheelrelay.config.remote_types import make_config
from wheelrelay.errors import ConfigError, RelayFailed
from wheelrelay.testing import make_wheel, stage_path

WHEEL = "sample-1.0-py3-none-any.whl"


class OpenIndex(TrustingIndex):
    """Accepts attestations of every publisher, as Pulp does."""

    def _problem_with_attestations(self, form):
        if not form["attestations"]:
            return None
        given = json.loads(form["attestations"])
        try:
            self.attested[form.filename] = [self._verified(one, form) for one in given]
        except (SigstoreError, ValueError) as error:
            return str(error)
        self.vouch(form.filename, given)
        return None


@pytest.fixture
def sigstore():
    return LocalSigstore()


@pytest.fixture
def index(tmp_path, sigstore):
    with run_web(web=OpenIndex) as server:
        server.publisher = "acme/sample"
        server.trust_root = sigstore.write_trust_root(tmp_path)
        yield server


@pytest.fixture
def dist(tmp_path, sigstore):
    """A wheel with an attestation of the workflow that published it elsewhere."""
    path = make_wheel(tmp_path / "dist", "sample", "1.0")
    made = sigstore.attest(path.name, stage_path(path).sha256, Builder(repository="acme/sample"))
    path.with_name(f"{path.name}.publish.attestation").write_bytes(made)
    return path.parent


@pytest.fixture
def remote(index, monkeypatch):
    monkeypatch.setenv("WHEELRELAY_POOL_TOKEN", TOKEN)

    def remote(**keys):
        return Remote("pool", IndexConfig(url=index.simple_url, upload_url=index.upload_url, **keys))

    return remote


def relay(source, sink):
    return wheelrelay.relay(wheelrelay.Route(source=source, sinks=[sink]))


def test_attestation_of_another_publisher_is_uploaded_and_read_back(index, remote, dist):
    assert relay(str(dist), remote(attestations="any")).is_complete
    assert index.attested == {WHEEL: ["https://docs.pypi.org/attestations/publish/v1"]}
    with remote().open() as backend:
        [file] = backend.inventory("sample")
        provenance = json.loads(backend.read_provenance(file))
    [bundle] = provenance["attestation_bundles"]
    attestation = (dist / f"{WHEEL}.publish.attestation").read_text()
    assert bundle["attestations"] == [json.loads(attestation)]


def test_attestation_of_another_publisher_is_not_uploaded_by_default(index, remote, dist, caplog):
    with caplog.at_level(logging.WARNING):
        assert relay(str(dist), remote()).is_complete
    assert index.attested == {}
    assert "unless attestations = 'any' is configured" in caplog.text


def test_index_that_refuses_an_attestation_fails_the_relay_with_its_message(index, remote, dist):
    index.publisher = "other/project"
    with pytest.raises(RelayFailed) as failed:
        relay(str(dist), remote(attestations="any"))
    assert "Invalid attestations supplied during upload" in str(failed.value)
    assert index.attested == {}
    assert index.page("sample") is None


def test_new_attestations_need_no_trusted_publishing(remote):
    with remote(attestations="any", attest=True).open() as backend:
        backend.ensure_accepts_attestations()
    with (
        remote(attest=True).open() as backend,
        pytest.raises(ConfigError, match="trusted publishing"),
    ):
        backend.ensure_accepts_attestations()


@pytest.mark.parametrize("kind", ["pypi", "testpypi"])
def test_pypi_accepts_attestations_of_the_publisher_only(kind):
    with pytest.raises(ConfigError, match="attestations of the uploading identity only"):
        make_config(kind, {"attestations": "any"}, where="remotes.x")
