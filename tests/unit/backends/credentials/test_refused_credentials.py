"""Credentials to read with, after a refusal, over plain HTTP, and in messages."""

import base64
import pickle
import sys
import threading

import pytest
from tests.unit.backends.credentials.surroundings import (
    configuration,
    keyring,
    netrc,
    own_variables,
    pypirc,
    trusted_publishing,
    twine_variables,
)

from wheelrelay import Remote
from wheelrelay.backends.credentials import Account, CredentialRequest, providers, requests
from wheelrelay.backends.credentials.auth import resolve
from wheelrelay.backends.credentials.trusted_publishing import Token
from wheelrelay.backends.index import IndexConfig, PyPIConfig, TestPyPIConfig
from wheelrelay.backends.index.backend import Connection, IndexReader, connect
from wheelrelay.config.pypirc import sections
from wheelrelay.errors import AuthenticationFailed, ConfigError, PermissionDenied
from wheelrelay.testing import make_wheel, stage_path

Login = tuple[str, str]


class TestReading:
    @pytest.mark.parametrize("place", [configuration, own_variables, twine_variables, pypirc, netrc])
    def test_stored_credentials_are_used_to_read(self, around, place):
        place(around)
        assert around.read() == (place.__name__, f"{place.__name__}'s")

    @pytest.mark.parametrize("place", [keyring, trusted_publishing])
    def test_nothing_else_does(self, around, place):
        place(around)
        assert around.read() is None

    def test_keyring_is_used_to_read_after_a_401(self, around):
        keyring(around)
        page, pair = "<title>Links for sample</title>", ("keyring", "keyring's")
        around.index.serve("/private/sample/", page, credentials=pair)
        around.keys |= {"url": f"{around.index.url}private/"}
        assert around.read() == ("keyring", "keyring's")
        assert len(around.index.requests) == 2

    def test_public_index_is_read_without_credentials(self, around):
        own_variables(around)
        connection, account = Connection(None, None, allow_insecure=False), Account("company-eu")
        with connect(account, connection, around.index.simple_url, None, is_public=True) as backend:
            assert isinstance(backend, IndexReader)
            assert list(backend.inventory("sample")) == []
        assert "authorization" not in around.index.requests[-1].headers

    @pytest.mark.parametrize("preset", [PyPIConfig, TestPyPIConfig])
    def test_presets_are_public(self, preset):
        assert preset()._is_public()

    @pytest.mark.parametrize("preset", [PyPIConfig, TestPyPIConfig])
    @pytest.mark.parametrize("key", ["url", "upload_url"])
    @pytest.mark.parametrize("host", ["mirror.example.org", "upload.pypi.org.example.org"])
    def test_urls_of_a_preset_cannot_be_changed(self, preset, key, host):
        with pytest.raises(ValueError, match=f"{key} of .*pypi cannot be changed"):
            preset.model_validate({key: f"https://{host}/simple/"})

    def test_nor_is_one_preset_sent_to_the_other_or_over_plain_http(self):
        for address in ("https://test.pypi.org/legacy/", "http://upload.pypi.org/legacy/"):
            with pytest.raises(ValueError, match="of pypi cannot be changed"):
                PyPIConfig(upload_url=address)

    def test_upload_credentials_are_not_sent_to_another_host(self, around):
        pypirc(around)
        around.keys |= {"url": around.index.simple_url.replace("127.0.0.1", "localhost")}
        assert around.read() is None

    def test_a_mirror_gets_nothing_that_is_for_uploading_elsewhere(self, around):
        around.setenv(TWINE_PASSWORD="twine's", WHEELRELAY_MIRROR_TOKEN="own's", SECRET="configured")
        elsewhere = {"upload_url": "https://upload.example.org/", "token": {"env": "SECRET"}}
        remote = Remote("mirror", IndexConfig(url=around.index.simple_url, **elsewhere))
        with remote.open() as backend:
            list(backend.inventory("sample"))
        assert around.index.requests[-1].headers.get("authorization") is None
        around.index.serve("/mirror/sample/", credentials=("ci", "ci's"))
        remote = Remote("mirror", IndexConfig(url=f"{around.index.url}mirror/", **elsewhere))
        with (
            remote.open() as backend,
            pytest.raises(AuthenticationFailed, match="are for the upload host only"),
        ):
            list(backend.inventory("sample"))

    def test_error_lists_the_providers_that_were_tried(self, around):
        around.keys |= {"url": around.index.serve("/private/")}
        around.index.serve("/private/sample/", credentials=("ci", "ci's"))
        with pytest.raises(AuthenticationFailed, match=r"Who are you.*the keyring has no entry for"):
            around.read()


class TestRefusals:
    @pytest.fixture(autouse=True)
    def _401(self, around):
        around.index.status_for_bad_tokens = 401

    def test_a_secret_that_was_rotated_is_read_again(self, around, tmp_path):
        secret = tmp_path / "secret"
        secret.write_text("old")
        around.keys |= {"username": "ci", "password": {"file": secret}}
        with around.opened() as backend:
            backend.make_ready()
            secret.write_text("ci's")
            backend.put(stage_path(make_wheel(tmp_path, "sample", "1.0")))
        assert [upload.status for upload in around.index.uploads] == [401, 200]

    def test_rejected_secret_is_read_again_once_for_all_threads(self, around, tmp_path):
        trace = tmp_path / "trace"
        code = f"open({str(trace)!r}, 'a').write('x'); print('wrong')"
        around.keys |= {"username": "ci", "password": {"command": [sys.executable, "-c", code]}}
        said = []

        def put(number):
            with pytest.raises(AuthenticationFailed) as caught:
                backend.put(stage_path(make_wheel(tmp_path, "sample", f"1.{number}")))
            said.append(str(caught.value))

        with around.opened() as backend:
            threads = [threading.Thread(target=put, args=(number,)) for number in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert trace.read_text() == "xx"
        assert len(said) == 4
        assert all("returned 401" in one and "come from the configuration" in one for one in said)

    def test_403_does_not_resolve_credentials_again(self, around, tmp_path):
        around.index.status_for_bad_tokens = 403
        around.setenv(WHEELRELAY_COMPANY_EU_TOKEN="wrong")
        with pytest.raises(PermissionDenied, match="Invalid or non-existent"):
            around.upload(tmp_path)
        assert len(around.index.uploads) == 1

    def test_403_names_the_provider_of_the_credentials(self, around, tmp_path):
        around.index.status_for_bad_tokens = 403
        with pytest.raises(PermissionDenied, match=r"Tried: ") as refused:
            around.upload(tmp_path)
        assert str(refused.value).count("No credentials were sent") <= 1
        around.setenv(WHEELRELAY_COMPANY_EU_TOKEN="wrong")
        with pytest.raises(
            PermissionDenied, match="come from the variable WHEELRELAY_COMPANY_EU_TOKEN: check"
        ):
            around.upload(tmp_path / "again")

    def test_other_providers_are_tried_after_a_refusal(self, around, tmp_path):
        around.setenv(WHEELRELAY_COMPANY_EU_TOKEN="wrong")
        with around.opened() as backend:
            backend.make_ready()
            around.monkeypatch.delenv("WHEELRELAY_COMPANY_EU_TOKEN")
            netrc(around)
            backend.put(stage_path(make_wheel(tmp_path, "sample", "1.0")))
        assert [upload.status for upload in around.index.uploads] == [401, 200]

    def test_credentials_that_the_index_echoes_are_masked(self, around, tmp_path):
        around.setenv(WHEELRELAY_COMPANY_EU_TOKEN="hunter2")
        sent = base64.b64encode(b"__token__:hunter2").decode()
        words = f"No {sent}, hunter2!".encode()
        around.keys |= {
            "upload_url": around.index.serve("/echo/", words, status=401, content_type="text/plain")
        }
        with pytest.raises(AuthenticationFailed, match=r"No \*\*\*, \*\*\*!"):
            around.upload(tmp_path)


class TestPlainHttp:
    @pytest.fixture(autouse=True)
    def proxied(self, around):
        """All that goes to ``index.invalid`` reaches the index."""
        around.setenv(HTTP_PROXY=around.index.url)
        around.keys |= {"url": None, "upload_url": "http://index.invalid/legacy/", "confirm": "none"}

    def test_credentials_for_it_are_an_error_before_anything_is_sent(self, around):
        own_variables(around)
        with around.opened() as backend, pytest.raises(ConfigError, match=r"is plain HTTP.*allow_insecure"):
            backend.make_ready()
        assert around.index.requests == []

    def test_credentials_are_not_sent_without_allow_insecure(self, around, tmp_path):
        own_variables(around)
        around.index.serve("/legacy/", status=401)
        with pytest.raises(AuthenticationFailed, match=r"not sent over plain HTTP\. Use https"):
            around.upload(tmp_path)

    def test_allow_insecure_sends_credentials_with_a_warning(self, around, caplog):
        own_variables(around)
        for _ in range(2):
            with around.opened(allow_insecure=True) as backend:
                backend.make_ready()
        assert [record.levelname for record in caplog.records] == ["WARNING"] * 2
        assert "http://index.invalid/legacy/ is plain HTTP: credentials can be read by others" in caplog.text


class TestTelling:
    def test_no_repr_shows_a_secret(self, around):
        pypirc(around)
        found = resolve(CredentialRequest(Account("company-eu"), around.index.upload_url), [providers.pypirc])
        assert isinstance(found, requests.Login)
        assert found.password == "pypirc's"
        assert "pypirc's" not in repr(found) + repr(sections())
        assert "hunter2" not in repr(Token("hunter2", 0, 0))

    def test_a_configuration_is_pickled_with_its_name_and_without_its_secret(self, around):
        configuration(around)
        remote = around.remote()
        copied = pickle.loads(pickle.dumps(remote.config.named(remote.name)))
        assert copied.remote_name == "company-eu"
        assert b"configuration's" not in pickle.dumps(copied)
        assert pickle.loads(pickle.dumps(remote)) == remote
