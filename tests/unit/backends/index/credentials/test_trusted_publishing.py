"""Trusted publishing: the identity of a CI job becomes tokens, one for each project, while they serve."""

import json
import logging
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from pathlib import Path

import pytest
from joserfc.jwk import ECKey
from tests.servers.google import OF_THE_MACHINE, run_google
from tests.servers.oidc import AUDIENCE, REQUEST_TOKEN, TrustingIndex, run_trusting_index
from tests.servers.pypi_troubles import Point
from tests.servers.web import Reply

import wheelrelay
from wheelrelay import Remote, Route
from wheelrelay.backends.index import IndexConfig
from wheelrelay.backends.index.backend import Index
from wheelrelay.backends.index.credentials import Account
from wheelrelay.backends.index.credentials.ci_identity import audience_for, claims_of, identity_for, is_ci_job
from wheelrelay.backends.index.credentials.request import CredentialRequest
from wheelrelay.backends.index.credentials.trusted_publishing import TrustedPublishing
from wheelrelay.errors import AuthenticationFailed, PermissionDenied, Unavailable, WheelrelayError
from wheelrelay.http import HttpClient
from wheelrelay.staged import StagedFile
from wheelrelay.testing import make_wheel, stage_path


@pytest.fixture
def index() -> Iterator[TrustingIndex]:
    """An index that trusts the jobs of a repository; none runs yet."""
    with run_trusting_index() as running:
        yield running


@pytest.fixture
def job(index: TrustingIndex, monkeypatch: pytest.MonkeyPatch) -> TrustingIndex:
    """The same, and this is a job of that repository."""
    for name, value in index.github().items():
        monkeypatch.setenv(name, value)
    return index


def trusting(index: TrustingIndex, **keys: object) -> IndexConfig:
    """A configuration of the index that has it publish by identity."""
    addresses = {"url": index.simple_url, "upload_url": index.upload_url}
    trust = {"trusted_publishing": True, "audience": AUDIENCE}
    return IndexConfig.model_validate({**addresses, **trust, **keys})


def opened(index: TrustingIndex) -> AbstractContextManager[Index]:
    """The index, connected."""
    return trusting(index).open()  # type: ignore[return-value]


def wheel(folder: Path, project: str = "sample", version: str = "1.0") -> StagedFile:
    return stage_path(make_wheel(folder, project, version))


def owners(index: TrustingIndex) -> list[str | None]:
    """The project of each token, in the order of their making."""
    return [token.project for token in index.tokens.values()]


def relay(folder: Path, index: TrustingIndex, **options: int) -> wheelrelay.Receipt:
    remote = Remote("trusting", trusting(index))
    return wheelrelay.relay(Route(source=str(folder), sinks=[remote]), **options)


class TestTokens:
    def test_a_release_goes_up_by_the_identity_of_the_job_and_the_token_is_given_back(
        self, job: TrustingIndex, tmp_path: Path
    ) -> None:
        names = {make_wheel(tmp_path, "sample", "1.0", f"cp3{minor}-none-any").name for minor in range(9, 14)}
        assert relay(tmp_path, job).is_complete
        assert set(job.files) == names
        assert owners(job) == ["sample"]
        assert job.burnt == list(job.tokens)

    def test_each_project_has_a_token_of_its_own(self, job: TrustingIndex, tmp_path: Path) -> None:
        for project in ("one", "two", "three"):
            make_wheel(tmp_path, project, "1.0")
        assert relay(tmp_path, job).is_complete
        assert sorted(map(str, owners(job))) == ["one", "three", "two"]
        assert len(set(job.identities)) == 3
        assert sorted(job.burnt) == sorted(job.tokens)

    def test_tokens_that_live_for_two_seconds_carry_a_release_of_thirty_files(
        self, job: TrustingIndex, tmp_path: Path
    ) -> None:
        job.token_life, job.slowness = 2, 0.3
        for number in range(30):
            make_wheel(tmp_path, "sample", "1.0", f"cp3{number}-none-any")
        assert relay(tmp_path, job, jobs=4).is_complete
        assert len(job.files) == 30
        assert len(job.tokens) > 1
        assert set(owners(job)) == {"sample"}

    def test_an_upload_that_outlives_its_token_is_sent_again_with_another(
        self, job: TrustingIndex, tmp_path: Path
    ) -> None:
        job.token_life = 1
        with opened(job) as backend:
            backend.make_ready()
            job.token_life = 900
            held = job.hold(Point.RECEIVED)
            threading.Timer(1.1, held.let_go).start()
            backend.put(wheel(tmp_path))
        assert [upload.status for upload in job.uploads] == [403, 200]
        assert len(job.tokens) == 2

    def test_a_token_that_the_index_does_not_know_any_more_is_replaced(
        self, job: TrustingIndex, tmp_path: Path
    ) -> None:
        job.status_for_bad_tokens = 401
        with opened(job) as backend:
            backend.make_ready()
            job.tokens.clear()
            backend.put(wheel(tmp_path))
        assert [upload.status for upload in job.uploads] == [401, 200]

    def test_a_job_without_permission_for_the_project_gets_no_second_token(
        self, job: TrustingIndex, tmp_path: Path
    ) -> None:
        with opened(job) as backend:
            backend.make_ready()
            next(iter(job.tokens.values())).project = "another"
            with pytest.raises(PermissionDenied, match="it is for another project"):
                backend.put(wheel(tmp_path))
        assert len(job.tokens) == 1

    def test_without_a_word_of_its_expiry_a_token_is_used_for_all_files(
        self, job: TrustingIndex, tmp_path: Path
    ) -> None:
        job.tells_expiry = False
        for number in range(5):
            make_wheel(tmp_path, "sample", "1.0", f"cp3{number}-none-any")
        assert relay(tmp_path, job).is_complete
        assert len(job.tokens) == 1

    @pytest.mark.parametrize("expires", [b'"2026-11-25T00:00:00Z"', b"[]", b"1e999", b"-1"])
    def test_an_expiry_that_makes_no_sense_counts_as_none(self, job: TrustingIndex, expires: bytes) -> None:
        job.fail("/_/oidc/mint-token", Reply(b'{"token": "pypi-x", "expires": ' + expires + b"}"))
        with opened(job) as backend:
            backend.make_ready()

    def test_while_no_other_can_be_had_one_that_is_still_good_is_used(
        self, job: TrustingIndex, tmp_path: Path
    ) -> None:
        job.token_life = 3
        with opened(job) as backend:
            backend.make_ready()
            time.sleep(2.1)  # two thirds of its life: the next token is due
            job.fail("/_/oidc/mint-token", Reply(status=503))
            backend.put(wheel(tmp_path))
        assert len(job.tokens) == 1

    def test_a_job_with_one_identity_uses_its_token_to_the_end_and_then_says_so(
        self, job: TrustingIndex, tmp_path: Path
    ) -> None:
        job.same_identity, job.token_life = True, 3
        with opened(job) as backend:
            backend.put(wheel(tmp_path))
            time.sleep(2.1)  # two thirds of its life: the next token is due
            backend.put(wheel(tmp_path, version="1.1"))
            time.sleep(1)
            with pytest.raises(AuthenticationFailed, match=r"same identity again.*Start the job again"):
                backend.put(wheel(tmp_path, version="1.2"))


class TestOtherSystems:
    """Their agents ask the index's own CI system, by the audience that they are given."""

    AGENT = """\
#!{python}
import json, sys, urllib.request
words = sys.argv[1:]
audience = {audience}
request = urllib.request.Request("{url}identity?audience=" + audience)
request.add_header("Authorization", "bearer {secret}")
print(json.load(urllib.request.urlopen(request))["value"])
"""

    @pytest.mark.parametrize(
        ("sign", "program", "audience"),
        [
            ("BUILDKITE", "buildkite-agent", 'words[words.index("--audience") + 1]'),
            ("CIRCLECI", "circleci", 'json.loads(words[words.index("--claims") + 1])["aud"]'),
        ],
    )
    def test_an_agent_on_the_machine_is_asked(
        self,
        index: TrustingIndex,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        sign: str,
        program: str,
        audience: str,
    ) -> None:
        agent = tmp_path / "bin" / program
        agent.parent.mkdir()
        agent.write_text(
            self.AGENT.format(python=sys.executable, audience=audience, url=index.url, secret=REQUEST_TOKEN)
        )
        agent.chmod(0o700)
        monkeypatch.setenv("PATH", str(agent.parent), prepend=os.pathsep)
        monkeypatch.setenv(sign, "true")
        self.assert_published(index, tmp_path)
        assert len(index.identities) == 1

    def test_gitlab_has_the_identity_in_a_variable(
        self, index: TrustingIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("GITLAB_CI", "true")
        monkeypatch.setenv("TESTINDEX_ID_TOKEN", index.sign())
        self.assert_published(index, tmp_path)

    @pytest.fixture
    def google(self, index, tmp_path, monkeypatch):
        """Google's services for machines, at the addresses that `id` reads."""
        product = tmp_path / "product_name"
        product.write_text("Google Compute Engine\n")
        with run_google(index.sign) as google:
            for name, value in {  # `id` has no setting for these
                "PRODUCT_NAME_FILE": str(product),
                "TOKEN_REQUEST_URL": f"{google.url.rstrip('/')}{OF_THE_MACHINE}token",
                "IDENTITY_REQUEST_URL": f"{google.url.rstrip('/')}{OF_THE_MACHINE}identity",
                "GENERATEIDTOKEN_REQUEST_URL": f"{google.url}v1/serviceAccounts/{{}}:generateIdToken",
            }.items():
                monkeypatch.setattr(f"id._internal.oidc.ambient._GCP_{name}", value)
            yield google

    def test_google_machine_is_a_ci_job(self, google, tmp_path):
        assert is_ci_job(tmp_path / "product_name")
        assert not is_ci_job(tmp_path / "missing")

    def test_google_machine_provides_the_identity_of_its_own_account(self, google):
        assert claims_of(identity_for("testindex"))
        assert len(google.paths()) == 1

    def test_google_machine_provides_the_identity_of_another_account(
        self, index, google, tmp_path, monkeypatch
    ):
        account = "release@example.iam.gserviceaccount.com"
        monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT_NAME", account)
        self.assert_published(index, tmp_path)
        assert any(account in path for path in google.paths())

    def assert_published(self, index: TrustingIndex, folder: Path) -> None:
        name = make_wheel(folder / "dist", "sample", "1.0").name
        assert relay(folder / "dist", index).is_complete
        assert set(index.files) == {name}
        assert owners(index) == ["sample"]
        assert index.burnt == list(index.tokens)


class TestGivingBack:
    def test_an_index_that_cannot_take_tokens_back_is_no_error(
        self, job: TrustingIndex, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO, "wheelrelay")
        job.burns = False
        with opened(job) as backend:
            backend.make_ready()
        assert "/_/oidc/burn-token" in job.paths()
        assert "revoke" not in caplog.text

    def test_one_that_fails_at_it_is_only_told_of(
        self, job: TrustingIndex, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO, "wheelrelay")
        with opened(job) as backend:
            backend.make_ready()
            job.fail("/_/oidc/burn-token", Reply(status=500))
        assert "did not revoke a token: it returned 500" in caplog.text
        assert not any(token in caplog.text for token in job.tokens)

    def test_one_that_hangs_up_likewise(
        self, job: TrustingIndex, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO, "wheelrelay")
        with opened(job) as backend:
            backend.make_ready()
            job.fail("/_/oidc/burn-token", Reply(tmp_path / "not there: the server falls over it"))
        assert "could not be revoked" in caplog.text

    def test_after_a_failure_the_token_is_given_back_too(self, job: TrustingIndex, tmp_path: Path) -> None:
        with suppress(PermissionDenied), opened(job) as backend:
            backend.make_ready()
            next(iter(job.tokens.values())).project = "another"
            backend.put(wheel(tmp_path))
        assert job.burnt == list(job.tokens)


class TestRefusals:
    def refusal(self, index: TrustingIndex) -> WheelrelayError:
        """What is raised before anything is sent."""
        with opened(index) as backend, pytest.raises(WheelrelayError) as caught:
            backend.make_ready()
        assert index.uploads == []
        assert not any(identity in str(caught.value) for identity in index.identities)
        return caught.value

    def test_a_job_that_is_not_configured_learns_what_to_configure(self, job: TrustingIndex) -> None:
        job.publisher = "somebody/else"
        refusal = self.refusal(job)
        assert isinstance(refusal, AuthenticationFailed)
        assert "invalid-publisher: valid token, but no corresponding publisher" in refusal.message
        assert "repository 'example/project'" in str(refusal.hint)
        assert "environment 'release'" in str(refusal.hint)
        assert f"workflow_ref '{job.repository}/.github/workflows/" in str(refusal.hint)
        assert "job_workflow_ref 'example/shared/.github/workflows/upload.yml@" in str(refusal.hint)
        assert "repository_owner_id '4711'" in str(refusal.hint)
        assert "ActiveState only" not in str(refusal)

    def test_pypi_is_said_to_support_some_ci_systems_only(self, job: TrustingIndex) -> None:
        job.publisher = "somebody/else"
        job.fail("/_/oidc/audience", Reply(b'{"audience": "pypi"}'))
        tokens = TrustedPublishing(HttpClient(), job.upload_url, "pypi")
        with pytest.raises(AuthenticationFailed) as refused:
            tokens.provide(CredentialRequest(Account("index"), job.upload_url), None)
        assert "supports GitHub, GitLab, Google Cloud and ActiveState only" in str(refused.value)

    @pytest.mark.parametrize("forged", ["life", "key"])
    def test_an_identity_that_is_no_good_is_refused(
        self, job: TrustingIndex, forged: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        job.same_identity = True
        key = ECKey.generate_key("P-256") if forged == "key" else None
        job.identities.append(job.sign(key=key, life=-60 if forged == "life" else 60))
        assert "invalid-token: malformed or invalid token" in str(self.refusal(job))

    @pytest.mark.parametrize(
        ("answer", "said"),
        [
            (Reply(b'{"message": "Trusted publishing is switched off"}', 403), "is switched off"),
            (Reply(b"<h1>Oh</h1>", 418, "text/html"), "returned 418"),
            (Reply(b'{"success": true}', 200), "returned 200"),
            (Reply(b"[]", 200), "returned 200"),
            (Reply(b'{"errors": 5}', 422), "returned 422"),
            (Reply(b'{"token": "a\\nb"}', 200), "returned 200"),
        ],
    )
    def test_any_other_refusal_is_told_as_it_came(self, job: TrustingIndex, answer: Reply, said: str) -> None:
        job.fail("/_/oidc/mint-token", answer)
        refusal = self.refusal(job)
        assert isinstance(refusal, AuthenticationFailed)
        assert said in str(refusal)

    def test_an_answer_that_repeats_the_identity_is_told_without_it(self, job: TrustingIndex) -> None:
        job.same_identity = True
        job.identities.append(job.sign())
        words = f'{{"message": "Not {job.identities[0]}"}}'.encode()
        job.fail("/_/oidc/mint-token", Reply(words, 422))
        assert "Not ***." in str(self.refusal(job))

    @pytest.mark.parametrize("endpoint", ["audience", "mint-token"])
    def test_what_may_pass_may_be_tried_again(self, job: TrustingIndex, endpoint: str) -> None:
        job.fail(f"/_/oidc/{endpoint}", Reply(status=503, headers={"Retry-After": "7"}))
        refusal = self.refusal(job)
        assert isinstance(refusal, Unavailable)
        assert refusal.retry_after == 7


class TestNoIdentity:
    def reasons(self, index: TrustingIndex, folder: Path) -> str:
        """What is told of the places where credentials were looked for, when the index wants some."""
        index.status_for_bad_tokens = 401
        with opened(index) as backend:
            backend.make_ready()
            with pytest.raises(AuthenticationFailed) as caught:
                backend.put(wheel(folder))
        assert index.tokens == {}
        return str(caught.value)

    def test_nothing_is_asked_where_no_job_runs(self, index: TrustingIndex, tmp_path: Path) -> None:
        assert "this is not a CI job with an identity" in self.reasons(index, tmp_path)
        assert not any("oidc" in path for path in index.paths())

    def test_nothing_is_asked_where_other_credentials_are_found(
        self, job: TrustingIndex, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TWINE_REPOSITORY_URL", job.upload_url)
        monkeypatch.setenv("TWINE_PASSWORD", "from twine")
        with opened(job) as backend:
            backend.make_ready()
        assert job.requests == []

    def test_nothing_is_asked_for_reading(self, job: TrustingIndex) -> None:
        with opened(job) as backend:
            assert list(backend.iter_files("sample")) == []
        assert job.paths() == ["/simple/sample/"]

    def test_nothing_is_asked_over_plain_http(
        self, job: TrustingIndex, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTP_PROXY", job.url)
        with IndexConfig(upload_url="http://index.invalid/legacy/", confirm="none").open() as backend:
            backend.make_ready()  # type: ignore[attr-defined]
        assert job.requests == []

    def test_an_index_that_knows_nothing_of_it_is_named(self, job: TrustingIndex, tmp_path: Path) -> None:
        job.knows_oidc = False
        assert "no trusted publishing: " + job.url + "_/oidc/audience returned 404" in self.reasons(
            job, tmp_path
        )

    def test_an_index_that_names_no_audience_likewise(self, job: TrustingIndex, tmp_path: Path) -> None:
        job.fail("/_/oidc/audience", *[Reply(b'{"audience": null}')] * 2)
        assert "returned no audience" in self.reasons(job, tmp_path)

    def test_a_job_without_the_permission_learns_how_to_get_it(
        self, job: TrustingIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN")
        assert "set permissions: id-token: write" in self.reasons(job, tmp_path)

    def test_a_ci_system_that_refuses_is_told_without_its_words(
        self, job: TrustingIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "wrong")
        reasons = self.reasons(job, tmp_path)
        assert (
            "The CI system issues no identity to this job: GitHub: OIDC token request failed (code=401"
            in reasons
        )
        assert "Who are you" not in reasons

    def test_signs_of_a_job_alone_are_no_identity(
        self, index: TrustingIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("GITLAB_CI", "true")
        assert "no identity to this job: GitLab" in self.reasons(index, tmp_path)


class TestAudiences:
    """An identity serves wherever its audience is accepted, so no index chooses whose it gets."""

    PYPI, TESTPYPI = "https://upload.pypi.org/legacy/", "https://test.pypi.org/legacy/"
    PRIVATE = "https://packages.example.org/legacy/"
    OTHERS = (
        *("pypi", "PyPI", "testpypi", "sigstore", "api://AzureADTokenExchange", "sts.amazonaws.com"),
        "https://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/x",
        *("https://github.com/example", "https://gitlab.com", "npm:registry.npmjs.org", "pyp\u0131"),
    )

    @pytest.mark.parametrize("wanted", ["pypi", "testpypi", "sigstore", "api://AzureADTokenExchange", "x"])
    def test_an_index_that_wants_identities_for_another_service_gets_none(
        self, job: TrustingIndex, wanted: str, tmp_path: Path
    ) -> None:
        job.fail("/_/oidc/audience", *[Reply(json.dumps({"audience": wanted}).encode())] * 9)
        job.status_for_bad_tokens = 401
        with opened(job) as backend, pytest.raises(AuthenticationFailed) as caught:
            backend.put(wheel(tmp_path))
        assert f"requests identities for the audience '{wanted}', but the configured audience is" in str(
            caught.value
        )
        assert job.identities == []

    def test_without_being_switched_on_an_index_is_not_even_asked(
        self, job: TrustingIndex, tmp_path: Path
    ) -> None:
        plain = IndexConfig(url=job.simple_url, upload_url=job.upload_url)
        job.status_for_bad_tokens = 401
        with plain.open() as backend, pytest.raises(AuthenticationFailed, match="is not enabled"):
            backend.put(wheel(tmp_path))  # type: ignore[attr-defined]
        assert [path for path in job.paths() if "oidc" in path or "identity" in path] == []

    @pytest.mark.parametrize(("url", "audience"), [(PYPI, "pypi"), (TESTPYPI, "testpypi"), (PRIVATE, None)])
    def test_pypi_and_testpypi_have_theirs_at_their_own_hosts_alone(
        self, url: str, audience: str | None
    ) -> None:
        assert audience_for(url, trusted_publishing=None, configured=None) == audience
        assert audience_for(url, trusted_publishing=False, configured=None) is None
        for elsewhere in (
            "http://upload.pypi.org/",
            "https://upload.pypi.org:444/",
            "https://pypi.org.e.org/",
        ):
            assert audience_for(elsewhere, trusted_publishing=None, configured=None) is None

    @pytest.mark.parametrize("audience", ["", " ", "company ", "com\npany", "com\u200bpany"])
    def test_an_audience_is_a_plain_word(self, audience: str) -> None:
        with pytest.raises(
            ValueError, match="the audience is empty, or has surrounding blanks or control characters"
        ):
            audience_for(self.PRIVATE, trusted_publishing=True, configured=audience)

    @pytest.mark.parametrize("audience", OTHERS)
    def test_no_audience_of_another_service_can_be_configured(self, audience: str) -> None:
        with pytest.raises(ValueError, match="belongs to another service"):
            IndexConfig(upload_url=self.PRIVATE, trusted_publishing=True, audience=audience)

    @pytest.mark.parametrize(
        ("url", "keys", "told"),
        [
            (PRIVATE, {"trusted_publishing": True}, "needs an audience"),
            (PRIVATE, {"audience": "company"}, "audience requires trusted_publishing = true"),
            (
                PYPI,
                {"trusted_publishing": True, "audience": "company"},
                "the audience of this index is 'pypi'",
            ),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, url: str, keys: dict[str, object], told: str) -> None:
        with pytest.raises(ValueError, match=told):
            IndexConfig.model_validate({"upload_url": url, **keys})

    def test_on_gitlab_the_variable_of_this_audience_alone_is_read(
        self, index: TrustingIndex, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("GITLAB_CI", "true")
        for variable in ("PYPI_ID_TOKEN", "SIGSTORE_ID_TOKEN"):
            monkeypatch.setenv(variable, index.sign(variable.partition("_")[0].lower()))
        index.status_for_bad_tokens = 401
        with (
            opened(index) as backend,
            pytest.raises(AuthenticationFailed, match="TESTINDEX_ID_TOKEN not found"),
        ):
            backend.put(wheel(tmp_path))
        monkeypatch.setenv("TESTINDEX_ID_TOKEN", index.sign())
        with opened(index) as backend:
            backend.put(wheel(tmp_path))
        assert len(index.tokens) == 1

    @pytest.mark.parametrize("audience", ["pypi", ["testindex", "pypi"], None])
    def test_an_identity_that_others_accept_as_well_is_not_sent(
        self, index: TrustingIndex, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, audience: object
    ) -> None:
        monkeypatch.setenv("GITLAB_CI", "true")
        monkeypatch.setenv("TESTINDEX_ID_TOKEN", index.sign(audience))  # type: ignore[arg-type]
        index.status_for_bad_tokens = 401
        with (
            opened(index) as backend,
            pytest.raises(AuthenticationFailed, match="audience claim mismatch"),
        ):
            backend.put(wheel(tmp_path))
        assert "/_/oidc/mint-token" not in index.paths()
