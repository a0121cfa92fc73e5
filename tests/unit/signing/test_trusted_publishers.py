"""Files are accepted only with attestations by trusted publishers."""

import json
from typing import ClassVar

import pytest
from tests.servers.sigstore import SLSA, Builder, LocalSigstore
from tests.servers.web import Reply
from tests.unit.signing.conftest import put_next_to, remote

import wheelrelay
from wheelrelay import BackendError, CheckFailed, ConfigError, PublishOptions, Remote, Route
from wheelrelay.backends.index import IndexConfig
from wheelrelay.testing import stage_path

PUBLISHER = {"github": "acme/sample", "workflow": "release.yml"}


class TestTrustedPublishers:
    def route(self, dist, tmp_path, trust_root, *publishers, **trust):
        trust |= {"publishers": publishers or (PUBLISHER,), "root": trust_root}
        return Route(source=str(dist), sinks=[str(tmp_path / "out")], trust=trust)

    def refused(self, route, tmp_path):
        with pytest.raises(CheckFailed) as refused:
            wheelrelay.relay(route)
        assert not (tmp_path / "out").exists()
        return {finding.check for finding in refused.value.findings}

    def test_files_attested_by_the_publisher_are_accepted(self, dist, tmp_path, trust_root, sigstore):
        put_next_to(dist, sigstore, Builder())
        assert wheelrelay.relay(self.route(dist, tmp_path, trust_root)).is_complete

    def test_files_without_attestation_are_refused(self, dist, tmp_path, trust_root):
        assert self.refused(self.route(dist, tmp_path, trust_root), tmp_path) == {"attestation-missing"}

    @pytest.mark.parametrize("builder", [Builder(repository="acme/other"), Builder(workflow="nightly.yml")])
    def test_attestations_of_another_workflow_are_refused(
        self, dist, tmp_path, trust_root, sigstore, builder
    ):
        put_next_to(dist, sigstore, builder)
        assert self.refused(self.route(dist, tmp_path, trust_root), tmp_path) == {"attestation-bad"}

    def test_attestations_of_another_sigstore_are_refused(self, dist, tmp_path, trust_root):
        put_next_to(dist, LocalSigstore(), Builder())
        assert self.refused(self.route(dist, tmp_path, trust_root), tmp_path) == {"attestation-bad"}

    def test_attestation_with_an_exchanged_statement_is_refused(self, dist, tmp_path, trust_root, sigstore):
        put_next_to(dist, sigstore, Builder())
        for path in dist.glob("*.attestation"):
            document = json.loads(path.read_bytes())
            other = json.loads(sigstore.attest(path.name, "0" * 64, Builder()))
            document["envelope"]["signature"] = other["envelope"]["signature"]
            path.write_text(json.dumps(document))
        assert self.refused(self.route(dist, tmp_path, trust_root), tmp_path) == {"attestation-bad"}

    @pytest.mark.parametrize(
        "made",
        [
            {"predicate": SLSA},
            {"predicate": "https://example.org/scanned/v1"},
            {"statement_type": "https://in-toto.io/Statement/v0.1"},
            {"payload_type": "text/plain"},
        ],
        ids=["another kind", "an unknown kind", "another statement", "another payload"],
    )
    def test_attestations_with_another_predicate_or_subject_are_refused(
        self, dist, tmp_path, trust_root, sigstore, made
    ):
        for path in list(dist.iterdir()):
            content = sigstore.attest(path.name, stage_path(path).sha256, Builder(), **made)
            (dist / f"{path.name}.publish.attestation").write_bytes(content)
        assert self.refused(self.route(dist, tmp_path, trust_root), tmp_path) == {"attestation-bad"}

    @pytest.mark.parametrize("ref", ["refs/heads/feature", "refs/pull/7/merge"])
    def test_attestations_of_another_ref_are_refused(self, dist, tmp_path, trust_root, sigstore, ref):
        put_next_to(dist, sigstore, Builder(ref=ref))
        demanding = self.route(dist, tmp_path, trust_root, {**PUBLISHER, "ref": "refs/tags/v*"})
        with pytest.raises(CheckFailed) as refused:
            wheelrelay.relay(demanding)
        assert f"it was built from {ref}, not from refs/tags/v*" in refused.value.findings[0].message
        assert not (tmp_path / "out").exists()
        assert wheelrelay.relay(self.route(dist, tmp_path, trust_root)).is_complete

    @pytest.mark.parametrize("ref", ["refs/tags/v*", "refs/tags/v1.0", "refs/*"])
    def test_attestations_of_a_matching_ref_are_accepted(self, dist, tmp_path, trust_root, sigstore, ref):
        put_next_to(dist, sigstore, Builder(ref="refs/tags/v1.0"))
        demanding = self.route(dist, tmp_path, trust_root, {**PUBLISHER, "ref": ref})
        assert wheelrelay.relay(demanding).is_complete

    @pytest.mark.parametrize("environment", [None, "staging", "pypi2", "p" * 200])
    def test_attestations_of_another_environment_are_refused(
        self, dist, tmp_path, trust_root, sigstore, environment
    ):
        put_next_to(dist, sigstore, Builder(environment=environment))
        demanding = self.route(dist, tmp_path, trust_root, {**PUBLISHER, "environment": "pypi"})
        assert self.refused(demanding, tmp_path) == {"attestation-bad"}

    @pytest.mark.parametrize("environment", ["pypi", "p" * 200])
    def test_attestations_of_the_required_environment_are_accepted(
        self, dist, tmp_path, trust_root, sigstore, environment
    ):
        put_next_to(dist, sigstore, Builder(environment=environment))
        demanding = self.route(dist, tmp_path, trust_root, {**PUBLISHER, "environment": environment})
        assert wheelrelay.relay(demanding).is_complete

    def test_attestation_with_a_malformed_certificate_is_refused(self, dist, tmp_path, trust_root, sigstore):
        put_next_to(dist, sigstore, Builder(tag=0x30))
        assert self.refused(self.route(dist, tmp_path, trust_root), tmp_path) == {"attestation-bad"}

    def test_one_of_several_publishers_is_enough(self, dist, tmp_path, trust_root, sigstore):
        put_next_to(dist, sigstore, Builder())
        others = ({"gitlab": "acme/sample"}, {"google": "ci@acme.example"}, PUBLISHER)
        assert wheelrelay.relay(self.route(dist, tmp_path, trust_root, *others)).is_complete

    def test_key_or_publisher_is_enough(self, dist, tmp_path, trust_root, sigstore, keyring):
        key = keyring.new_key("Releases <releases@example.org>")
        put_next_to(dist, sigstore, Builder())
        assert wheelrelay.relay(self.route(dist, tmp_path, trust_root, PUBLISHER, keys=[key])).is_complete

    def test_missing_trust_root_is_reported(self, dist, tmp_path):
        with pytest.raises(ConfigError, match=r"nowhere\.json does not exist"):
            wheelrelay.relay(self.route(dist, tmp_path, tmp_path / "nowhere.json"))

    def test_invalid_trust_root_is_reported(self, dist, tmp_path, sigstore):
        put_next_to(dist, sigstore, Builder())
        (tmp_path / "root.json").write_text("{}")
        with pytest.raises(ConfigError, match=r"trust root .*root\.json cannot be read"):
            wheelrelay.relay(self.route(dist, tmp_path, tmp_path / "root.json"))

    def test_empty_trust_configuration_is_reported(self, dist, tmp_path):
        with pytest.raises(ConfigError, match=r"trust\.publishers: this must not be empty"):
            Route(source=str(dist), sinks=[str(tmp_path / "out")], trust={"publishers": []})

    @pytest.mark.parametrize("keys", [{}, {"keys": ["0123456789ABCDEF"]}], ids=["nothing", "keys"])
    def test_trust_root_without_publishers_is_reported(self, dist, tmp_path, trust_root, keys):
        with pytest.raises(ConfigError, match="publishers is not configured"):
            Route(source=str(dist), sinks=[str(tmp_path / "out")], trust={"root": trust_root, **keys})

    @pytest.mark.parametrize("ref", ["main", "v1.0", ""])
    def test_invalid_ref_is_reported(self, ref):
        with pytest.raises(ConfigError, match="ref"):
            Route(source="./dist", sinks=["./out"], trust={"publishers": [{**PUBLISHER, "ref": ref}]})

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({}, "write a table with github, gitlab, google or circleci"),
            ({"github": "acme"}, "github"),
            ({"github": "acme/sample"}, "workflow"),
            ({"google": "nobody"}, "google"),
            ({"github": "acme/sample", "workflow": "w", "gitlab": "x/y"}, "gitlab"),
        ],
    )
    def test_invalid_publisher_is_reported(self, given, said):
        with pytest.raises(ConfigError, match=said):
            Route(source="./dist", sinks=["./out"], trust={"publishers": [given]})


class TestProvenance:
    """What an index tells of attestations counts as what lies beside a file does."""

    def route(self, index, tmp_path, trust_root, publisher):
        trust = {"publishers": [publisher], "root": trust_root}
        source = Remote("trusting", IndexConfig(url=index.simple_url))
        return Route(source=source, sinks=[str(tmp_path / "out")], projects=["sample"], trust=trust)

    @pytest.fixture
    def published(self, dist, index, attester):
        """The index with the release, attested by the build that has published it."""
        wheelrelay.relay(
            Route(source=str(dist), sinks=[remote(index)]), options=PublishOptions(attester=attester)
        )
        assert set(index.provenance) == {path.name for path in dist.iterdir()}
        return index

    BUILD: ClassVar = {"github": "example/project", "workflow": "release.yml"}

    def test_files_with_provenance_by_the_publisher_are_accepted(self, published, tmp_path, trust_root):
        assert wheelrelay.relay(self.route(published, tmp_path, trust_root, self.BUILD)).is_complete
        assert {path.name for path in (tmp_path / "out").iterdir()} == set(published.provenance)

    def test_files_with_provenance_by_another_publisher_are_refused(self, published, tmp_path, trust_root):
        with pytest.raises(CheckFailed) as refused:
            wheelrelay.relay(self.route(published, tmp_path, trust_root, PUBLISHER))
        assert {finding.check for finding in refused.value.findings} == {"attestation-bad"}
        assert not (tmp_path / "out").exists()

    def test_files_without_provenance_are_refused(self, published, tmp_path, trust_root):
        published.provenance.popitem()
        with pytest.raises(CheckFailed) as refused:
            wheelrelay.relay(self.route(published, tmp_path, trust_root, self.BUILD))
        assert [finding.check for finding in refused.value.findings] == ["attestation-missing"]

    def test_provenance_of_another_file_is_refused(self, published, tmp_path, trust_root):
        one, other = published.provenance
        published.provenance[one] = published.provenance[other]
        with pytest.raises(CheckFailed) as refused:
            wheelrelay.relay(self.route(published, tmp_path, trust_root, self.BUILD))
        assert {(finding.check, finding.filename) for finding in refused.value.findings} == {
            ("attestation-bad", one)
        }

    @pytest.mark.parametrize("nonsense", [b"{", b"[]", b'{"version": 2}', b'{"version": 1}'])
    def test_invalid_provenance_is_an_error(self, published, tmp_path, trust_root, nonsense):
        published.provenance = dict.fromkeys(published.provenance, nonsense)
        with pytest.raises(BackendError, match=r"The provenance of .* is not valid"):
            wheelrelay.relay(self.route(published, tmp_path, trust_root, self.BUILD))

    def test_temporary_failure_is_retried(self, published, tmp_path, trust_root):
        name = next(iter(published.provenance))
        published.fail(f"/integrity/{name}/provenance", Reply(b"", 503, headers={"Retry-After": "0"}))
        assert wheelrelay.relay(self.route(published, tmp_path, trust_root, self.BUILD)).is_complete

    def test_provenance_is_not_requested_without_trusted_publishers(self, published, tmp_path):
        source = Remote("trusting", IndexConfig(url=published.simple_url))
        wheelrelay.relay(Route(source=source, sinks=[str(tmp_path / "out")], projects=["sample"]))
        assert not any("integrity" in path for path in published.paths())
