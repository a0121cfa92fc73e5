"""Where access tokens come from: a token, a key, the machine; and what happens without any of them."""

import json
import subprocess
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import ValidationError
from tests.servers.google import ACCESS_TOKEN, run_google
from tests.servers.process import script
from tests.servers.silent import in_time, silent_server
from tests.servers.web import run_web

from wheelrelay.config import as_remote
from wheelrelay.errors import AuthenticationFailed, ConfigError, MissingSecret, Unavailable
from wheelrelay.redaction import redact
from wheelrelay.testing import make_wheel
from wheelrelay_gcs.config import GcsConfig

TOKEN = "ya29.of-the-tests"
"""The value of ``TOKEN_FOR_TESTS``, the only token that the gateway accepts."""


def create(objects):
    objects.create_object("a.txt", b"content", content_type="text/plain", metadata={})


@pytest.fixture(scope="module")
def private_key():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption()).decode()


@pytest.fixture
def tokens():
    """A service that issues access tokens."""
    with run_web() as web:
        yield web


@pytest.fixture
def service_account_key(private_key, tokens):
    return {
        "type": "service_account",
        "client_email": "ci@example.iam.gserviceaccount.com",
        "private_key": private_key,
        "private_key_id": "1",
        "token_uri": f"{tokens.url}token",
    }


def issue(tokens, token, seconds=3600):
    body = json.dumps({"access_token": token, "expires_in": seconds, "token_type": "Bearer"})
    tokens.serve("/token", body.encode(), content_type="application/json")


@pytest.fixture
def with_key(config, service_account_key, tmp_path):
    """The configuration with the key of a service account in a file, as Google provides it."""
    path = tmp_path / "key.json"
    path.write_text(json.dumps(service_account_key, indent=2))
    keys = config.model_dump(exclude_unset=True, exclude={"token"})
    return GcsConfig.model_validate({**keys, "service_account_key": {"file": path}})


@pytest.fixture
def change_key(with_key):
    """Change the file with the key."""
    path = with_key.service_account_key.file
    return lambda **changes: path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


class TestServiceAccountKey:
    def test_is_exchanged_for_a_token_once(self, with_key, objects_of, tokens):
        issue(tokens, TOKEN)
        objects = objects_of(with_key)
        create(objects)
        list(objects.list_objects())
        [request] = tokens.requests
        assert parse_qs(request.body.decode())["grant_type"] == [
            "urn:ietf:params:oauth:grant-type:jwt-bearer"
        ]

    def test_secrets_are_masked(self, with_key, objects_of, tokens, private_key):
        issue(tokens, TOKEN)
        create(objects_of(with_key))
        assert redact(f"{TOKEN} {private_key}") == "*** ***"

    def test_token_that_expires_is_replaced(self, with_key, objects_of, tokens, gateway):
        issue(tokens, TOKEN)
        objects = objects_of(with_key)
        create(objects)
        gateway.token = "ya29.the-next-one"
        issue(tokens, gateway.token)
        assert [stored.name for stored in objects.list_objects()] == ["a.txt"]

    def test_refusal_by_google_is_an_error(self, with_key, objects_of, tokens):
        body = b'{"error": "invalid_grant", "error_description": "Invalid JWT Signature."}'
        tokens.serve("/token", body, status=400, content_type="application/json")
        with pytest.raises(AuthenticationFailed, match="Invalid JWT Signature"):
            create(objects_of(with_key))

    def test_failure_of_google_is_temporary(self, with_key, objects_of, change_key):
        with run_web() as down:
            pass
        change_key(token_uri=down.url)
        with pytest.raises(Unavailable):
            create(objects_of(with_key))

    @pytest.mark.parametrize("content", ["not JSON", "{}", '["x"]', '{"private_key": "s3cret"}'])
    def test_unusable_key_is_not_quoted(self, with_key, objects_of, content):
        with_key.service_account_key.file.write_text(content)
        with pytest.raises(ConfigError, match="is not the JSON key of a service account") as caught:
            create(objects_of(with_key))
        assert "s3cret" not in str(caught.value)

    def test_silent_token_service_times_out(self, with_key, objects_of, change_key):
        with silent_server() as url:
            change_key(token_uri=url)
            objects = objects_of(with_key.model_copy(update={"timeout": 2}))
            with pytest.raises(Unavailable):
                in_time(lambda: create(objects))


class TestToken:
    def test_is_read_again_after_a_refusal(self, config, objects_of, gateway, monkeypatch):
        objects = objects_of(config)
        create(objects)
        gateway.token = "the next one"
        monkeypatch.setenv("TOKEN_FOR_TESTS", gateway.token)
        assert [stored.name for stored in objects.list_objects()] == ["a.txt"]

    def test_refused_twice_is_an_error(self, config, objects_of, gateway):
        gateway.token = "another one"
        with pytest.raises(AuthenticationFailed):
            create(objects_of(config))
        assert len(gateway.requests) == 1


@pytest.mark.long
class TestCredentialsOfTheMachine:
    """The environment is read when google-auth is imported, so each case has a process of its own."""

    def run(self, config, **env):
        code = (
            "import sys; from wheelrelay_gcs.config import GcsConfig\n"
            "config = GcsConfig.model_validate_json(sys.argv[1])\n"
            "with config.open() as store: print(list(store.iter_files(None)))\n"
        )
        keys = config.model_dump_json(exclude_unset=True, exclude={"token"})
        return subprocess.run(
            [script("python"), "-c", code, keys],
            env={"PATH": "/usr/bin:/bin", **env},
            capture_output=True,
            text=True,
            check=False,
        )

    def test_come_from_the_metadata_service(self, config, gateway, home):
        gateway.token = ACCESS_TOKEN
        with run_google(lambda audience: audience) as google:
            host = google.url.removeprefix("http://").rstrip("/")
            done = self.run(config, GCE_METADATA_HOST=host, GCE_METADATA_IP=host, HOME=str(home))
        assert (done.stdout, done.stderr) == ("[]\n", "")

    def test_come_from_the_file_that_a_variable_names(self, config, service_account_key, tokens, tmp_path):
        issue(tokens, TOKEN)
        path = tmp_path / "key.json"
        path.write_text(json.dumps(service_account_key))
        done = self.run(config, GOOGLE_APPLICATION_CREDENTIALS=str(path), HOME=str(tmp_path))
        assert (done.stdout, done.stderr) == ("[]\n", "")

    def test_missing_file_is_not_taken_for_absence(self, config, tmp_path):
        done = self.run(config, GOOGLE_APPLICATION_CREDENTIALS="/no/such/file", HOME=str(tmp_path))
        assert "AuthenticationFailed" in done.stderr
        assert "/no/such/file" in done.stderr.splitlines()[-1]

    def test_absent_ones_are_missing_secrets(self, config, tmp_path):
        done = self.run(config, NO_GCE_CHECK="true", HOME=str(tmp_path))
        assert done.stderr.splitlines()[-1].startswith(
            f"wheelrelay.errors.MissingSecret: There are no credentials for gs://{config.bucket}. "
            "Run `gcloud auth application-default login`"
        )

    def test_push_is_skipped_without_any(self, tmp_path):
        wheel = make_wheel(tmp_path)
        done = subprocess.run(
            [script("wheelrelay"), "push", str(wheel), "--to", "gs://wheels", "--skip-if-no-credentials"],
            env={"PATH": "/usr/bin:/bin", "NO_GCE_CHECK": "true", "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert "There are no credentials for gs://wheels" in done.stderr + done.stdout
        assert done.returncode == 0


class TestConfiguration:
    @pytest.mark.parametrize(
        "keys",
        [
            {"anonymous": True, "token": {"env": "X"}},
            {"service_account_key": {"env": "X"}, "token": {"env": "X"}},
            {"token": "in plain text"},
            {"bucket": "a/b"},
            {"prefix": "a/../b"},
            {"endpoint_url": "http://example.org"},
        ],
    )
    def test_is_refused(self, keys):
        with pytest.raises(ValidationError):
            GcsConfig.model_validate({"bucket": "wheels", **keys})

    def test_comes_from_an_address(self):
        config = as_remote("gs://wheels/nightly/x").config
        assert (config.type, config.bucket, config.prefix) == ("gcs", "wheels", "nightly/x")
        assert config.address() == "gs://wheels/nightly/x"
        assert as_remote("gcs://wheels").config == GcsConfig(bucket="wheels")

    def test_address_without_a_bucket_is_refused(self):
        with pytest.raises(ConfigError, match="contains no bucket"):
            as_remote("gs:///nightly")

    def test_anonymous_reader_cannot_write(self, config, opened):
        store = opened(config.model_copy(update={"anonymous": True, "token": None}))
        assert not hasattr(store, "put")

    def test_missing_secret_is_reported_when_it_is_used(self, config, opened, monkeypatch):
        monkeypatch.delenv("TOKEN_FOR_TESTS")
        with pytest.raises(MissingSecret):
            list(opened(config).iter_files(None))
