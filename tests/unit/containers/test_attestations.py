"""A container with index pages lists the attestations of its files as provenance objects (PEP 740)."""

import json
from dataclasses import replace

import pytest
from pypi_attestations import Provenance
from tests.servers.sigstore import SLSA, Builder, LocalSigstore

from wheelrelay.backends.local.directory import DirectoryConfig
from wheelrelay.model import Companion
from wheelrelay.testing import make_wheel, stage_path

WHEEL = "sample-1.0-py3-none-any.whl"
PUBLISH_SUFFIX, SLSA_SUFFIX = ".publish.attestation", ".slsa.attestation"


@pytest.fixture(scope="module")
def sigstore():
    return LocalSigstore()


@pytest.fixture
def attested(tmp_path, sigstore):
    """Return a function that stages a wheel with attestations by their builders."""

    def stage(**builders):
        staged = stage_path(make_wheel(tmp_path / "made", "sample", "1.0"))
        suffixes = {"publish": PUBLISH_SUFFIX, "slsa": SLSA_SUFFIX}
        predicates = {"slsa": {"predicate": SLSA}}
        companions = tuple(
            Companion(
                suffixes[kind],
                sigstore.attest(staged.filename, staged.sha256, builder, **predicates.get(kind, {})),
            )
            for kind, builder in builders.items()
        )
        return replace(staged, companions=companions)

    return stage


def put(folder, staged, *, pages=True):
    """Publish a file, and return the provenance on its page and the stored one."""
    with DirectoryConfig(path=folder, pages=pages).open() as store:
        store.put(staged)
        store.finalize(["sample"])
    page = folder / "simple/sample/index.json"
    [file] = json.loads(page.read_text())["files"] if page.exists() else [{}]
    stored = folder / f"{WHEEL}.provenance"
    return file.get("provenance"), stored.read_bytes() if stored.exists() else None


def test_attestations_of_one_publisher_are_in_one_bundle(tmp_path, attested):
    listed, stored = put(tmp_path / "there", attested(publish=Builder(), slsa=Builder()))
    assert listed == f"../../{WHEEL}.provenance"
    [bundle] = Provenance.model_validate_json(stored).attestation_bundles
    assert (bundle.publisher.repository, bundle.publisher.workflow) == ("acme/sample", "release.yml")
    assert len(bundle.attestations) == 2


def test_attestations_of_two_publishers_are_in_two_bundles(tmp_path, attested):
    staged = attested(publish=Builder(), slsa=Builder(repository="acme/builder"))
    _, stored = put(tmp_path / "there", staged)
    bundles = Provenance.model_validate_json(stored).attestation_bundles
    assert [bundle.publisher.repository for bundle in bundles] == ["acme/sample", "acme/builder"]


def test_attestations_stay_next_to_their_file(tmp_path, attested):
    put(tmp_path / "there", attested(publish=Builder()))
    assert (tmp_path / "there" / f"{WHEEL}{PUBLISH_SUFFIX}").exists()


def test_provenance_of_the_file_is_kept_as_it_is(tmp_path, attested):
    staged = attested(publish=Builder())
    own = Companion(".provenance", b'{"own": true}')
    staged = replace(staged, companions=(*staged.companions, own))
    assert put(tmp_path / "there", staged)[1] == own.content


def test_no_provenance_is_made_without_pages_or_attestations(tmp_path, attested):
    assert put(tmp_path / "plain", attested(publish=Builder()), pages=False) == (None, None)
    assert put(tmp_path / "there", attested()) == (None, None)


def test_replaced_file_has_the_provenance_of_its_new_attestations(tmp_path, attested, sigstore):
    folder = tmp_path / "there"
    put(folder, attested(publish=Builder()))
    other = stage_path(make_wheel(tmp_path / "other", "sample", "1.0", payload=b"other"))
    attestation = Companion(PUBLISH_SUFFIX, sigstore.attest(other.filename, other.sha256, Builder()))
    with DirectoryConfig(path=folder, pages=True).open() as store:
        store.replace(replace(other, companions=(attestation,)))
        store.finalize(["sample"])
    document = json.loads((folder / f"{WHEEL}.provenance").read_bytes())
    assert document["attestation_bundles"][0]["attestations"] == [json.loads(attestation.content)]
