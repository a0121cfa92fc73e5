"""How a bucket is configured, and with which credentials it is opened."""

import pytest
from pydantic import ValidationError
from tests.servers.gateway import run_gateway

from wheelrelay.config import load_config
from wheelrelay.config.remotes import from_address
from wheelrelay.errors import ConfigError, MissingSecret
from wheelrelay.protocols import Sink, Source, Store, SupportsFinalize
from wheelrelay.testing import make_wheel, stage_path
from wheelrelay_s3.config import S3Config

KEYS = {"access_key_id": "AK", "secret_access_key": {"env": "SECRET_OF_S3"}}


class TestAddress:
    def test_names_bucket_and_prefix(self):
        config = from_address("s3://wheels/nightly/numpy/").config
        assert config == S3Config(bucket="wheels", prefix="nightly/numpy")
        assert from_address("s3://wheels").config == S3Config(bucket="wheels")

    @pytest.mark.parametrize("address", ["s3://", "s3:///prefix", "s3://wheels/a//b", "s3://wheels/../b"])
    def test_that_names_none_is_refused(self, address):
        with pytest.raises(ConfigError):
            from_address(address)


class TestKeys:
    def test_stand_in_a_file(self, tmp_path):
        path = tmp_path / "wheelrelay.toml"
        path.write_text(
            """
            [remotes.nightly]
            type = "s3"
            bucket = "wheels"
            prefix = "nightly"
            region = "eu-central-1"
            endpoint_url = "https://s3.example.org"
            access_key_id = { env = "S3_KEY" }
            secret_access_key = { env = "S3_SECRET" }
            session_token = { env = "S3_TOKEN" }
            public_url = "https://wheels.example.org/nightly/"
            cdn_lag = "5m"
            """
        )
        assert isinstance(load_config(path).remote("nightly").config, S3Config)

    @pytest.mark.parametrize(
        "keys",
        [
            {"access_key_id": "AK"},
            {"secret_access_key": {"env": "S"}},
            {"session_token": {"env": "T"}},
            {**KEYS, "profile": "ci"},
            {**KEYS, "anonymous": True},
            {"profile": "ci", "anonymous": True},
            {**KEYS, "secret_access_key": "in plain text"},
            {"bucket": "wheels/nightly"},
            {"bucket": ""},
        ],
    )
    def test_that_do_not_belong_together_are_refused(self, keys):
        with pytest.raises(ValidationError):
            S3Config.model_validate({"bucket": "wheels", **keys})


class TestCredentials:
    """Moto believes everything, so SeaweedFS is asked."""

    def test_come_from_the_variables_of_aws(self, seaweed, configured, opened, monkeypatch):
        config = configured(seaweed, access_key_id=None, secret_access_key=None)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", seaweed.access_key_id)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", seaweed.secret_access_key)
        assert list(opened(config).iter_files(None)) == []

    def test_an_address_finds_endpoint_and_credentials_in_the_variables_of_aws(
        self, seaweed, configured, opened, monkeypatch
    ):
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", seaweed.url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", seaweed.access_key_id)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", seaweed.secret_access_key)
        assert (
            list(opened(from_address(f"s3://{configured(seaweed).bucket}/x").config).iter_files(None)) == []
        )

    def test_come_from_a_profile(self, seaweed, configured, opened, home):
        (home / ".aws").mkdir()
        keys = (
            f"aws_access_key_id={seaweed.access_key_id}\naws_secret_access_key={seaweed.secret_access_key}\n"
        )
        (home / ".aws" / "credentials").write_text(f"[ci]\n{keys}")
        config = configured(seaweed, access_key_id=None, secret_access_key=None, profile="ci")
        assert list(opened(config).iter_files(None)) == []

    def test_unknown_profile_is_a_configuration_error(self, opened):
        with pytest.raises(ConfigError, match="nobody"):
            opened(S3Config(bucket="wheels", profile="nobody"))

    def test_missing_credentials_are_an_error_before_any_request(self, opened):
        with pytest.raises(MissingSecret, match=r"s3://wheels.*anonymous = true"):
            opened(S3Config(bucket="wheels"))

    def test_missing_secret_is_an_error_before_any_request(self, opened):
        with pytest.raises(MissingSecret, match="NOT_SET"):
            opened(S3Config(bucket="wheels", access_key_id="AK", secret_access_key={"env": "NOT_SET"}))

    @pytest.mark.parametrize("referred", [True, False])
    def test_session_token_is_not_sent_over_plain_http(self, referred, opened, monkeypatch):
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "SECRET_OF_S3"):
            monkeypatch.setenv(name, "x")
        keys = {**KEYS, "session_token": {"env": "SECRET_OF_S3"}} if referred else {}
        config = S3Config(bucket="wheels", endpoint_url="http://s3.example.org", **keys)
        with pytest.raises(ConfigError, match="plain HTTP"):
            opened(config)


class TestRoles:
    def test_bucket_with_credentials_is_a_store(self, seaweed, configured, opened):
        assert isinstance(opened(configured(seaweed)), Store)

    def test_anonymous_bucket_is_a_source_only(self, opened):
        bucket = opened(S3Config(bucket="wheels", anonymous=True))
        assert isinstance(bucket, Source)
        assert not isinstance(bucket, Sink | SupportsFinalize)


class TestRequests:
    """The client that a configuration makes."""

    def url_of_an_object(self, **keys):
        config = S3Config(
            bucket="wheels", region="auto", endpoint_url="https://s3.example.org", **KEYS, **keys
        )
        with config.connect() as bucket:
            session = bucket.sessions.current
            parameters = {"Bucket": "wheels", "Key": "x"}
            return session.client.generate_presigned_url("get_object", Params=parameters)

    def test_bucket_is_in_the_path_or_in_the_host(self, monkeypatch):
        monkeypatch.setenv("SECRET_OF_S3", "s3cret")
        path = self.url_of_an_object(addressing_style="path")
        assert path.startswith("https://s3.example.org/wheels/x?")
        virtual = self.url_of_an_object(addressing_style="virtual")
        assert virtual.startswith("https://wheels.s3.example.org/x?")

    def test_requester_pays_for_every_request(self, moto, configured, opened, tmp_path):
        with run_gateway(moto.url) as gateway:
            store = opened(configured(moto, endpoint_url=gateway.url, requester_pays=True))
            store.put(stage_path(make_wheel(tmp_path)))
            list(store.iter_files("sample"))
            assert {request.headers.get("x-amz-request-payer") for request in gateway.requests} == {
                "requester"
            }
            assert {request.method for request in gateway.requests} >= {"GET", "PUT"}

    def test_requester_pays_needs_credentials(self):
        with pytest.raises(ValidationError, match="requester_pays needs credentials"):
            S3Config(bucket="wheels", anonymous=True, requester_pays=True)
