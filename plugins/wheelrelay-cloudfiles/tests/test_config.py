"""Which keys go together, and what an address takes from the environment."""

import subprocess
import sys

import pytest

from wheelrelay.config import as_remote
from wheelrelay.config.remote_types import make_config
from wheelrelay.errors import ConfigError, MissingSecret
from wheelrelay_cloudfiles.config import CloudFilesConfig, SwiftConfig

SECRET = {"env": "ANY"}
LOGIN = {"auth_url": "https://id.example/v1.0", "username": "ci", "password": SECRET}
TOKEN = {"storage_url": "https://swift.example/v1/AUTH_x", "token": SECRET}
CREDENTIAL = {"application_credential_id": "21dc", "application_credential_secret": SECRET}


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({}, "set one of"),
        ({**LOGIN, **TOKEN}, "set one of"),
        ({"storage_url": TOKEN["storage_url"]}, "storage_url: this also requires token"),
        ({"auth_url": LOGIN["auth_url"]}, "also requires username and password"),
        ({**LOGIN, "auth_version": "3"}, "also requires project"),
        ({**LOGIN, **CREDENTIAL}, "set one of"),
        ({"auth_url": LOGIN["auth_url"], **CREDENTIAL}, "need version 3"),
        (CREDENTIAL, "also requires auth_url"),
        ({**LOGIN, "auth_version": "2", "project_id": "5a2c"}, "need version 3"),
        (
            {**LOGIN, "auth_version": "3", "project_id": "5a2c", "project": "x"},
            "either project or project_id",
        ),
        ({**LOGIN, "auth_url": "https://id.example"}, "also requires project"),
        ({**LOGIN, "auth_url": "http://id.example/v1.0"}, "plain HTTP"),
        ({**TOKEN, "storage_url": "http://swift.example/v1/AUTH_x"}, "plain HTTP"),
        ({**LOGIN, "auth_version": "4"}, "auth_version"),
        ({**LOGIN, "password": "s3cret"}, "plain text"),
        ({**LOGIN, "container": "a/b"}, "into prefix"),
        ({**LOGIN, "container": ""}, "no slash"),
        ({**LOGIN, "prefix": "a/../b"}, "nightly/wheels"),
    ],
)
def test_invalid_combinations_are_refused(keys, said):
    with pytest.raises(ConfigError, match=said) as failure:
        make_config("swift", {"container": "wheels", **keys}, where="wheelrelay.toml: remotes.staging")
    assert "s3cret" not in str(failure.value)


@pytest.mark.parametrize("keys", [LOGIN, TOKEN, {**LOGIN, "auth_version": "2", "project": "p"}])
def test_token_and_login_are_accepted(keys):
    config = make_config("swift", {"container": "wheels", "prefix": "/a/b/", **keys}, where="here")
    assert isinstance(config, SwiftConfig)
    assert config.prefix == "a/b"


def test_cloudfiles_needs_region_and_key():
    with pytest.raises(ConfigError, match=r"region.*required.*api_key.*required"):
        make_config("cloudfiles", {"container": "wheels", "username": "ci"}, where="here")


def swift_at(address):
    config = remote_at(address).config
    assert isinstance(config, SwiftConfig)
    return config


def remote_at(address):
    return as_remote(address)


def test_a_swift_address_takes_a_token_from_the_environment(swift, empty_container, monkeypatch):
    monkeypatch.setenv("OS_STORAGE_URL", swift.storage_url)
    monkeypatch.setenv("OS_AUTH_TOKEN", swift.token())
    with swift_at(f"swift://{empty_container.replace(' ', '%20')}/a/b").open() as store:
        assert list(store.iter_files(None)) == []


def test_a_swift_address_takes_version_1_from_the_environment(swift, empty_container, monkeypatch):
    monkeypatch.setenv("ST_AUTH", f"{swift.auth_url}/v1.0")
    monkeypatch.setenv("ST_USER", swift.username)
    monkeypatch.setenv("ST_KEY", swift.password)
    config = swift_at(f"swift://{empty_container}")
    assert swift.password not in repr(config)
    with config.open() as store:
        assert list(store.iter_files(None)) == []


def test_a_swift_address_takes_versions_2_and_3_from_the_environment(monkeypatch):
    monkeypatch.setenv("OS_AUTH_URL", "https://id.example/identity/v3")
    monkeypatch.setenv("OS_PROJECT_NAME", "releases")
    monkeypatch.setenv("OS_USER_DOMAIN_NAME", "Builders")
    monkeypatch.setenv("OS_REGION_NAME", "North")
    config = swift_at("swift://wheels/nightly")
    assert (config.container, config.prefix) == ("wheels", "nightly")
    assert (config.project, config.user_domain, config.region) == ("releases", "Builders", "North")
    with config.open() as store, pytest.raises(MissingSecret, match="OS_USERNAME"):
        store.make_ready()


def test_a_swift_address_takes_the_id_of_the_project_and_both_domains_from_the_environment(monkeypatch):
    monkeypatch.setenv("OS_AUTH_URL", "https://id.example/identity/v3")
    monkeypatch.setenv("OS_PROJECT_ID", "5a2c60af")
    monkeypatch.setenv("OS_PROJECT_NAME", "releases")
    monkeypatch.setenv("OS_USER_DOMAIN_NAME", "Builders")
    monkeypatch.setenv("OS_PROJECT_DOMAIN_NAME", "Libraries")
    config = swift_at("swift://wheels")
    assert (config.project, config.project_id) == (None, "5a2c60af")
    assert (config.user_domain, config.project_domain) == ("Builders", "Libraries")


def test_a_swift_address_takes_an_application_credential_from_the_environment(monkeypatch):
    monkeypatch.setenv("OS_AUTH_URL", "https://id.example/identity/v3")
    monkeypatch.setenv("OS_APPLICATION_CREDENTIAL_ID", "21dced0f")
    monkeypatch.setenv("OS_PROJECT_NAME", "releases")
    config = swift_at("swift://wheels")
    assert (config.username, config.project) == (None, None)
    with config.open() as store, pytest.raises(MissingSecret, match="OS_APPLICATION_CREDENTIAL_SECRET"):
        store.make_ready()


def test_an_address_without_credentials_in_the_environment_says_what_to_set():
    with pytest.raises(MissingSecret, match="OS_AUTH_URL"):
        remote_at("swift://wheels")
    with pytest.raises(MissingSecret, match="RACKSPACE_REGION"):
        remote_at("cloudfiles://wheels")


@pytest.mark.parametrize("address", ["swift://", "cloudfiles:///prefix"])
def test_address_requires_a_container(address, monkeypatch):
    monkeypatch.setenv("RACKSPACE_REGION", "ORD")
    monkeypatch.setenv("ST_AUTH", "https://id.example/v1.0")
    with pytest.raises(ConfigError, match="contains no container"):
        remote_at(address)


def test_a_cloudfiles_address_takes_the_account_from_the_environment(rackspace, empty_container, monkeypatch):
    monkeypatch.setenv("RACKSPACE_REGION", "ORD")
    monkeypatch.setenv("RACKSPACE_USERNAME", "ci")
    monkeypatch.setenv("RACKSPACE_API_KEY", "a1b2c3d4")
    config = remote_at(f"cloudfiles://{empty_container}/nightly").config
    assert isinstance(config, CloudFilesConfig)
    assert "a1b2c3d4" not in repr(config)
    with config.model_copy(update={"auth_url": rackspace.auth_url}).open() as store:
        assert list(store.iter_files(None)) == []


def test_a_configuration_is_read_without_loading_libcloud():
    code = "import sys, wheelrelay_cloudfiles.config; sys.exit('libcloud' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
