"""Credentials from ~/.pypirc, the keyring and ~/.netrc."""

import logging
import os
import subprocess
import sys
from types import SimpleNamespace

import keyring as keyring_library
import pytest
from tests.servers.file_keyring import LOCKED
from tests.unit.backends.credentials.surroundings import netrc, pypirc

import wheelrelay
from wheelrelay.config.pypirc import same_place
from wheelrelay.errors import AuthenticationFailed, ConfigError


class TestPypirc:
    def test_of_several_sections_for_the_address_that_of_the_remotes_name_counts(self, around, tmp_path):
        around.pypirc(
            "[distutils]\nindex-servers = first company-eu\n"
            "[first]\nrepository = INDEX\nusername = ci\npassword = ci's\n"
            "[company-eu]\nrepository = INDEX\nusername = pypirc\npassword = pypirc's\n"
        )
        assert around.upload(tmp_path) == ("pypirc", "pypirc's")
        around.name = "another"
        told = r"[company-eu], [first] of ~/.pypirc are for http://127.0.0.1"
        assert told in around.refusal(tmp_path / "again").replace("[first], [company-eu]", told[:21])

    def test_the_user_of_the_remotes_own_section_counts_and_no_other_section(self, around, tmp_path):
        around.pypirc(
            "[distutils]\nindex-servers = first company-eu\n"
            "[first]\nrepository = INDEX\nusername = ci\npassword = ci's\n"
            "[company-eu]\nrepository = INDEX\nusername = keyring\n"
        )
        around.keyring({around.index.upload_url: {"keyring": "keyring's"}})
        assert around.upload(tmp_path) == ("keyring", "keyring's")

    def test_default_port_may_be_omitted(self):
        assert same_place("https://example.org:443/legacy", "https://example.org/legacy/")
        assert not same_place("https://example.org:444/legacy", "https://example.org/legacy/")

    def test_unreadable_netrc_is_reported(self, around):
        (around.home / ".pypirc").mkdir()
        with pytest.raises(ConfigError, match=r"~/\.pypirc cannot be read: Is a directory"), around.opened():
            pass

    def test_a_section_of_the_remotes_name_for_another_address_does_not_count(self, around, tmp_path):
        around.pypirc(
            "[distutils]\nindex-servers = company-eu\n"
            "[company-eu]\nrepository = https://elsewhere.example/\nusername = ci\npassword = ci's\n"
        )
        assert "no section of ~/.pypirc has the repository http://127.0.0.1" in around.refusal(tmp_path)

    def test_server_login_is_for_those_that_have_none_of_their_own(self, around, tmp_path):
        around.pypirc(
            "[server-login]\nusername:pypirc\npassword:pypirc's\n"
            "[distutils]\nindex-servers =\n    company-eu\n[company-eu]\nrepository:INDEX\n"
        )
        assert around.upload(tmp_path) == ("pypirc", "pypirc's")

    def test_a_section_without_a_password_gives_its_user_to_the_places_that_follow(self, around, tmp_path):
        around.pypirc("[distutils]\nindex-servers = x\n[x]\nrepository = INDEX\nusername = keyring\n")
        around.keyring({around.index.upload_url: {"ci": "ci's", "keyring": "keyring's"}})
        assert around.upload(tmp_path) == ("keyring", "keyring's")

    def test_section_for_another_user_is_ignored(self, around, tmp_path):
        around.keys |= {"username": "ci"}
        pypirc(around)
        assert "section [company-eu] of ~/.pypirc is for another user" in around.refusal(tmp_path)

    def test_a_password_alone_is_a_token(self, around, tmp_path):
        around.pypirc(
            "[distutils]\nindex-servers = x\n[x]\nrepository = INDEX\npassword = pypi-open-sesame\n"
        )
        assert around.upload(tmp_path) == ("__token__", "pypi-open-sesame")

    @pytest.mark.parametrize(
        "text",
        [
            "password = hunter2\n",
            "[pypi]\npassword = hunter2\npassword = hunter2\n",
            "[pypi\npassword = hunter2\n",
            "[pypi]\nhunter2\n",
        ],
    )
    def test_malformed_pypirc_is_not_quoted(self, around, text):
        around.pypirc(text)
        with pytest.raises(ConfigError, match=r"~/\.pypirc cannot be read") as caught, around.opened():
            pass
        assert "hunter2" not in str(caught.value)
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__

    def test_binary_pypirc_is_reported(self, around):
        (around.home / ".pypirc").write_bytes(b"[pypi]\npassword = \xff\xfe\n")
        with pytest.raises(ConfigError, match=r"~/\.pypirc cannot be read"), around.opened():
            pass

    @pytest.mark.parametrize("key", ["ca_cert", "client_cert"])
    def test_its_certificates_are_taken(self, around, key):
        around.pypirc(f"[distutils]\nindex-servers = x\n[x]\nrepository = INDEX\n{key} = nowhere.pem\n")
        with pytest.raises(ConfigError, match=r"certificate nowhere\.pem does not exist"), around.opened():
            pass

    def test_certificate_paths_may_start_with_a_tilde(self, around, ca_bundle):
        (around.home / "ca.pem").write_bytes(ca_bundle.read_bytes())
        around.pypirc("[distutils]\nindex-servers = x\n[x]\nrepository = INDEX\nca_cert = ~/ca.pem\n")
        with around.opened():
            pass

    def test_configured_certificates_win(self, around, ca_bundle):
        around.pypirc("[distutils]\nindex-servers = x\n[x]\nrepository = INDEX\nca_cert = nowhere.pem\n")
        with around.opened(ca_cert=ca_bundle):
            pass


@pytest.mark.skipif(os.name != "posix", reason="permissions are read as POSIX has them")
class TestPermissions:
    @pytest.mark.parametrize(("mode", "warned"), [(0o644, 1), (0o640, 1), (0o600, 0)])
    @pytest.mark.parametrize("place", ["pypirc", "netrc"])
    def test_warns_once_of_a_file_that_others_can_read(
        self,
        around,
        place,
        mode,
        warned,
        caplog,
        tmp_path,
    ):
        {"pypirc": pypirc, "netrc": netrc}[place](around)
        (around.home / f".{place}").chmod(mode)
        for again in ("one", "two"):
            assert around.upload(tmp_path / again) == (place, f"{place}'s")
        warnings = [record.message for record in caplog.records if record.levelno == logging.WARNING]
        assert len(warnings) == warned
        assert all(f".{place} holds a password and is readable" in warning for warning in warnings)

    def test_file_without_a_password_needs_no_warning(self, around, caplog):
        around.pypirc("[distutils]\nindex-servers = x\n[x]\nrepository = INDEX\n", mode=0o644)
        with around.opened() as backend:
            backend.make_ready()
        assert caplog.records == []


class TestKeyring:
    def test_keyring_is_searched_for_a_token_first(self, around, tmp_path):
        around.keyring({around.index.upload_url: {"ci": "ci's", "__token__": "pypi-open-sesame"}})
        assert around.upload(tmp_path) == ("__token__", "pypi-open-sesame")

    def test_locked_keyring_is_reported(self, around, tmp_path):
        around.keyring(LOCKED)
        assert "the keyring cannot be read: KeyringLocked" in around.refusal(tmp_path)

    def test_missing_keyring_package_is_reported(self, around):
        code = (
            "import sys; sys.modules['keyring'] = None\n"
            "from wheelrelay.backends.index import PyPIConfig\n"
            "with PyPIConfig().open() as index: index.make_ready()"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert "the package keyring is not installed" in done.stderr

    @pytest.mark.parametrize(
        "given", [SimpleNamespace(username="ci", password=None), SimpleNamespace(password="x")]
    )
    def test_one_that_gives_no_name_or_no_password_has_nothing(self, around, tmp_path, given):
        around.monkeypatch.setattr(keyring_library, "get_credential", lambda *_: given)
        assert "the keyring " in around.refusal(tmp_path)


class TestNetrc:
    def test_another_file_may_be_named(self, around, tmp_path):
        path = tmp_path / "my.netrc"
        path.write_text("default login netrc password netrc's\n")
        path.chmod(0o600)
        around.setenv(NETRC=str(path))
        assert around.upload(tmp_path) == ("netrc", "netrc's")

    @pytest.mark.parametrize("text", ["machine example.org login ci password ci's\n", "machine 127.0.0.1\n"])
    def test_missing_host_in_netrc_is_reported(self, around, text, tmp_path):
        around.netrc(text)
        assert ".netrc has no password for 127.0.0.1" in around.refusal(tmp_path)

    def test_malformed_netrc_is_not_quoted(self, around, tmp_path):
        around.netrc("hunter2\n")
        said = around.refusal(tmp_path)
        assert ".netrc cannot be read" in said
        assert "hunter2" not in said

    def test_entry_of_another_user_is_ignored(self, around, tmp_path):
        around.keys |= {"username": "ci"}
        netrc(around)
        assert ".netrc has an entry for another user of 127.0.0.1" in around.refusal(tmp_path)

    def test_missing_home_has_no_pypirc(self, around, tmp_path):
        around.setenv(HOME="", NETRC="~nobody-of-this-name/x")
        assert "~nobody-of-this-name/x does not exist" in around.refusal(tmp_path)

    def test_malformed_netrc_is_ignored_with_a_warning(self, around, caplog):
        around.netrc("machine 127.0.0.1 login netrc passw hunter2\n")
        around.index.serve(
            "/list/", "<a href='sample-1.0-py3-none-any.whl'>x</a>", credentials=("netrc", "x")
        )
        with pytest.raises(AuthenticationFailed):
            wheelrelay.list_files(f"listing+{around.index.url}list/")
        assert ".netrc is ignored: line 1 cannot be parsed" in caplog.text
        assert "hunter2" not in caplog.text
