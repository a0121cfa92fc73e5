"""Attestations are created with the publishing identity, and forwarded to sinks."""

import traceback

import pytest
from tests.servers.oidc import REQUEST_TOKEN
from tests.servers.pypi import TOKEN
from tests.servers.sigstore import PUBLISH, SLSA, Builder
from tests.servers.web import Reply
from tests.unit.signing.conftest import attested_names, put_next_to, remote

import wheelrelay
from wheelrelay import CheckFailed, ConfigError, MissingSecret, PublishOptions, Remote, Route
from wheelrelay.backends.local.directory import DirectoryConfig
from wheelrelay.errors import AuthenticationFailed, Unavailable
from wheelrelay.testing import stage_path


class TestCreation:
    def test_each_file_is_uploaded_with_a_valid_attestation(self, dist, index, attester):
        receipt = wheelrelay.relay(
            Route(source=str(dist), sinks=[remote(index)]), options=PublishOptions(attester=attester)
        )
        assert receipt.is_complete
        assert index.attested == {path.name: [PUBLISH] for path in dist.iterdir()}

    def test_container_stores_attestations_next_to_files(self, dist, tmp_path, attester):
        out = Remote("out", DirectoryConfig(path=tmp_path / "out", attest=True))
        route = Route(source=str(dist), sinks=[out])
        wheelrelay.relay(route, options=PublishOptions(attester=attester))
        assert attested_names(tmp_path / "out") == {
            f"{path.name}.publish.attestation" for path in dist.iterdir()
        }
        assert wheelrelay.plan(route).has_work == 0

    def test_only_sinks_with_attest_get_attestations(self, dist, tmp_path, attester):
        with_them = Remote("one", DirectoryConfig(path=tmp_path / "one", attest=True))
        without = Remote("two", DirectoryConfig(path=tmp_path / "two"))
        wheelrelay.relay(
            Route(source=str(dist), sinks=[with_them, without]), options=PublishOptions(attester=attester)
        )
        assert attested_names(tmp_path / "one")
        assert not attested_names(tmp_path / "two")

    def test_token_credentials_are_refused_before_any_transfer(self, dist, index, attester, monkeypatch):
        monkeypatch.setenv("WHEELRELAY_TRUSTING_TOKEN", TOKEN)
        with pytest.raises(ConfigError, match="with trusted publishing, but the credentials come from the"):
            wheelrelay.relay(
                Route(source=str(dist), sinks=[remote(index)]), options=PublishOptions(attester=attester)
            )
        assert index.uploads == []

    def test_missing_identity_is_reported(self, dist, tmp_path, monkeypatch):
        monkeypatch.delenv("ACTIONS_ID_TOKEN_REQUEST_URL", raising=False)
        for name in ("GITHUB_ACTIONS", "GITLAB_CI", "BUILDKITE", "CIRCLECI"):
            monkeypatch.delenv(name, raising=False)
        out = Remote("out", DirectoryConfig(path=tmp_path / "out", attest=True))
        with pytest.raises(MissingSecret, match="No identity for attestations"):
            wheelrelay.relay(Route(source=str(dist), sinks=[out]))
        assert not (tmp_path / "out").exists()

    def test_refusal_by_the_ci_system_is_reported_without_its_response(self, dist, tmp_path, index):
        index.fail("/identity", Reply(f"Who says {REQUEST_TOKEN}?".encode(), 401, "text/plain"))
        out = Remote("out", DirectoryConfig(path=tmp_path / "out", attest=True))
        refusal = r"Sigstore refused the identity of this job: .*401"
        with pytest.raises(AuthenticationFailed, match=refusal) as refused:
            wheelrelay.relay(Route(source=str(dist), sinks=[out]))
        assert REQUEST_TOKEN not in "".join(traceback.format_exception(refused.value))
        assert not (tmp_path / "out").exists()

    def test_temporary_failure_is_retried(self, dist, index, attester):
        class Late:
            troubles = 1

            def attest(self, staged):
                if self.troubles:
                    self.troubles -= 1
                    raise Unavailable("Sigstore did not sign.", retry_after=0)
                return attester.attest(staged)

        wheelrelay.relay(
            Route(source=str(dist), sinks=[remote(index)]), options=PublishOptions(attester=Late())
        )
        assert len(index.attested) == 2

    def test_publish_attestation_of_the_source_is_replaced(self, dist, index, attester, sigstore):
        put_next_to(dist, sigstore, Builder(repository="somebody/else"))
        put_next_to(dist, sigstore, predicate=SLSA)
        wheelrelay.relay(
            Route(source=str(dist), sinks=[remote(index)]), options=PublishOptions(attester=attester)
        )
        assert all(sorted(kinds) == sorted([PUBLISH, SLSA]) for kinds in index.attested.values())
        assert len(index.attested) == 2


class TestForwarding:
    def test_directory_gets_attestations_as_files(self, dist, tmp_path, sigstore):
        put_next_to(dist, sigstore)
        wheelrelay.relay(Route(source=str(dist), sinks=[str(tmp_path / "out")]))
        assert attested_names(tmp_path / "out") == attested_names(dist)

    def test_index_gets_attestations_by_the_publishing_identity(self, dist, index, sigstore):
        put_next_to(dist, sigstore)
        put_next_to(dist, sigstore, predicate=SLSA)
        wheelrelay.relay(Route(source=str(dist), sinks=[remote(index, attest=False)]))
        assert all(sorted(kinds) == sorted([PUBLISH, SLSA]) for kinds in index.attested.values())

    def test_attestations_by_other_identities_are_not_uploaded_to_an_index(
        self, dist, index, sigstore, caplog
    ):
        put_next_to(dist, sigstore, Builder(repository="somebody/else"))
        assert wheelrelay.relay(Route(source=str(dist), sinks=[remote(index, attest=False)])).is_complete
        assert index.attested == {}
        assert "is not uploaded" in caplog.text

    def test_attestations_with_a_malformed_certificate_are_not_uploaded(self, dist, index, sigstore):
        put_next_to(dist, sigstore, Builder(tag=0x30))
        assert wheelrelay.relay(Route(source=str(dist), sinks=[remote(index, attest=False)])).is_complete
        assert index.attested == {}

    def test_attestations_are_not_uploaded_with_token_credentials(self, dist, index, sigstore, monkeypatch):
        put_next_to(dist, sigstore)
        monkeypatch.setenv("WHEELRELAY_TRUSTING_TOKEN", TOKEN)
        assert wheelrelay.relay(Route(source=str(dist), sinks=[remote(index, attest=False)])).is_complete
        assert index.attested == {}

    @pytest.mark.parametrize("wrong", ["name", "bytes", "nonsense"])
    def test_attestation_of_another_file_blocks_publishing(self, dist, tmp_path, sigstore, wrong):
        wheel = next(dist.glob("*.whl"))
        name = "other-1.0-py3-none-any.whl" if wrong == "name" else wheel.name
        sha256 = "0" * 64 if wrong == "bytes" else stage_path(wheel).sha256
        made = b"{}" if wrong == "nonsense" else sigstore.attest(name, sha256)
        (dist / f"{wheel.name}.publish.attestation").write_bytes(made)
        with pytest.raises(CheckFailed) as refused:
            wheelrelay.relay(Route(source=str(dist), sinks=[str(tmp_path / "out")]))
        assert [finding.check for finding in refused.value.findings] == ["attestation-bad"]
        assert not (tmp_path / "out").exists()
