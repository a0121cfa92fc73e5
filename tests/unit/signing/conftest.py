"""Fixtures for attestations: a local Sigstore, a trust root, and an index that verifies."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.servers.oidc import AUDIENCE, TrustingIndex, run_trusting_index
from tests.servers.sigstore import PUBLISH, Builder, LocalSigstore

from wheelrelay import Remote
from wheelrelay.backends.index import IndexConfig
from wheelrelay.model import Companion
from wheelrelay.staged import StagedFile
from wheelrelay.testing import make_sdist, make_wheel, stage_path

HERE = Builder(repository="example/project")
"""The build that publishes: the job of the trusting index."""


@pytest.fixture
def sigstore() -> LocalSigstore:
    """A local Sigstore."""
    return LocalSigstore()


@pytest.fixture
def trust_root(sigstore: LocalSigstore, tmp_path: Path) -> Path:
    """The trust root of the local Sigstore."""
    return sigstore.write_trust_root(tmp_path)


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    """A release."""
    folder = tmp_path / "dist"
    make_wheel(folder)
    make_sdist(folder)
    return folder


@pytest.fixture
def index(trust_root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TrustingIndex]:
    """An index that trusts this job, and verifies attestations."""
    with run_trusting_index() as running:
        running.trust_root = trust_root
        for name, value in running.github().items():
            monkeypatch.setenv(name, value)
        yield running


class Attester:
    """Creates attestations with the local Sigstore, as a given build."""

    def __init__(self, sigstore: LocalSigstore, builder: Builder = HERE) -> None:
        self.sigstore = sigstore
        self.builder = builder

    def attest(self, staged: StagedFile) -> Companion:
        content = self.sigstore.attest(staged.filename, staged.sha256, self.builder)
        return Companion(".publish.attestation", content)


@pytest.fixture
def attester(sigstore: LocalSigstore) -> Attester:
    """Creates attestations as the build that publishes."""
    return Attester(sigstore)


def remote(index: TrustingIndex, *, attest: bool = True, **keys: object) -> Remote:
    trust = {"trusted_publishing": True, "audience": AUDIENCE}
    addresses = {"url": index.simple_url, "upload_url": index.upload_url}
    config = IndexConfig.model_validate({**addresses, **trust, "attest": attest, **keys})
    return Remote("trusting", config)


def put_next_to(
    folder: Path, sigstore: LocalSigstore, builder: Builder = HERE, *, predicate: str = PUBLISH
) -> None:
    """Write an attestation next to each file of a folder."""
    suffix = ".publish.attestation" if predicate == PUBLISH else ".slsa.attestation"
    for path in [*folder.glob("*.whl"), *folder.glob("*.tar.gz")]:
        staged = stage_path(path)
        content = sigstore.attest(path.name, staged.sha256, builder, predicate=predicate)
        (folder / (path.name + suffix)).write_bytes(content)


def attested_names(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("*.attestation")}
