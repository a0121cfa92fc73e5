"""Logging in, by each version of the identity service, and what its catalogue offers."""

import json

import pytest
from tests.servers.keystone import (
    CREDENTIAL_ID,
    CREDENTIAL_SECRET,
    DOMAIN,
    PASSWORD,
    PROJECT,
    PROJECT_DOMAIN,
    PROJECT_ID,
    USERNAME,
)
from tests.servers.web import Reply, run_web

from wheelrelay.errors import (
    AuthenticationFailed,
    BackendError,
    ConfigError,
    NotFound,
    Unavailable,
)
from wheelrelay_cloudfiles.config import SwiftConfig


@pytest.fixture
def by_password(container, monkeypatch):
    """Gives a configuration for an identity service of versions 2 and 3, with other keys at will."""
    monkeypatch.setenv("KEYSTONE_PASSWORD", PASSWORD)

    def make(auth_url, **keys):
        user = {"username": USERNAME, "password": {"env": "KEYSTONE_PASSWORD"}, "project": PROJECT}
        return SwiftConfig(
            **{"container": container, "auth_url": auth_url, **user, "user_domain": DOMAIN, **keys}
        )

    return make


def make_ready(config):
    """Log in, and give the address that files go to."""
    with config.open() as store:
        store.make_ready()
        return store._objects.address_of("")


@pytest.mark.parametrize("ending", ["", "/v3", "/v3/", "/v2.0"])
def test_versions_2_and_3_log_in_with_a_password(ending, keystone, swift, by_password):
    assert make_ready(by_password(keystone.auth_url + ending)).startswith(swift.storage_url)
    [request] = keystone.requests
    assert request.path.endswith("/v2.0/tokens" if ending == "/v2.0" else "/v3/auth/tokens")


def test_a_version_that_is_named_wins(keystone, by_password):
    make_ready(by_password(f"{keystone.auth_url}/v3", auth_version="2"))
    assert keystone.requests[0].path.endswith("/v2.0/tokens")


def test_the_project_can_be_in_another_domain_than_the_user(keystone, by_password):
    keystone.project_domain = PROJECT_DOMAIN
    make_ready(by_password(keystone.auth_url, project_domain=PROJECT_DOMAIN))
    with pytest.raises(AuthenticationFailed):
        make_ready(by_password(keystone.auth_url))


def test_the_project_can_be_named_by_its_id(keystone, by_password):
    make_ready(by_password(keystone.auth_url, project=None, project_id=PROJECT_ID))
    assert json.loads(keystone.requests[0].body)["auth"]["scope"] == {"project": {"id": PROJECT_ID}}


def test_an_application_credential_logs_in_without_a_project(keystone, swift, container, monkeypatch):
    monkeypatch.setenv("CREDENTIAL_SECRET", CREDENTIAL_SECRET)
    keys = {
        "application_credential_id": CREDENTIAL_ID,
        "application_credential_secret": {"env": "CREDENTIAL_SECRET"},
    }
    config = SwiftConfig(container=container, auth_url=keystone.auth_url, **keys)
    assert make_ready(config).startswith(swift.storage_url)
    monkeypatch.setenv("CREDENTIAL_SECRET", "guessed")
    with pytest.raises(AuthenticationFailed) as failure:
        make_ready(config)
    assert "guessed" not in str(failure.value)


@pytest.mark.parametrize("version", ["2", "3"])
@pytest.mark.parametrize("wrong", [{"username": "somebody"}, {"project": "other"}, {"password": None}])
def test_refused_login_is_an_authentication_error(
    version,
    wrong,
    keystone,
    by_password,
    monkeypatch,
):
    monkeypatch.setenv("WRONG_PASSWORD", "guessed")
    keys = {key: value or {"env": "WRONG_PASSWORD"} for key, value in wrong.items()}
    with pytest.raises(AuthenticationFailed) as failure:
        make_ready(by_password(keystone.auth_url, auth_version=version, **keys))
    assert "guessed" not in str(failure.value)


def test_version_1_does_not_accept_a_wrong_key(swift, config_for, monkeypatch):
    monkeypatch.setenv("SWIFT_KEY", "guessed")
    with pytest.raises(AuthenticationFailed):
        make_ready(config_for(swift))


def test_several_regions_require_a_region(keystone, by_password):
    keystone.regions = ("North", "South")
    make_ready(by_password(keystone.auth_url, region="South"))
    for region in (None, "East"):
        with pytest.raises(ConfigError, match=r"North, South"):
            make_ready(by_password(keystone.auth_url, region=region))


def test_rackspace_logs_in_with_an_api_key(rackspace, swift, cloudfiles_config):
    assert make_ready(cloudfiles_config).startswith(f"{swift.storage_url}/")
    [request] = rackspace.requests
    key = {"username": "ci", "apiKey": "a1b2c3d4"}
    assert json.loads(request.body) == {"auth": {"RAX-KSKEY:apiKeyCredentials": key}}


def test_rackspace_does_not_accept_a_wrong_api_key(cloudfiles_config, monkeypatch):
    monkeypatch.setenv("CLOUDFILES_KEY", "guessed")
    with pytest.raises(AuthenticationFailed):
        make_ready(cloudfiles_config)


def test_the_region_and_the_network_decide_the_address(cloudfiles_config):
    elsewhere = cloudfiles_config.model_copy(update={"region": "dfw"})
    assert "/AUTH_elsewhere/" in make_ready(elsewhere)
    inside = cloudfiles_config.model_copy(update={"internal": True})
    assert make_ready(inside).startswith("http://localhost:")
    with pytest.raises(ConfigError, match="DFW, ORD"):
        make_ready(cloudfiles_config.model_copy(update={"region": "MARS"}))


@pytest.mark.parametrize("version", ["1", "2", "3"])
@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (Reply(status=500), Unavailable),
        (Reply(status=503), Unavailable),
        (Reply(status=429, headers={"Retry-After": "3"}), Unavailable),
        (Reply(status=404), NotFound),
        (Reply(b"<h1>Welcome</h1>", content_type="text/html"), BackendError),
        (Reply(b"{}", content_type="application/json"), BackendError),
        (Reply(b"{", content_type="application/json"), BackendError),
    ],
)
def test_unexpected_answer_is_a_backend_error(version, reply, expected, by_password):
    with run_web() as web:
        for path in ("/v1.0", "/v2.0/tokens", "/v3/auth/tokens"):
            web.fail(path, reply)
        with pytest.raises(expected):
            make_ready(by_password(web.url, auth_version=version))
        assert len(web.requests) == 1


def test_unreachable_service_is_unavailable(by_password):
    with run_web() as web:
        url = web.url
    with pytest.raises(Unavailable):
        make_ready(by_password(url))


@pytest.mark.parametrize("version", ["1", "2", "3"])
def test_credentials_do_not_follow_redirects(version, by_password):
    with run_web() as web, run_web() as elsewhere:
        for path in ("/v1.0", "/v2.0/tokens", "/v3/auth/tokens"):
            web.redirect(path, f"{elsewhere.url}there", status=307)
        with pytest.raises(ConfigError, match="redirects"):
            make_ready(by_password(web.url, auth_version=version))
        assert elsewhere.requests == []


def test_plain_http_in_the_catalogue_is_refused(
    by_password,
):
    with run_web() as web:
        headers = {"X-Auth-Token": "t0ken", "X-Storage-Url": "http://swift.example/v1/AUTH_x"}
        web.serve("/v1.0", headers=headers)
        with pytest.raises(ConfigError, match="plain HTTP") as failure:
            make_ready(by_password(web.url, auth_version="1"))
        assert "t0ken" not in str(failure.value)
