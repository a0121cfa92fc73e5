"""Where credentials come from: keys, signatures, connection strings, the machine; and what without any."""

import json
import subprocess

import pytest
from pydantic import ValidationError
from tests.servers.azurite import ACCOUNT, KEY
from tests.servers.process import script
from tests.servers.silent import in_time, silent_server
from tests.servers.web import Reply

from wheelrelay.config import as_remote
from wheelrelay.errors import AuthenticationFailed, ConfigError, MissingSecret, PermissionDenied
from wheelrelay.testing import make_wheel
from wheelrelay_azure.config import AzureConfig

OTHER_KEY = "b3RoZXI="

EMPTY = b'<?xml version="1.0"?><EnumerationResults><Blobs/><NextMarker/></EnumerationResults>'


def create(objects):
    objects.create_object("a.txt", b"content", content_type="text/plain", metadata={})


class TestConfiguration:
    @pytest.mark.parametrize(
        "keys",
        [
            {"connection_string": {"env": "X"}},
            {"anonymous": True, "account_key": {"env": "X"}},
            {"sas_token": {"env": "X"}, "account_key": {"env": "X"}},
            {"account_key": "in plain text"},
            {"container": "a/b"},
            {"prefix": "a/../b"},
            {"endpoint_url": "http://example.org"},
        ],
    )
    def test_is_refused(self, keys):
        with pytest.raises(ValidationError):
            AzureConfig.model_validate({"account": "me", "container": "wheels", **keys})

    @pytest.mark.parametrize(
        ("variables", "keys"),
        [
            ({"AZURE_STORAGE_ACCOUNT": "me"}, {"account": "me"}),
            (
                {"AZURE_STORAGE_ACCOUNT_NAME": "me", "AZURE_STORAGE_ACCOUNT_KEY": "x"},
                {"account": "me", "account_key": {"env": "AZURE_STORAGE_ACCOUNT_KEY"}},
            ),
            (
                {"AZURE_STORAGE_ACCOUNT": "me", "AZURE_STORAGE_KEY": "x"},
                {"account": "me", "account_key": {"env": "AZURE_STORAGE_KEY"}},
            ),
            (
                {"AZURE_STORAGE_ACCOUNT": "me", "AZURE_STORAGE_SAS_TOKEN": "x"},
                {"account": "me", "sas_token": {"env": "AZURE_STORAGE_SAS_TOKEN"}},
            ),
            (
                {"AZURE_STORAGE_CONNECTION_STRING": "x", "AZURE_STORAGE_ACCOUNT": "me"},
                {"connection_string": {"env": "AZURE_STORAGE_CONNECTION_STRING"}},
            ),
        ],
    )
    def test_of_an_address_comes_from_the_environment(self, variables, keys, monkeypatch):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        expected = AzureConfig.model_validate({"container": "wheels", "prefix": "nightly/x", **keys})
        assert as_remote("az://wheels/nightly/x").config == expected
        assert as_remote("azure://wheels/nightly/x").config == expected
        assert expected.address() == "az://wheels/nightly/x"

    def test_without_an_account_is_a_missing_secret(self, opened):
        with pytest.raises(MissingSecret, match="AZURE_STORAGE_ACCOUNT"):
            opened(as_remote("az://wheels").config)

    def test_address_without_a_container_is_refused(self):
        with pytest.raises(ConfigError, match="contains no container"):
            as_remote("az:///nightly")


class TestSecrets:
    """A web server stands for Azure, so that its requests can be read."""

    @pytest.fixture
    def config(self, web, monkeypatch):
        web.serve("/box", EMPTY, content_type="application/xml")
        monkeypatch.setenv("SECRET", KEY)
        return AzureConfig(account="me", container="box", endpoint_url=web.url, account_key={"env": "SECRET"})

    @pytest.fixture
    def by(self, config, web, objects_of, monkeypatch):
        """List the container with one kind of secret, and return the objects."""

        def objects(kind, value):
            monkeypatch.setenv("SECRET", value)
            keys = config.model_dump(exclude_unset=True, exclude={"account_key"})
            if kind == "connection_string":
                del keys["account"]
            made = objects_of(AzureConfig.model_validate({**keys, kind: {"env": "SECRET"}}))
            list(made.list_objects())
            return made

        return objects

    def test_key_is_read_again_after_a_refusal(self, by, web, monkeypatch):
        objects = by("account_key", KEY)
        monkeypatch.setenv("SECRET", OTHER_KEY)
        web.fail("/box", Reply(status=403, headers={"x-ms-error-code": "AuthenticationFailed"}))
        list(objects.list_objects())
        signatures = {request.headers["authorization"] for request in web.requests[1:]}
        assert len(signatures) == 2

    def test_key_that_is_refused_twice_is_an_error(self, by, web):
        objects = by("account_key", KEY)
        web.fail("/box", Reply(status=403, headers={"x-ms-error-code": "AuthenticationFailed"}))
        with pytest.raises(AuthenticationFailed):
            list(objects.list_objects())

    def test_key_that_is_not_base64_is_not_quoted(self, by):
        with pytest.raises(ConfigError, match="is not Base64") as caught:
            by("account_key", "s3cret!")
        assert "s3cret" not in str(caught.value)

    @pytest.mark.parametrize("token", ["sv=1&sig=abc%3D", "?sv=1&sig=abc%3D"])
    def test_signature_is_part_of_each_address(self, by, web, token):
        by("sas_token", token)
        [request] = web.requests
        assert request.path.endswith("&sv=1&sig=abc%3D")
        assert "authorization" not in request.headers

    def test_signature_is_not_shown(self, by, web):
        objects = by("sas_token", "sv=1&sig=s3cret")
        web.fail("/box", Reply(b"sig=s3cret is wrong", 400, "text/plain"))
        with pytest.raises(Exception, match="400") as caught:
            list(objects.list_objects())
        assert "s3cret" not in str(caught.value)

    def test_signature_is_read_again_after_a_refusal(self, by, web, monkeypatch):
        objects = by("sas_token", "sig=old")
        monkeypatch.setenv("SECRET", "sig=new")
        web.fail("/box", Reply(status=403, headers={"x-ms-error-code": "AuthenticationFailed"}))
        list(objects.list_objects())
        tokens = [request.path.rpartition("&")[2] for request in web.requests]
        assert tokens == ["sig=old", "sig=old", "sig=new"]

    @pytest.mark.parametrize("text", ["", "AccountName", "AccountName=me", "x=y;s3cret", "AccountKey=s3cret"])
    def test_malformed_connection_string_is_not_quoted(self, by, text):
        with pytest.raises((ConfigError, MissingSecret)) as caught:
            by("connection_string", text)
        assert "s3cret" not in str(caught.value)

    def test_connection_string_to_plain_http_is_refused(self, config, monkeypatch, objects_of):
        monkeypatch.setenv("SECRET", f"DefaultEndpointsProtocol=http;AccountName=me;AccountKey={KEY}")
        config = AzureConfig(container="box", connection_string={"env": "SECRET"})
        with pytest.raises(ConfigError, match="plain HTTP"):
            objects_of(config)

    def test_connection_string_names_the_address(self, monkeypatch, objects_of):
        monkeypatch.setenv("SECRET", f"AccountName=me;AccountKey={KEY};EndpointSuffix=core.chinacloudapi.cn")
        objects = objects_of(AzureConfig(container="box", connection_string={"env": "SECRET"}))
        assert objects.address_of("a") == "https://me.blob.core.chinacloudapi.cn/box/a"


@pytest.mark.long
class TestCredentialsOfTheMachine:
    """Azure's library reads the environment, so each case has a process of its own."""

    def run(self, config, home, **env):
        code = (
            "import sys; from wheelrelay_azure.config import AzureConfig\n"
            "config = AzureConfig.model_validate_json(sys.argv[1])\n"
            "with config.open() as store: print(list(store.iter_files(None)))\n"
        )
        return subprocess.run(
            [script("python"), "-c", code, config.model_dump_json(exclude_unset=True)],
            env={"PATH": "/usr/bin:/bin", "HOME": str(home), **env},
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )

    @pytest.fixture
    def config(self, web):
        web.serve("/box", EMPTY, content_type="application/xml")
        return AzureConfig(account="me", container="box", endpoint_url=web.url)

    def test_come_from_the_identity_of_the_machine(self, config, web, home):
        token = {"access_token": "of-the-machine", "expires_on": "4102444800", "resource": "storage"}
        body = json.dumps({**token, "token_type": "Bearer"}).encode()
        web.serve("/identity", body, content_type="application/json")
        env = {"IDENTITY_ENDPOINT": f"{web.url}identity", "IDENTITY_HEADER": "secret"}
        done = self.run(config, home, AZURE_TOKEN_CREDENTIALS="ManagedIdentityCredential", **env)
        assert (done.stdout, done.stderr) == ("[]\n", "")
        assert web.requests[-1].headers["authorization"] == "Bearer of-the-machine"

    def test_absent_ones_are_missing_secrets(self, config, home):
        done = self.run(config, home)
        assert done.stderr.splitlines()[-1].startswith(
            "wheelrelay.errors.MissingSecret: There are no credentials for az://box. Run `az login`"
        )

    def test_incomplete_ones_are_not_taken_for_absent(self, config, home):
        done = self.run(config, home, AZURE_CLIENT_ID="x", AZURE_TOKEN_CREDENTIALS="EnvironmentCredential")
        assert "wheelrelay.errors.AuthenticationFailed: az://box: no access token was issued" in done.stderr

    def test_expired_login_is_not_taken_for_absent(self, config, home):
        (home / ".azure").mkdir()
        (home / ".azure" / "azureProfile.json").write_text("{}")
        done = self.run(config, home, AZURE_TOKEN_CREDENTIALS="AzureCliCredential")
        assert "wheelrelay.errors.AuthenticationFailed: az://box: no access token was issued" in done.stderr

    def test_silent_service_of_the_machine_times_out(self, config, home):
        config, results = config.model_copy(update={"timeout": 2}), []
        with silent_server() as url:
            env = {"IDENTITY_ENDPOINT": url, "IDENTITY_HEADER": "secret"}
            env["AZURE_TOKEN_CREDENTIALS"] = "ManagedIdentityCredential"
            in_time(lambda: results.append(self.run(config, home, **env)))
        assert "az://box: no access token was issued" in results[0].stderr

    def test_push_is_skipped_without_any(self, tmp_path):
        wheel = make_wheel(tmp_path)
        done = subprocess.run(
            [script("wheelrelay"), "push", str(wheel), "--to", "az://wheels", "--skip-if-no-credentials"],
            env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert "There is no storage account for az://wheels" in done.stderr + done.stdout
        assert done.returncode == 0


@pytest.mark.long
@pytest.mark.timeout(400)
class TestAzurite:
    """Azurite verifies every signature."""

    def test_refuses_another_key(self, config, objects_of, monkeypatch):
        monkeypatch.setenv("KEY_FOR_TESTS", OTHER_KEY)
        with pytest.raises(AuthenticationFailed):
            create(objects_of(config))

    def test_accepts_a_connection_string(self, config, azurite, objects_of, monkeypatch):
        monkeypatch.setenv("CONNECTION", azurite.connection_string)
        keys = {"container": config.container, "prefix": config.prefix}
        objects = objects_of(AzureConfig(connection_string={"env": "CONNECTION"}, **keys))
        create(objects)
        assert [stored.name for stored in objects.list_objects()] == ["a.txt"]

    def test_accepts_a_shared_access_signature(self, config, azurite, objects_of, monkeypatch):
        keys = config.model_dump(exclude_unset=True, exclude={"account_key"})
        monkeypatch.setenv("SAS", azurite.sas_token("read", "write", "create", "list", "delete"))
        objects = objects_of(AzureConfig.model_validate({**keys, "sas_token": {"env": "SAS"}}))
        create(objects)
        with objects.open_object("a.txt") as stream:
            assert stream.read(100) == b"content"
        objects.delete_object("a.txt")
        assert list(objects.list_objects()) == []

    def test_signature_without_a_permission_is_refused(self, config, azurite, objects_of, monkeypatch):
        keys = config.model_dump(exclude_unset=True, exclude={"account_key"})
        monkeypatch.setenv("SAS", azurite.sas_token("read", "list"))
        objects = objects_of(AzureConfig.model_validate({**keys, "sas_token": {"env": "SAS"}}))
        assert list(objects.list_objects()) == []
        with pytest.raises(PermissionDenied):
            create(objects)

    def test_anonymous_reader_needs_no_key(self, config, opened, objects_of):
        create(objects_of(config))
        keys = config.model_dump(exclude_unset=True, exclude={"account_key"})
        store = opened(AzureConfig.model_validate({**keys, "anonymous": True}))
        assert not hasattr(store, "put")
        assert [stored.name for stored in store.readable.list_objects()] == ["a.txt"]
        assert config.account == ACCOUNT
