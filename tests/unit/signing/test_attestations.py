"""Attestations: made with the publishing identity, taken along, and demanded; verified for real."""

import json
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from tests.servers.oidc import AUDIENCE, REQUEST_TOKEN, TrustingIndex, run_trusting_index
from tests.servers.pypi import TOKEN
from tests.servers.sigstore import PUBLISH, SLSA, Builder, LocalSigstore
from tests.servers.web import Reply

import wheelrelay
from wheelrelay import BackendError, CheckFailed, ConfigError, MissingSecret, PublishOptions, Remote, Route
from wheelrelay.backends.index import IndexConfig
from wheelrelay.backends.local.directory import DirectoryConfig
from wheelrelay.errors import AuthenticationFailed, Unavailable
from wheelrelay.model import Companion
from wheelrelay.staged import StagedFile
from wheelrelay.testing import make_sdist, make_wheel, stage_path

HERE = Builder(repository="example/project")
"""The build that publishes: the job of the trusting index."""


@pytest.fixture
def sigstore() -> LocalSigstore:
    """Whoever makes and vouches."""
    return LocalSigstore()


@pytest.fixture
def trust_root(sigstore: LocalSigstore, tmp_path: Path) -> Path:
    """The keys by which it is known."""
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
    """Attests by the local Sigstore, as some build."""

    def __init__(self, sigstore: LocalSigstore, builder: Builder = HERE) -> None:
        self.sigstore = sigstore
        self.builder = builder

    def attest(self, staged: StagedFile) -> Companion:
        made = self.sigstore.attest(staged.filename, staged.sha256, self.builder)
        return Companion(".publish.attestation", made)


@pytest.fixture
def attester(sigstore: LocalSigstore) -> Attester:
    """Attests as the build that publishes."""
    return Attester(sigstore)


def remote(index: TrustingIndex, *, attest: bool = True, **keys: object) -> Remote:
    trust = {"trusted_publishing": True, "audience": AUDIENCE}
    addresses = {"url": index.simple_url, "upload_url": index.upload_url}
    config = IndexConfig.model_validate({**addresses, **trust, "attest": attest, **keys})
    return Remote("trusting", config)


def put_beside(
    folder: Path, sigstore: LocalSigstore, builder: Builder = HERE, *, predicate: str = PUBLISH
) -> None:
    """Lay an attestation beside each file of a folder."""
    suffix = ".publish.attestation" if predicate == PUBLISH else ".slsa.attestation"
    for path in [*folder.glob("*.whl"), *folder.glob("*.tar.gz")]:
        staged = stage_path(path)
        made = sigstore.attest(path.name, staged.sha256, builder, predicate=predicate)
        (folder / (path.name + suffix)).write_bytes(made)


def attested_names(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("*.attestation")}


class TestMaking:
    def test_each_file_goes_up_with_an_attestation_that_the_index_finds_good(self, dist, index, attester):
        receipt = wheelrelay.relay(
            Route(source=str(dist), sinks=[remote(index)]), options=PublishOptions(attester=attester)
        )
        assert receipt.is_complete
        assert index.attested == {path.name: [PUBLISH] for path in dist.iterdir()}

    def test_a_container_keeps_them_beside_the_files(self, dist, tmp_path, attester):
        out = Remote("out", DirectoryConfig(path=tmp_path / "out", attest=True))
        route = Route(source=str(dist), sinks=[out])
        wheelrelay.relay(route, options=PublishOptions(attester=attester))
        assert attested_names(tmp_path / "out") == {
            f"{path.name}.publish.attestation" for path in dist.iterdir()
        }
        assert wheelrelay.plan(route).has_work == 0

    def test_only_the_sinks_that_ask_for_them_get_them(self, dist, tmp_path, attester):
        with_them = Remote("one", DirectoryConfig(path=tmp_path / "one", attest=True))
        without = Remote("two", DirectoryConfig(path=tmp_path / "two"))
        wheelrelay.relay(
            Route(source=str(dist), sinks=[with_them, without]), options=PublishOptions(attester=attester)
        )
        assert attested_names(tmp_path / "one")
        assert not attested_names(tmp_path / "two")

    def test_a_token_of_ones_own_is_refused_before_anything_is_fetched_or_sent(
        self, dist, index, attester, monkeypatch
    ):
        monkeypatch.setenv("WHEELRELAY_TRUSTING_TOKEN", TOKEN)
        with pytest.raises(ConfigError, match="with trusted publishing, but the credentials come from the"):
            wheelrelay.relay(
                Route(source=str(dist), sinks=[remote(index)]), options=PublishOptions(attester=attester)
            )
        assert index.uploads == []

    def test_without_any_identity_it_says_what_is_missing(self, dist, tmp_path, monkeypatch):
        monkeypatch.delenv("ACTIONS_ID_TOKEN_REQUEST_URL", raising=False)
        for name in ("GITHUB_ACTIONS", "GITLAB_CI", "BUILDKITE", "CIRCLECI"):
            monkeypatch.delenv(name, raising=False)
        out = Remote("out", DirectoryConfig(path=tmp_path / "out", attest=True))
        with pytest.raises(MissingSecret, match="No identity for attestations"):
            wheelrelay.relay(Route(source=str(dist), sinks=[out]))
        assert not (tmp_path / "out").exists()

    def test_a_ci_system_that_refuses_is_told_without_its_words(self, dist, tmp_path, index):
        index.fail("/identity", Reply(f"Who says {REQUEST_TOKEN}?".encode(), 401, "text/plain"))
        out = Remote("out", DirectoryConfig(path=tmp_path / "out", attest=True))
        with pytest.raises(
            AuthenticationFailed, match=r"Sigstore refused the identity of this job: .*401"
        ) as refused:
            wheelrelay.relay(Route(source=str(dist), sinks=[out]))
        assert REQUEST_TOKEN not in "".join(traceback.format_exception(refused.value))
        assert not (tmp_path / "out").exists()

    def test_trouble_that_passes_is_outlasted(self, dist, index, attester):
        class Late:
            troubles = 1

            def attest(self, staged: StagedFile) -> Companion:
                if self.troubles:
                    self.troubles -= 1
                    raise Unavailable("Sigstore did not sign.", retry_after=0)
                return attester.attest(staged)

        wheelrelay.relay(
            Route(source=str(dist), sinks=[remote(index)]), options=PublishOptions(attester=Late())
        )
        assert len(index.attested) == 2

    def test_what_the_source_says_of_publishing_is_made_anew(self, dist, index, attester, sigstore):
        put_beside(dist, sigstore, Builder(repository="somebody/else"))
        put_beside(dist, sigstore, predicate=SLSA)
        wheelrelay.relay(
            Route(source=str(dist), sinks=[remote(index)]), options=PublishOptions(attester=attester)
        )
        assert all(sorted(kinds) == sorted([PUBLISH, SLSA]) for kinds in index.attested.values())
        assert len(index.attested) == 2


class TestTakingAlong:
    def test_into_a_directory_they_go_as_files(self, dist, tmp_path, sigstore):
        put_beside(dist, sigstore)
        wheelrelay.relay(Route(source=str(dist), sinks=[str(tmp_path / "out")]))
        assert attested_names(tmp_path / "out") == attested_names(dist)

    def test_to_an_index_those_go_that_the_publishing_identity_has_made(self, dist, index, sigstore):
        put_beside(dist, sigstore)
        put_beside(dist, sigstore, predicate=SLSA)
        wheelrelay.relay(Route(source=str(dist), sinks=[remote(index, attest=False)]))
        assert all(sorted(kinds) == sorted([PUBLISH, SLSA]) for kinds in index.attested.values())

    def test_others_stay_behind_for_the_index_would_refuse_the_file(self, dist, index, sigstore, caplog):
        put_beside(dist, sigstore, Builder(repository="somebody/else"))
        assert wheelrelay.relay(Route(source=str(dist), sinks=[remote(index, attest=False)])).is_complete
        assert index.attested == {}
        assert "is not uploaded" in caplog.text

    def test_so_do_those_whose_certificate_is_malformed(self, dist, index, sigstore):
        put_beside(dist, sigstore, Builder(tag=0x30))
        assert wheelrelay.relay(Route(source=str(dist), sinks=[remote(index, attest=False)])).is_complete
        assert index.attested == {}

    def test_so_do_all_where_a_token_publishes(self, dist, index, sigstore, monkeypatch):
        put_beside(dist, sigstore)
        monkeypatch.setenv("WHEELRELAY_TRUSTING_TOKEN", TOKEN)
        assert wheelrelay.relay(Route(source=str(dist), sinks=[remote(index, attest=False)])).is_complete
        assert index.attested == {}

    @pytest.mark.parametrize("wrong", ["name", "bytes", "nonsense"])
    def test_one_of_another_file_shuts_the_gate(self, dist, tmp_path, sigstore, wrong):
        wheel = next(dist.glob("*.whl"))
        name = "other-1.0-py3-none-any.whl" if wrong == "name" else wheel.name
        sha256 = "0" * 64 if wrong == "bytes" else stage_path(wheel).sha256
        made = b"{}" if wrong == "nonsense" else sigstore.attest(name, sha256)
        (dist / f"{wheel.name}.publish.attestation").write_bytes(made)
        with pytest.raises(CheckFailed) as refused:
            wheelrelay.relay(Route(source=str(dist), sinks=[str(tmp_path / "out")]))
        assert [finding.check for finding in refused.value.findings] == ["attestation-bad"]
        assert not (tmp_path / "out").exists()


PUBLISHER = {"github": "acme/sample", "workflow": "release.yml"}


class TestDemanding:
    def route(
        self, dist: Path, tmp_path: Path, trust_root: Path, *publishers: object, **trust: object
    ) -> Route:
        trust |= {"publishers": publishers or (PUBLISHER,), "root": trust_root}
        return Route(source=str(dist), sinks=[str(tmp_path / "out")], trust=trust)

    def refused(self, route: Route, tmp_path: Path) -> set[str]:
        with pytest.raises(CheckFailed) as refused:
            wheelrelay.relay(route)
        assert not (tmp_path / "out").exists()
        return {finding.check for finding in refused.value.findings}

    def test_files_that_the_publisher_attests_pass(self, dist, tmp_path, trust_root, sigstore):
        put_beside(dist, sigstore, Builder())
        assert wheelrelay.relay(self.route(dist, tmp_path, trust_root)).is_complete

    def test_without_attestations_nothing_passes(self, dist, tmp_path, trust_root):
        assert self.refused(self.route(dist, tmp_path, trust_root), tmp_path) == {"attestation-missing"}

    @pytest.mark.parametrize("builder", [Builder(repository="acme/other"), Builder(workflow="nightly.yml")])
    def test_those_of_another_build_do_not_count(self, dist, tmp_path, trust_root, sigstore, builder):
        put_beside(dist, sigstore, builder)
        assert self.refused(self.route(dist, tmp_path, trust_root), tmp_path) == {"attestation-bad"}

    def test_those_that_another_sigstore_vouches_for_do_not_count(self, dist, tmp_path, trust_root):
        put_beside(dist, LocalSigstore(), Builder())
        assert self.refused(self.route(dist, tmp_path, trust_root), tmp_path) == {"attestation-bad"}

    def test_one_whose_statement_was_exchanged_does_not_count(self, dist, tmp_path, trust_root, sigstore):
        put_beside(dist, sigstore, Builder())
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
    def test_those_that_state_something_else_do_not_count(self, dist, tmp_path, trust_root, sigstore, made):
        for path in list(dist.iterdir()):
            content = sigstore.attest(path.name, stage_path(path).sha256, Builder(), **made)
            (dist / f"{path.name}.publish.attestation").write_bytes(content)
        assert self.refused(self.route(dist, tmp_path, trust_root), tmp_path) == {"attestation-bad"}

    @pytest.mark.parametrize("ref", ["refs/heads/feature", "refs/pull/7/merge"])
    def test_those_of_another_ref_do_not_count_where_one_is_demanded(
        self, dist, tmp_path, trust_root, sigstore, ref
    ):
        put_beside(dist, sigstore, Builder(ref=ref))
        demanding = self.route(dist, tmp_path, trust_root, {**PUBLISHER, "ref": "refs/tags/v*"})
        with pytest.raises(CheckFailed) as refused:
            wheelrelay.relay(demanding)
        assert f"it was built from {ref}, not from refs/tags/v*" in refused.value.findings[0].message
        assert not (tmp_path / "out").exists()
        assert wheelrelay.relay(self.route(dist, tmp_path, trust_root)).is_complete

    @pytest.mark.parametrize("ref", ["refs/tags/v*", "refs/tags/v1.0", "refs/*"])
    def test_those_of_a_ref_that_is_demanded_count(self, dist, tmp_path, trust_root, sigstore, ref):
        put_beside(dist, sigstore, Builder(ref="refs/tags/v1.0"))
        demanding = self.route(dist, tmp_path, trust_root, {**PUBLISHER, "ref": ref})
        assert wheelrelay.relay(demanding).is_complete

    @pytest.mark.parametrize("environment", [None, "staging", "pypi2", "p" * 200])
    def test_those_of_another_environment_do_not_count_where_one_is_demanded(
        self, dist, tmp_path, trust_root, sigstore, environment
    ):
        put_beside(dist, sigstore, Builder(environment=environment))
        demanding = self.route(dist, tmp_path, trust_root, {**PUBLISHER, "environment": "pypi"})
        assert self.refused(demanding, tmp_path) == {"attestation-bad"}

    @pytest.mark.parametrize("environment", ["pypi", "p" * 200])
    def test_those_of_the_environment_that_is_demanded_count(
        self, dist, tmp_path, trust_root, sigstore, environment
    ):
        put_beside(dist, sigstore, Builder(environment=environment))
        demanding = self.route(dist, tmp_path, trust_root, {**PUBLISHER, "environment": environment})
        assert wheelrelay.relay(demanding).is_complete

    def test_one_whose_certificate_is_malformed_does_not_count(self, dist, tmp_path, trust_root, sigstore):
        put_beside(dist, sigstore, Builder(tag=0x30))
        assert self.refused(self.route(dist, tmp_path, trust_root), tmp_path) == {"attestation-bad"}

    def test_one_of_several_publishers_is_enough(self, dist, tmp_path, trust_root, sigstore):
        put_beside(dist, sigstore, Builder())
        others = ({"gitlab": "acme/sample"}, {"google": "ci@acme.example"}, PUBLISHER)
        assert wheelrelay.relay(self.route(dist, tmp_path, trust_root, *others)).is_complete

    def test_a_key_or_a_publisher_is_enough(self, dist, tmp_path, trust_root, sigstore, keyring):
        key = keyring.new_key("Releases <releases@example.org>")
        put_beside(dist, sigstore, Builder())
        assert wheelrelay.relay(self.route(dist, tmp_path, trust_root, PUBLISHER, keys=[key])).is_complete

    def test_a_trust_root_that_is_not_there_is_told(self, dist, tmp_path):
        with pytest.raises(ConfigError, match=r"nowhere\.json does not exist"):
            wheelrelay.relay(self.route(dist, tmp_path, tmp_path / "nowhere.json"))

    def test_one_that_is_none_is_told(self, dist, tmp_path, sigstore):
        put_beside(dist, sigstore, Builder())
        (tmp_path / "root.json").write_text("{}")
        with pytest.raises(ConfigError, match=r"trust root .*root\.json cannot be read"):
            wheelrelay.relay(self.route(dist, tmp_path, tmp_path / "root.json"))

    def test_an_empty_list_of_those_who_vouch_is_told(self, dist, tmp_path):
        with pytest.raises(ConfigError, match=r"trust\.publishers: this must not be empty"):
            Route(source=str(dist), sinks=[str(tmp_path / "out")], trust={"publishers": []})

    @pytest.mark.parametrize("keys", [{}, {"keys": ["0123456789ABCDEF"]}], ids=["nothing", "keys"])
    def test_a_trust_root_that_no_publisher_needs_is_told(self, dist, tmp_path, trust_root, keys):
        with pytest.raises(ConfigError, match="publishers is not configured"):
            Route(source=str(dist), sinks=[str(tmp_path / "out")], trust={"root": trust_root, **keys})

    @pytest.mark.parametrize("ref", ["main", "v1.0", ""])
    def test_a_ref_that_no_certificate_can_name_is_told(self, ref):
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
    def test_what_is_no_publisher_is_told(self, given, said):
        with pytest.raises(ConfigError, match=said):
            Route(source="./dist", sinks=["./out"], trust={"publishers": [given]})


class TestProvenance:
    """What an index tells of attestations counts as what lies beside a file does."""

    def route(self, index: TrustingIndex, tmp_path: Path, trust_root: Path, publisher: object) -> Route:
        trust = {"publishers": [publisher], "root": trust_root}
        source = Remote("trusting", IndexConfig(url=index.simple_url))
        return Route(source=source, sinks=[str(tmp_path / "out")], projects=["sample"], trust=trust)

    @pytest.fixture
    def published(self, dist, index, attester) -> TrustingIndex:
        """The index with the release, attested by the build that has published it."""
        wheelrelay.relay(
            Route(source=str(dist), sinks=[remote(index)]), options=PublishOptions(attester=attester)
        )
        assert set(index.provenance) == {path.name for path in dist.iterdir()}
        return index

    BUILD: ClassVar = {"github": "example/project", "workflow": "release.yml"}

    def test_files_pass_that_the_publisher_has_attested_there(self, published, tmp_path, trust_root):
        assert wheelrelay.relay(self.route(published, tmp_path, trust_root, self.BUILD)).is_complete
        assert {path.name for path in (tmp_path / "out").iterdir()} == set(published.provenance)

    def test_files_of_another_publisher_are_refused(self, published, tmp_path, trust_root):
        with pytest.raises(CheckFailed) as refused:
            wheelrelay.relay(self.route(published, tmp_path, trust_root, PUBLISHER))
        assert {finding.check for finding in refused.value.findings} == {"attestation-bad"}
        assert not (tmp_path / "out").exists()

    def test_so_are_files_of_which_it_tells_nothing(self, published, tmp_path, trust_root):
        published.provenance.popitem()
        with pytest.raises(CheckFailed) as refused:
            wheelrelay.relay(self.route(published, tmp_path, trust_root, self.BUILD))
        assert [finding.check for finding in refused.value.findings] == ["attestation-missing"]

    def test_an_attestation_of_another_file_is_none(self, published, tmp_path, trust_root):
        one, other = published.provenance
        published.provenance[one] = published.provenance[other]
        with pytest.raises(CheckFailed) as refused:
            wheelrelay.relay(self.route(published, tmp_path, trust_root, self.BUILD))
        assert {(finding.check, finding.filename) for finding in refused.value.findings} == {
            ("attestation-bad", one)
        }

    @pytest.mark.parametrize("nonsense", [b"{", b"[]", b'{"version": 2}', b'{"version": 1}'])
    def test_what_is_no_provenance_is_told_and_not_taken_for_none(
        self, published, tmp_path, trust_root, nonsense
    ):
        published.provenance = dict.fromkeys(published.provenance, nonsense)
        with pytest.raises(BackendError, match="is not valid provenance"):
            wheelrelay.relay(self.route(published, tmp_path, trust_root, self.BUILD))

    def test_trouble_that_passes_is_outlasted(self, published, tmp_path, trust_root):
        name = next(iter(published.provenance))
        published.fail(f"/integrity/{name}/provenance", Reply(b"", 503, headers={"Retry-After": "0"}))
        assert wheelrelay.relay(self.route(published, tmp_path, trust_root, self.BUILD)).is_complete

    def test_nobody_asks_for_it_where_no_publisher_is_demanded(self, published, tmp_path):
        source = Remote("trusting", IndexConfig(url=published.simple_url))
        wheelrelay.relay(Route(source=source, sinks=[str(tmp_path / "out")], projects=["sample"]))
        assert not any("integrity" in path for path in published.paths())
