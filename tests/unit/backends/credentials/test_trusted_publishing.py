"""Trusted publishing: tokens are issued for the identity of a CI job, renewed and revoked."""

import logging
import os
import sys
import threading
import time
from contextlib import suppress

import pytest
from tests.servers.google import OF_THE_MACHINE, run_google
from tests.servers.oidc import REQUEST_TOKEN
from tests.servers.pypi_troubles import Point
from tests.servers.web import Reply
from tests.unit.backends.credentials.trusted_index import opened, trusting, wheel

import wheelrelay
from wheelrelay import Remote, Route
from wheelrelay.backends.credentials.ci_identity import claims_of, identity_for, is_ci_job
from wheelrelay.errors import AuthenticationFailed, PermissionDenied
from wheelrelay.testing import make_wheel


def owners(index):
    """The project of each token, in the order of their making."""
    return [token.project for token in index.tokens.values()]


def relay(folder, index, **options):
    remote = Remote("trusting", trusting(index))
    return wheelrelay.relay(Route(source=str(folder), sinks=[remote]), **options)


class TestTokens:
    def test_release_is_uploaded_with_trusted_publishing_and_the_token_revoked(self, job, tmp_path):
        names = {make_wheel(tmp_path, "sample", "1.0", f"cp3{minor}-none-any").name for minor in range(9, 14)}
        assert relay(tmp_path, job).is_complete
        assert set(job.files) == names
        assert owners(job) == ["sample"]
        assert job.burnt == list(job.tokens)

    def test_each_project_has_its_own_token(self, job, tmp_path):
        for project in ("one", "two", "three"):
            make_wheel(tmp_path, project, "1.0")
        assert relay(tmp_path, job).is_complete
        assert sorted(map(str, owners(job))) == ["one", "three", "two"]
        assert len(set(job.identities)) == 3
        assert sorted(job.burnt) == sorted(job.tokens)

    def test_short_lived_tokens_are_renewed_for_thirty_files(self, job, tmp_path):
        job.token_life, job.slowness = 2, 0.3
        for number in range(30):
            make_wheel(tmp_path, "sample", "1.0", f"cp3{number}-none-any")
        assert relay(tmp_path, job, jobs=4).is_complete
        assert len(job.files) == 30
        assert len(job.tokens) > 1
        assert set(owners(job)) == {"sample"}

    def test_upload_is_repeated_with_a_new_token_after_expiry(self, job, tmp_path):
        job.token_life = 1
        with opened(job) as backend:
            backend.make_ready()
            job.token_life = 900
            held = job.hold(Point.RECEIVED)
            threading.Timer(1.1, held.let_go).start()
            backend.put(wheel(tmp_path))
        assert [upload.status for upload in job.uploads] == [403, 200]
        assert len(job.tokens) == 2

    def test_rejected_token_is_replaced(self, job, tmp_path):
        job.status_for_bad_tokens = 401
        with opened(job) as backend:
            backend.make_ready()
            job.tokens.clear()
            backend.put(wheel(tmp_path))
        assert [upload.status for upload in job.uploads] == [401, 200]

    def test_403_requests_no_second_token(self, job, tmp_path):
        with opened(job) as backend:
            backend.make_ready()
            next(iter(job.tokens.values())).project = "another"
            with pytest.raises(PermissionDenied, match="it is for another project"):
                backend.put(wheel(tmp_path))
        assert len(job.tokens) == 1

    def test_token_without_expiry_is_used_for_all_files(self, job, tmp_path):
        job.tells_expiry = False
        for number in range(5):
            make_wheel(tmp_path, "sample", "1.0", f"cp3{number}-none-any")
        assert relay(tmp_path, job).is_complete
        assert len(job.tokens) == 1

    @pytest.mark.parametrize("expires", [b'"2026-11-25T00:00:00Z"', b"[]", b"1e999", b"-1"])
    def test_invalid_expiry_is_ignored(self, job, expires):
        job.fail("/_/oidc/mint-token", Reply(b'{"token": "pypi-x", "expires": ' + expires + b"}"))
        with opened(job) as backend:
            backend.make_ready()

    def test_valid_token_is_reused_while_no_other_is_issued(self, job, tmp_path):
        job.token_life = 3
        with opened(job) as backend:
            backend.make_ready()
            time.sleep(2.1)  # two thirds of its life: the next token is due
            job.fail("/_/oidc/mint-token", Reply(status=503))
            backend.put(wheel(tmp_path))
        assert len(job.tokens) == 1

    def test_token_is_reused_if_the_identity_stays_the_same(self, job, tmp_path):
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
    def test_identity_of_a_local_agent_is_used(
        self,
        index,
        tmp_path,
        monkeypatch,
        sign,
        program,
        audience,
    ):
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

    def test_gitlab_has_the_identity_in_a_variable(self, index, tmp_path, monkeypatch):
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

    def assert_published(self, index, folder):
        name = make_wheel(folder / "dist", "sample", "1.0").name
        assert relay(folder / "dist", index).is_complete
        assert set(index.files) == {name}
        assert owners(index) == ["sample"]
        assert index.burnt == list(index.tokens)


class TestGivingBack:
    def test_index_that_cannot_revoke_tokens_is_not_an_error(self, job, caplog):
        caplog.set_level(logging.INFO, "wheelrelay")
        job.burns = False
        with opened(job) as backend:
            backend.make_ready()
        assert "/_/oidc/burn-token" in job.paths()
        assert "revoke" not in caplog.text

    def test_failed_revocation_is_logged(self, job, caplog):
        caplog.set_level(logging.INFO, "wheelrelay")
        with opened(job) as backend:
            backend.make_ready()
            job.fail("/_/oidc/burn-token", Reply(status=500))
        assert "did not revoke a token: it returned 500" in caplog.text
        assert not any(token in caplog.text for token in job.tokens)

    def test_closed_connection_while_revoking_is_logged(self, job, tmp_path, caplog):
        caplog.set_level(logging.INFO, "wheelrelay")
        with opened(job) as backend:
            backend.make_ready()
            job.fail("/_/oidc/burn-token", Reply(tmp_path / "not there: the server falls over it"))
        assert "could not be revoked" in caplog.text

    def test_token_is_revoked_after_a_failure(self, job, tmp_path):
        with suppress(PermissionDenied), opened(job) as backend:
            backend.make_ready()
            next(iter(job.tokens.values())).project = "another"
            backend.put(wheel(tmp_path))
        assert job.burnt == list(job.tokens)
