"""Identities are only sent for the right audience, and refusals explain what to configure."""

import json

import pytest
from joserfc.jwk import ECKey
from tests.servers.web import Reply
from tests.unit.backends.credentials.trusted_index import opened, wheel

from wheelrelay.backends.credentials import Account, CredentialRequest
from wheelrelay.backends.credentials.ci_identity import audience_for
from wheelrelay.backends.credentials.trusted_publishing import TrustedPublishing
from wheelrelay.backends.index import IndexConfig
from wheelrelay.errors import AuthenticationFailed, Unavailable, WheelrelayError
from wheelrelay.http import HttpClient


class TestRefusals:
    def refusal(self, index):
        """What is raised before anything is sent."""
        with opened(index) as backend, pytest.raises(WheelrelayError) as caught:
            backend.make_ready()
        assert index.uploads == []
        assert not any(identity in str(caught.value) for identity in index.identities)
        return caught.value

    def test_refusal_lists_the_claims_of_the_job(self, job):
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

    def test_refusal_of_pypi_lists_supported_ci_systems(self, job):
        job.publisher = "somebody/else"
        job.fail("/_/oidc/audience", Reply(b'{"audience": "pypi"}'))
        tokens = TrustedPublishing(HttpClient(), job.upload_url, "pypi")
        with pytest.raises(AuthenticationFailed) as refused:
            tokens.provide(CredentialRequest(Account("index"), job.upload_url), None)
        assert "supports GitHub, GitLab, Google Cloud and ActiveState only" in str(refused.value)

    @pytest.mark.parametrize("forged", ["life", "key"])
    def test_invalid_identity_is_rejected(self, job, forged, monkeypatch):
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
    def test_other_refusals_are_quoted(self, job, answer, said):
        job.fail("/_/oidc/mint-token", answer)
        refusal = self.refusal(job)
        assert isinstance(refusal, AuthenticationFailed)
        assert said in str(refusal)

    def test_identity_is_masked_in_a_refusal(self, job):
        job.same_identity = True
        job.identities.append(job.sign())
        words = f'{{"message": "Not {job.identities[0]}"}}'.encode()
        job.fail("/_/oidc/mint-token", Reply(words, 422))
        assert "Not ***." in str(self.refusal(job))

    @pytest.mark.parametrize("endpoint", ["audience", "mint-token"])
    def test_temporary_errors_are_retryable(self, job, endpoint):
        job.fail(f"/_/oidc/{endpoint}", Reply(status=503, headers={"Retry-After": "7"}))
        refusal = self.refusal(job)
        assert isinstance(refusal, Unavailable)
        assert refusal.retry_after == 7


class TestNoIdentity:
    def reasons(self, index, folder):
        """What is told of the places where credentials were looked for, when the index wants some."""
        index.status_for_bad_tokens = 401
        with opened(index) as backend:
            backend.make_ready()
            with pytest.raises(AuthenticationFailed) as caught:
                backend.put(wheel(folder))
        assert index.tokens == {}
        return str(caught.value)

    def test_no_request_outside_of_ci(self, index, tmp_path):
        assert "this is not a CI job with an identity" in self.reasons(index, tmp_path)
        assert not any("oidc" in path for path in index.paths())

    def test_no_request_if_there_are_other_credentials(self, job, monkeypatch):
        monkeypatch.setenv("TWINE_REPOSITORY_URL", job.upload_url)
        monkeypatch.setenv("TWINE_PASSWORD", "from twine")
        with opened(job) as backend:
            backend.make_ready()
        assert job.requests == []

    def test_reading_requests_no_token(self, job):
        with opened(job) as backend:
            assert list(backend.iter_files("sample")) == []
        assert job.paths() == ["/simple/sample/"]

    def test_no_token_is_requested_over_plain_http(self, job, monkeypatch):
        monkeypatch.setenv("HTTP_PROXY", job.url)
        with IndexConfig(upload_url="http://index.invalid/legacy/", confirm="none").open() as backend:
            backend.make_ready()
        assert job.requests == []

    def test_index_without_trusted_publishing_is_reported(self, job, tmp_path):
        job.knows_oidc = False
        assert "no trusted publishing: " + job.url + "_/oidc/audience returned 404" in self.reasons(
            job, tmp_path
        )

    def test_index_without_an_audience_is_reported(self, job, tmp_path):
        job.fail("/_/oidc/audience", *[Reply(b'{"audience": null}')] * 2)
        assert "returned no audience" in self.reasons(job, tmp_path)

    def test_missing_github_permission_is_named(self, job, tmp_path, monkeypatch):
        monkeypatch.delenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN")
        assert "set permissions: id-token: write" in self.reasons(job, tmp_path)

    def test_refusal_of_a_ci_system_is_not_quoted(self, job, tmp_path, monkeypatch):
        monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "wrong")
        reasons = self.reasons(job, tmp_path)
        assert (
            "The CI system issues no identity to this job: GitHub: OIDC token request failed (code=401"
            in reasons
        )
        assert "Who are you" not in reasons

    def test_signs_of_a_job_alone_are_no_identity(self, index, tmp_path, monkeypatch):
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
    def test_index_that_requests_another_audience_receives_no_identity(self, job, wanted, tmp_path):
        job.fail("/_/oidc/audience", *[Reply(json.dumps({"audience": wanted}).encode())] * 9)
        job.status_for_bad_tokens = 401
        with opened(job) as backend, pytest.raises(AuthenticationFailed) as caught:
            backend.put(wheel(tmp_path))
        assert f"requests identities for the audience '{wanted}', but the configured audience is" in str(
            caught.value
        )
        assert job.identities == []

    def test_index_without_trusted_publishing_receives_no_request(self, job, tmp_path):
        plain = IndexConfig(url=job.simple_url, upload_url=job.upload_url)
        job.status_for_bad_tokens = 401
        with plain.open() as backend, pytest.raises(AuthenticationFailed, match="is not enabled"):
            backend.put(wheel(tmp_path))
        assert [path for path in job.paths() if "oidc" in path or "identity" in path] == []

    @pytest.mark.parametrize(("url", "audience"), [(PYPI, "pypi"), (TESTPYPI, "testpypi"), (PRIVATE, None)])
    def test_pypi_and_testpypi_have_theirs_at_their_own_hosts_alone(self, url, audience):
        assert audience_for(url, trusted_publishing=None, configured=None) == audience
        assert audience_for(url, trusted_publishing=False, configured=None) is None
        for elsewhere in (
            "http://upload.pypi.org/",
            "https://upload.pypi.org:444/",
            "https://pypi.org.e.org/",
        ):
            assert audience_for(elsewhere, trusted_publishing=None, configured=None) is None

    @pytest.mark.parametrize("audience", ["", " ", "company ", "com\npany", "com\u200bpany"])
    def test_an_audience_is_a_plain_word(self, audience):
        with pytest.raises(
            ValueError, match="the audience is empty, or has surrounding blanks or control characters"
        ):
            audience_for(self.PRIVATE, trusted_publishing=True, configured=audience)

    @pytest.mark.parametrize("audience", OTHERS)
    def test_no_audience_of_another_service_can_be_configured(self, audience):
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
    def test_invalid_settings_are_rejected(self, url, keys, told):
        with pytest.raises(ValueError, match=told):
            IndexConfig.model_validate({"upload_url": url, **keys})

    def test_gitlab_variable_must_match_the_audience(self, index, monkeypatch, tmp_path):
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
    def test_identity_for_another_audience_is_not_sent(self, index, monkeypatch, tmp_path, audience):
        monkeypatch.setenv("GITLAB_CI", "true")
        monkeypatch.setenv("TESTINDEX_ID_TOKEN", index.sign(audience))
        index.status_for_bad_tokens = 401
        with (
            opened(index) as backend,
            pytest.raises(AuthenticationFailed, match="audience claim mismatch"),
        ):
            backend.put(wheel(tmp_path))
        assert "/_/oidc/mint-token" not in index.paths()
