"""Fixtures for attestations: a local Sigstore, a trust root, and an index that verifies."""

import pytest
from tests.servers.oidc import AUDIENCE, run_trusting_index
from tests.servers.sigstore import PUBLISH, Builder, LocalSigstore

from wheelrelay import Remote
from wheelrelay.backends.index import IndexConfig
from wheelrelay.model import Companion
from wheelrelay.testing import make_sdist, make_wheel, stage_path

HERE = Builder(repository="example/project")
"""The build that publishes: the job of the trusting index."""


@pytest.fixture
def sigstore():
    """A local Sigstore."""
    return LocalSigstore()


@pytest.fixture
def trust_root(sigstore, tmp_path):
    """The trust root of the local Sigstore."""
    return sigstore.write_trust_root(tmp_path)


@pytest.fixture
def dist(tmp_path):
    """A release."""
    folder = tmp_path / "dist"
    make_wheel(folder)
    make_sdist(folder)
    return folder


@pytest.fixture
def index(trust_root, monkeypatch):
    """An index that trusts this job, and verifies attestations."""
    with run_trusting_index() as running:
        running.trust_root = trust_root
        for name, value in running.github().items():
            monkeypatch.setenv(name, value)
        yield running


class Attester:
    """Creates attestations with the local Sigstore, as a given build."""

    def __init__(self, sigstore, builder=HERE):
        self.sigstore = sigstore
        self.builder = builder

    def attest(self, staged):
        content = self.sigstore.attest(staged.filename, staged.sha256, self.builder)
        return Companion(".publish.attestation", content)


@pytest.fixture
def attester(sigstore):
    """Creates attestations as the build that publishes."""
    return Attester(sigstore)


def remote(index, *, attest=True, **keys):
    trust = {"trusted_publishing": True, "audience": AUDIENCE}
    addresses = {"url": index.simple_url, "upload_url": index.upload_url}
    config = IndexConfig.model_validate({**addresses, **trust, "attest": attest, **keys})
    return Remote("trusting", config)


def put_next_to(folder, sigstore, builder=HERE, *, predicate=PUBLISH):
    """Write an attestation next to each file of a folder."""
    suffix = ".publish.attestation" if predicate == PUBLISH else ".slsa.attestation"
    for path in [*folder.glob("*.whl"), *folder.glob("*.tar.gz")]:
        staged = stage_path(path)
        content = sigstore.attest(path.name, staged.sha256, builder, predicate=predicate)
        (folder / (path.name + suffix)).write_bytes(content)


def attested_names(folder):
    return {path.name for path in folder.glob("*.attestation")}
