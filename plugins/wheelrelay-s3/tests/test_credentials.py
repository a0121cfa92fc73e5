"""Only absent credentials count as absent, and credentials that expire are read again."""

import sys

import pytest
from tests.servers.gateway import run_gateway
from tests.servers.web import Reply, run_web

from wheelrelay.errors import (
    AuthenticationFailed,
    BackendError,
    ConfigError,
    MissingSecret,
    Unavailable,
)
from wheelrelay_s3.config import S3Config

EXPIRED = Reply(b"<Error><Code>ExpiredToken</Code></Error>", 400, "application/xml")


@pytest.fixture
def config():
    """Without keys of its own."""
    return S3Config(bucket="wheels", endpoint_url="http://127.0.0.1:9", region="us-east-1")


def connect(config):
    with config.connect():
        pass


@pytest.fixture
def aws_config(home):
    """Writes ~/.aws/config."""

    def write(text):
        folder = home / ".aws"
        folder.mkdir(exist_ok=True)
        (folder / "config").write_text(text)

    return write


class TestAbsence:
    def test_nothing_anywhere_is_absence(self, config):
        with pytest.raises(MissingSecret):
            connect(config)

    def test_empty_variables_are_absence(self, config, monkeypatch):
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
            monkeypatch.setenv(name, "")
        with pytest.raises(MissingSecret):
            connect(config)

    def test_a_machine_without_a_role_is_absence(self, config, monkeypatch):
        monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
        with run_web() as metadata:
            monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata.url)
            with pytest.raises(MissingSecret):
                connect(config)


class TestAProviderThatFailsIsNoAbsence:
    def fails(self, config, match):
        with pytest.raises(AuthenticationFailed, match=match):
            connect(config)

    def test_a_credential_process_that_exits_with_1(self, config, aws_config):
        program = f"{sys.executable} -c \"import sys; sys.exit('vault is sealed')\""
        aws_config(f"[default]\ncredential_process = {program}\n")
        self.fails(config, "vault is sealed")

    @pytest.mark.parametrize("printed", ["no-json", "{}", '{\\"Version\\": 1}'])
    def test_a_credential_process_that_prints_something_else(self, printed, config, aws_config, tmp_path):
        script = tmp_path / "provider.py"
        script.write_text(f'print("{printed}")')
        aws_config(f"[default]\ncredential_process = {sys.executable} {script}\n")
        self.fails(config, "credentials cannot be fetched")

    def test_a_key_id_without_its_secret(self, config, monkeypatch):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AK")
        self.fails(config, "credentials cannot be fetched")

    def test_a_secret_without_its_key_id(self, config, monkeypatch):
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "SK")
        self.fails(config, "AWS_SECRET_ACCESS_KEY is set")

    def test_a_profile_without_credentials(self, config, aws_config):
        aws_config("[profile releases]\nregion = us-east-1\n")
        self.fails(config.model_copy(update={"profile": "releases"}), "profile 'releases'")

    def test_a_web_identity_that_the_login_service_does_not_take(self, config, monkeypatch, tmp_path):
        token = tmp_path / "token"
        token.write_text("t0ken")
        monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(token))
        monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/push")
        body = (
            b"<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredTokenException</Code>"
            b"<Message>Token expired.</Message></Error></ErrorResponse>"
        )
        with run_web() as login:
            login.serve("/", body, status=400, content_type="text/xml")
            monkeypatch.setenv("AWS_ENDPOINT_URL_STS", login.url)
            self.fails(config, r"AssumeRoleWithWebIdentity answered 400: Token expired\.")

    @pytest.mark.parametrize("status", [429, 500, 503])
    def test_a_metadata_service_that_fails_may_pass(self, status, config, monkeypatch):
        monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
        with run_web() as metadata:
            monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata.url)
            metadata.serve("/latest/meta-data/iam/security-credentials/", status=status)
            with pytest.raises(Unavailable, match="metadata service"):
                connect(config)

    def test_a_role_whose_credentials_do_not_come_may_pass(self, config, monkeypatch):
        monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
        with run_web() as metadata:
            monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata.url)
            metadata.serve("/latest/meta-data/iam/security-credentials/", b"push")
            metadata.serve("/latest/meta-data/iam/security-credentials/push", status=503)
            with pytest.raises(Unavailable, match="metadata service"):
                connect(config)

    def test_a_container_service_that_fails_may_pass(self, config, monkeypatch):
        with run_web() as service:
            service.serve("/role", status=503)
            monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{service.url}role")
            with pytest.raises(Unavailable):
                connect(config)

    def test_a_profile_that_is_not_there_is_a_configuration_error(self, config):
        with pytest.raises(ConfigError, match="releases") as refused:
            connect(config.model_copy(update={"profile": "releases"}))
        assert not isinstance(refused.value, MissingSecret)

    def test_is_not_printed(self, config, aws_config, capfd):
        program = f"{sys.executable} -c \"import sys; sys.exit('vault is sealed')\""
        aws_config(f"[default]\ncredential_process = {program}\n")
        with pytest.raises(AuthenticationFailed):
            connect(config)
        assert capfd.readouterr() == ("", "")


class TestKeysThatExpire:
    @pytest.fixture
    def keys(self, seaweed, tmp_path):
        """Files that hold the keys; another process renews them."""

        def write(key, secret):
            (tmp_path / "key").write_text(key)
            (tmp_path / "secret").write_text(secret)

        write(seaweed.access_key_id, seaweed.secret_access_key)
        return write

    @pytest.fixture
    def reached(self, seaweed, keys, configured, tmp_path):
        """Gives a gateway that refuses the first keys, and objects behind it."""
        with run_gateway(seaweed.url) as gateway:
            references = {
                "access_key_id": {"file": tmp_path / "key"},
                "secret_access_key": {"file": tmp_path / "secret"},
            }
            yield gateway, configured(seaweed, endpoint_url=gateway.url, **references)

    def refuse(self, gateway, key):
        gateway.fault(
            lambda request: f"Credential={key}/" in request.headers["authorization"], EXPIRED, times=99
        )

    def test_are_read_again_and_the_file_goes_on(self, seaweed, keys, reached, objects_of):
        gateway, config = reached
        objects = objects_of(config)
        objects.create_object("x", b"x", content_type="text/plain", metadata={})
        self.refuse(gateway, seaweed.access_key_id)
        keys(*seaweed.renewed)
        objects.create_object("y", b"y", content_type="text/plain", metadata={})
        assert objects.stat_object("y").size == 1

    def test_that_were_not_renewed_fail(self, seaweed, reached, objects_of):
        gateway, config = reached
        objects = objects_of(config)
        self.refuse(gateway, seaweed.access_key_id)
        before = objects.bucket.sessions.current
        for _ in range(3):
            with pytest.raises(AuthenticationFailed):
                list(objects.list_objects())
        assert objects.bucket.sessions.current is before  # and not a new client each time

    def test_that_vanish_fail_as_they_were_refused(self, seaweed, reached, objects_of, tmp_path):
        gateway, config = reached
        objects = objects_of(config)
        self.refuse(gateway, seaweed.access_key_id)
        (tmp_path / "key").unlink()
        with pytest.raises(AuthenticationFailed):
            list(objects.list_objects())

    def test_are_noticed_where_a_head_is_refused_without_a_word(self, seaweed, keys, reached, objects_of):
        gateway, config = reached
        objects = objects_of(config)
        objects.create_object("x", b"x", content_type="text/plain", metadata={})
        self.refuse(gateway, seaweed.access_key_id)
        keys(*seaweed.renewed)
        assert objects.stat_object("x").size == 1


def test_invalid_endpoint_is_a_configuration_error(config, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AK")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "SK")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "nonsense")
    with pytest.raises(ConfigError, match="nonsense"):
        connect(config.model_copy(update={"endpoint_url": None}))


def test_other_exceptions_become_backend_errors(config, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AK")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "SK")
    with config.connect() as bucket, pytest.raises(BackendError):
        bucket.call("head_object", "x", PartNumber="one")
