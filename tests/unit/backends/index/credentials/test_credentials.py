"""Where the credentials of an index are looked for: which place wins, and what is said where none has any."""

import base64
import json
import logging
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keyring as keyring_library
import pytest
from tests.servers.file_keyring import LOCKED
from tests.servers.oidc import AUDIENCE, TrustingIndex, run_trusting_index

import wheelrelay
from wheelrelay import Remote
from wheelrelay.backends.index import IndexConfig, PyPIConfig, TestPyPIConfig
from wheelrelay.backends.index.backend import Connection, Index, IndexReader, connect
from wheelrelay.backends.index.credentials import Account, CredentialRequest, providers
from wheelrelay.backends.index.credentials.auth import resolve
from wheelrelay.backends.index.credentials.trusted_publishing import Token
from wheelrelay.config import as_remote
from wheelrelay.config.pypirc import same_place, sections
from wheelrelay.errors import AuthenticationFailed, ConfigError, MissingSecret, PermissionDenied
from wheelrelay.testing import make_wheel, stage_path

Login = tuple[str, str]


@dataclass
class Surroundings:
    """An index, and the places around a remote of it that is called ``company-eu``."""

    index: TrustingIndex
    home: Path
    monkeypatch: pytest.MonkeyPatch
    keys: dict[str, Any] = field(default_factory=dict)
    name: str = "company-eu"

    def setenv(self, **variables: str) -> None:
        for name, value in variables.items():
            self.monkeypatch.setenv(name, value)

    def pypirc(self, text: str, mode: int = 0o600) -> None:
        path = self.home / ".pypirc"
        path.write_text(text.replace("INDEX", self.index.upload_url))
        path.chmod(mode)

    def netrc(self, text: str, mode: int = 0o600) -> None:
        (self.home / ".netrc").write_text(text)
        (self.home / ".netrc").chmod(mode)

    def keyring(self, content: object) -> None:
        (self.home / "keyring.json").write_text(json.dumps(content))
        self.setenv(FILE_KEYRING=str(self.home / "keyring.json"))
        self.setenv(PYTHON_KEYRING_BACKEND="tests.servers.file_keyring.Keyring")
        keyring_library.core.init_backend()

    def job(self) -> None:
        self.setenv(**self.index.github())
        self.keys |= {"trusted_publishing": True, "audience": AUDIENCE}

    def remote(self, **keys: Any) -> Remote:
        addresses = {"url": self.index.simple_url, "upload_url": self.index.upload_url}
        return Remote(self.name, IndexConfig(**{**addresses, **self.keys, **keys}))

    def opened(self, **keys: Any) -> AbstractContextManager[Index]:
        return self.remote(**keys).open()  # type: ignore[return-value]

    def upload(self, folder: Path) -> Login | None:
        """Upload a file, and tell by whose credentials."""
        with self.opened() as backend:
            backend.put(stage_path(make_wheel(folder, "sample", "1.0")))
        sent = next(one for one in reversed(self.index.requests) if one.path == "/legacy/")
        return login_of(sent.headers.get("authorization"))

    def read(self) -> Login | None:
        """Read a project's page, and tell by whose credentials."""
        with self.opened() as backend:
            list(backend.inventory("sample"))
        return login_of(self.index.requests[-1].headers.get("authorization"))

    def refusal(self, folder: Path) -> str:
        """What is said when the index takes nothing without credentials, and there are none."""
        self.index.status_for_bad_tokens = 401
        with pytest.raises(AuthenticationFailed) as caught:
            self.upload(folder)
        return str(caught.value)


@pytest.fixture
def around(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Surroundings]:
    """Nothing in any place."""
    before = keyring_library.get_keyring()
    with run_trusting_index() as index:
        index.accounts |= {user: f"{user}'s" for user in ("ci", *(place.__name__ for place in PLACES))}
        yield Surroundings(index, home, monkeypatch)
    keyring_library.set_keyring(before)


def configuration(around: Surroundings) -> None:
    around.setenv(SECRET="configuration's")
    around.keys |= {"username": "configuration", "password": {"env": "SECRET"}}


def own_variables(around: Surroundings) -> None:
    around.setenv(WHEELRELAY_COMPANY_EU_USERNAME="own_variables")
    around.setenv(WHEELRELAY_COMPANY_EU_PASSWORD="own_variables's")


def twine_variables(around: Surroundings) -> None:
    around.setenv(TWINE_REPOSITORY="company-eu")
    around.setenv(TWINE_USERNAME="twine_variables", TWINE_PASSWORD="twine_variables's")


def pypirc(around: Surroundings) -> None:
    around.pypirc(
        "[distutils]\nindex-servers = company-eu\n"
        "[company-eu]\nrepository: INDEX\nusername: pypirc\npassword: pypirc's\n"
    )


def keyring(around: Surroundings) -> None:
    around.keyring({around.index.upload_url: {"keyring": "keyring's"}})


def netrc(around: Surroundings) -> None:
    around.netrc("machine 127.0.0.1 login netrc password netrc's\n")


def trusted_publishing(around: Surroundings) -> None:
    around.job()


PLACES: tuple[Callable[[Surroundings], None], ...] = (
    *(configuration, own_variables, twine_variables, pypirc, keyring, netrc, trusted_publishing),
)


def login_of(header: str | None) -> Login | None:
    if header is None:
        return None
    user, _, password = base64.b64decode(header.removeprefix("Basic ")).decode().partition(":")
    return user, password


class TestOrder:
    @pytest.mark.parametrize("place", PLACES)
    def test_each_place_alone_is_used(
        self, around: Surroundings, place: Callable[[Surroundings], None], tmp_path: Path
    ) -> None:
        place(around)
        self.assert_from(place, around.upload(tmp_path), around)

    @pytest.mark.parametrize("number", range(len(PLACES)), ids=[place.__name__ for place in PLACES])
    def test_each_place_wins_over_all_that_come_later(
        self, around: Surroundings, number: int, tmp_path: Path
    ) -> None:
        for place in PLACES[number:]:
            place(around)
        self.assert_from(PLACES[number], around.upload(tmp_path), around)

    def assert_from(
        self, place: Callable[[Surroundings], None], login: Login | None, around: Surroundings
    ) -> None:
        if place is trusted_publishing:
            assert login == ("__token__", next(iter(around.index.tokens)))
        else:
            assert login == (place.__name__, f"{place.__name__}'s")

    def test_where_nothing_is_found_an_index_that_takes_nothing_says_where_it_was_looked_for(
        self, around: Surroundings, tmp_path: Path
    ) -> None:
        self.assert_all_listed(around.refusal(tmp_path), around.index.upload_url)

    def test_for_pypi_that_is_an_error_before_anything_is_sent(self, around: Surroundings) -> None:
        with as_remote("pypi").open() as backend, pytest.raises(MissingSecret) as caught:
            backend.make_ready()  # type: ignore[union-attr]
        assert "No credentials for 'pypi', https://" in caught.value.message
        said = str(caught.value).replace("WHEELRELAY_PYPI", "WHEELRELAY_COMPANY_EU")
        self.assert_all_listed(said, "legacy/")

    def assert_all_listed(self, said: str, address: str) -> None:
        places = (
            "the configuration has no password or token",
            "WHEELRELAY_COMPANY_EU_TOKEN and WHEELRELAY_COMPANY_EU_PASSWORD are not set",
            "TWINE_PASSWORD",
            "~/.pypirc does not exist",
            "the keyring has no entry for",
            "~/.netrc does not exist",
            "no trusted publishing, because this is not a CI job with an identity",
            "no prompt, because ",
        )
        found = [said.find(place) for place in places]
        assert -1 not in found, said
        assert found == sorted(found)
        assert address in said

    def test_verbose_says_each_step_and_never_a_value(
        self, around: Surroundings, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO, "wheelrelay")
        netrc(around)
        assert around.upload(tmp_path) == ("netrc", "netrc's")
        assert "the configuration has no password" in caplog.text
        assert f"come from {around.home / '.netrc'}, for 127.0.0.1." in caplog.text
        assert "netrc's" not in caplog.text


class TestConfiguration:
    def test_a_token_needs_no_user(self, around: Surroundings, tmp_path: Path) -> None:
        around.setenv(SECRET="pypi-open-sesame")
        around.keys |= {"token": {"env": "SECRET"}}
        assert around.upload(tmp_path) == ("__token__", "pypi-open-sesame")

    def test_a_reference_that_leads_nowhere_is_an_error_whatever_else_there_is(
        self, around: Surroundings
    ) -> None:
        own_variables(around)
        around.keys |= {"token": {"env": "SECRET"}}
        with around.opened() as backend, pytest.raises(MissingSecret, match="SECRET is not set"):
            backend.make_ready()

    def test_a_command_runs_once_for_reading_and_uploading(
        self, around: Surroundings, tmp_path: Path
    ) -> None:
        trace = tmp_path / "trace"
        code = f"open({str(trace)!r}, 'a').write('x'); print(\"ci's\")"
        around.keys |= {"username": "ci", "password": {"command": [sys.executable, "-c", code]}}
        with around.opened() as backend:
            list(backend.inventory("sample"))
            backend.make_ready()
            for version in ("1.0", "1.1"):
                backend.put(stage_path(make_wheel(tmp_path, "sample", version)))
        assert trace.read_text() == "x"


class TestOwnVariables:
    def test_a_token_stands_for_both(self, around: Surroundings, tmp_path: Path) -> None:
        around.setenv(WHEELRELAY_COMPANY_EU_TOKEN="pypi-open-sesame")
        own_variables(around)
        assert around.upload(tmp_path) == ("__token__", "pypi-open-sesame")

    def test_a_user_that_is_configured_goes_with_the_password(
        self, around: Surroundings, tmp_path: Path
    ) -> None:
        around.keys |= {"username": "ci"}
        around.setenv(WHEELRELAY_COMPANY_EU_PASSWORD="ci's")
        assert around.upload(tmp_path) == ("ci", "ci's")

    def test_a_password_without_any_user_is_a_token(self, around: Surroundings, tmp_path: Path) -> None:
        around.setenv(WHEELRELAY_COMPANY_EU_PASSWORD="pypi-open-sesame")
        assert around.upload(tmp_path) == ("__token__", "pypi-open-sesame")

    def test_those_of_another_user_than_the_configured_one_are_passed_over(
        self, around: Surroundings, tmp_path: Path
    ) -> None:
        around.keys |= {"username": "ci"}
        own_variables(around)
        assert "WHEELRELAY_COMPANY_EU_PASSWORD is for another user" in around.refusal(tmp_path)

    def test_an_empty_one_counts_as_not_set(self, around: Surroundings, tmp_path: Path) -> None:
        around.setenv(WHEELRELAY_COMPANY_EU_TOKEN="", WHEELRELAY_COMPANY_EU_PASSWORD="")
        assert "WHEELRELAY_COMPANY_EU_TOKEN and" in around.refusal(tmp_path)

    def test_a_remote_that_is_only_an_address_has_none(self, around: Surroundings, tmp_path: Path) -> None:
        around.name = around.index.upload_url
        assert "a remote without a name has no environment variables" in around.refusal(tmp_path)

    def test_a_line_end_is_told_of_before_it_is_sent(self, around: Surroundings) -> None:
        around.setenv(WHEELRELAY_COMPANY_EU_TOKEN="pypi-open-sesame\n")
        with (
            around.opened() as backend,
            pytest.raises(ConfigError, match="WHEELRELAY_COMPANY_EU_TOKEN contain a line break") as caught,
        ):
            backend.make_ready()
        assert "sesame" not in str(caught.value)


class TestTwineVariables:
    PAIR = ("twine_variables", "twine_variables's")

    @pytest.fixture(autouse=True)
    def password(self, around: Surroundings) -> None:
        around.setenv(TWINE_USERNAME=self.PAIR[0], TWINE_PASSWORD=self.PAIR[1])

    @pytest.mark.parametrize("name", ["pypi", "upload"])
    def test_unnamed_they_are_for_the_address_of_pypi(self, around: Surroundings, name: str) -> None:
        wanted = CredentialRequest(Account(name), "https://upload.pypi.org/legacy/")
        found = providers.twine_variables(wanted, None)
        assert (found.username, getattr(found, "password", None)) == self.PAIR

    def test_a_section_of_pypirc_names_the_address_as_for_twine(
        self, around: Surroundings, tmp_path: Path
    ) -> None:
        around.setenv(TWINE_REPOSITORY="company-eu")
        around.pypirc(
            "[distutils]\nindex-servers = company-eu\n[company-eu]\nrepository = https://example.org/\n"
        )
        assert "TWINE_PASSWORD, if set, is for" in around.refusal(tmp_path)

    @pytest.mark.parametrize("name", ["pypi", "testpypi", "company-eu"])
    def test_unnamed_they_are_for_no_other_address_whatever_its_name(
        self, around: Surroundings, name: str, tmp_path: Path
    ) -> None:
        around.name = name
        assert "TWINE_PASSWORD, if set, is for the remote of" in around.refusal(tmp_path)

    def test_named_for_another_they_are_not_for_pypi(self, around: Surroundings, tmp_path: Path) -> None:
        around.setenv(TWINE_REPOSITORY="company-eu")
        around.name = "pypi"
        assert "TWINE_PASSWORD, if set, is for" in around.refusal(tmp_path)

    @pytest.mark.parametrize("ending", ["", "/"])
    def test_an_address_names_the_remote_whatever_it_is_called(
        self, around: Surroundings, ending: str, tmp_path: Path
    ) -> None:
        around.setenv(TWINE_REPOSITORY_URL=around.index.upload_url.rstrip("/") + ending)
        assert around.upload(tmp_path) == self.PAIR

    def test_an_address_wins_over_a_name(self, around: Surroundings, tmp_path: Path) -> None:
        around.setenv(TWINE_REPOSITORY_URL="https://example.org/", TWINE_REPOSITORY="company-eu")
        assert "TWINE_PASSWORD, if set, is for" in around.refusal(tmp_path)

    def test_the_user_may_stand_in_pypirc(self, around: Surroundings, tmp_path: Path) -> None:
        around.monkeypatch.delenv("TWINE_USERNAME")
        around.setenv(TWINE_REPOSITORY="company-eu")
        around.pypirc("[distutils]\nindex-servers = x\n[x]\nrepository = INDEX\nusername = twine_variables\n")
        assert around.upload(tmp_path) == self.PAIR

    def test_certificates_are_taken_too(
        self, around: Surroundings, tls_web: Any, ca_bundle: Path, tmp_path: Path
    ) -> None:
        tls_web.serve("/legacy/")
        around.setenv(TWINE_REPOSITORY="company-eu", TWINE_CERT=str(ca_bundle))
        around.keys |= {"url": None, "upload_url": f"{tls_web.url}legacy/", "confirm": "none"}
        with around.opened() as backend:
            backend.put(stage_path(make_wheel(tmp_path, "sample", "1.0")))
        assert login_of(tls_web.requests[0].headers["authorization"]) == self.PAIR

    @pytest.mark.parametrize("variable", ["TWINE_CERT", "TWINE_CLIENT_CERT"])
    def test_a_certificate_that_is_not_there_is_told(self, around: Surroundings, variable: str) -> None:
        around.setenv(**{"TWINE_REPOSITORY": "company-eu", variable: "nowhere.pem"})
        with pytest.raises(ConfigError, match=r"certificate nowhere\.pem does not exist"), around.opened():
            pass
        around.name = "another"
        with around.opened():
            pass


class TestPypirc:
    def test_of_several_sections_for_the_address_that_of_the_remotes_name_counts(
        self, around: Surroundings, tmp_path: Path
    ) -> None:
        around.pypirc(
            "[distutils]\nindex-servers = first company-eu\n"
            "[first]\nrepository = INDEX\nusername = ci\npassword = ci's\n"
            "[company-eu]\nrepository = INDEX\nusername = pypirc\npassword = pypirc's\n"
        )
        assert around.upload(tmp_path) == ("pypirc", "pypirc's")
        around.name = "another"
        told = r"[company-eu], [first] of ~/.pypirc are for http://127.0.0.1"
        assert told in around.refusal(tmp_path / "again").replace("[first], [company-eu]", told[:21])

    def test_the_user_of_the_remotes_own_section_counts_and_no_other_section(
        self, around: Surroundings, tmp_path: Path
    ) -> None:
        around.pypirc(
            "[distutils]\nindex-servers = first company-eu\n"
            "[first]\nrepository = INDEX\nusername = ci\npassword = ci's\n"
            "[company-eu]\nrepository = INDEX\nusername = keyring\n"
        )
        around.keyring({around.index.upload_url: {"keyring": "keyring's"}})
        assert around.upload(tmp_path) == ("keyring", "keyring's")

    def test_a_port_that_is_the_usual_one_need_not_be_written(self) -> None:
        assert same_place("https://example.org:443/legacy", "https://example.org/legacy/")
        assert not same_place("https://example.org:444/legacy", "https://example.org/legacy/")

    def test_one_that_may_not_be_read_is_told(self, around: Surroundings) -> None:
        (around.home / ".pypirc").mkdir()
        with pytest.raises(ConfigError, match=r"~/\.pypirc cannot be read: Is a directory"), around.opened():
            pass

    def test_a_section_of_the_remotes_name_for_another_address_does_not_count(
        self, around: Surroundings, tmp_path: Path
    ) -> None:
        around.pypirc(
            "[distutils]\nindex-servers = company-eu\n"
            "[company-eu]\nrepository = https://elsewhere.example/\nusername = ci\npassword = ci's\n"
        )
        assert "no section of ~/.pypirc has the repository http://127.0.0.1" in around.refusal(tmp_path)

    def test_server_login_is_for_those_that_have_none_of_their_own(
        self, around: Surroundings, tmp_path: Path
    ) -> None:
        around.pypirc(
            "[server-login]\nusername:pypirc\npassword:pypirc's\n"
            "[distutils]\nindex-servers =\n    company-eu\n[company-eu]\nrepository:INDEX\n"
        )
        assert around.upload(tmp_path) == ("pypirc", "pypirc's")

    def test_a_section_without_a_password_gives_its_user_to_the_places_that_follow(
        self, around: Surroundings, tmp_path: Path
    ) -> None:
        around.pypirc("[distutils]\nindex-servers = x\n[x]\nrepository = INDEX\nusername = keyring\n")
        around.keyring({around.index.upload_url: {"ci": "ci's", "keyring": "keyring's"}})
        assert around.upload(tmp_path) == ("keyring", "keyring's")

    def test_a_section_for_another_user_is_passed_over(self, around: Surroundings, tmp_path: Path) -> None:
        around.keys |= {"username": "ci"}
        pypirc(around)
        assert "section [company-eu] of ~/.pypirc is for another user" in around.refusal(tmp_path)

    def test_a_password_alone_is_a_token(self, around: Surroundings, tmp_path: Path) -> None:
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
    def test_a_malformed_file_is_named_without_its_lines(self, around: Surroundings, text: str) -> None:
        around.pypirc(text)
        with pytest.raises(ConfigError, match=r"~/\.pypirc cannot be read") as caught, around.opened():
            pass
        assert "hunter2" not in str(caught.value)
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__

    def test_what_is_no_text_is_named_too(self, around: Surroundings) -> None:
        (around.home / ".pypirc").write_bytes(b"[pypi]\npassword = \xff\xfe\n")
        with pytest.raises(ConfigError, match=r"~/\.pypirc cannot be read"), around.opened():
            pass

    @pytest.mark.parametrize("key", ["ca_cert", "client_cert"])
    def test_its_certificates_are_taken(self, around: Surroundings, key: str) -> None:
        around.pypirc(f"[distutils]\nindex-servers = x\n[x]\nrepository = INDEX\n{key} = nowhere.pem\n")
        with pytest.raises(ConfigError, match=r"certificate nowhere\.pem does not exist"), around.opened():
            pass

    def test_their_paths_may_begin_at_home(self, around: Surroundings, ca_bundle: Path) -> None:
        (around.home / "ca.pem").write_bytes(ca_bundle.read_bytes())
        around.pypirc("[distutils]\nindex-servers = x\n[x]\nrepository = INDEX\nca_cert = ~/ca.pem\n")
        with around.opened():
            pass

    def test_configured_certificates_win(self, around: Surroundings, ca_bundle: Path) -> None:
        around.pypirc("[distutils]\nindex-servers = x\n[x]\nrepository = INDEX\nca_cert = nowhere.pem\n")
        with around.opened(ca_cert=ca_bundle):
            pass


@pytest.mark.skipif(os.name != "posix", reason="permissions are read as POSIX has them")
class TestPermissions:
    @pytest.mark.parametrize(("mode", "warned"), [(0o644, 1), (0o640, 1), (0o600, 0)])
    @pytest.mark.parametrize("place", ["pypirc", "netrc"])
    def test_a_file_that_others_may_read_is_warned_of_once(
        self,
        around: Surroundings,
        place: str,
        mode: int,
        warned: int,
        caplog: pytest.LogCaptureFixture,
        tmp_path: Path,
    ) -> None:
        {"pypirc": pypirc, "netrc": netrc}[place](around)
        (around.home / f".{place}").chmod(mode)
        for again in ("one", "two"):
            assert around.upload(tmp_path / again) == (place, f"{place}'s")
        warnings = [record.message for record in caplog.records if record.levelno == logging.WARNING]
        assert len(warnings) == warned
        assert all(f".{place} holds a password and is readable" in warning for warning in warnings)

    def test_one_without_a_password_is_not(
        self, around: Surroundings, caplog: pytest.LogCaptureFixture
    ) -> None:
        around.pypirc("[distutils]\nindex-servers = x\n[x]\nrepository = INDEX\n", mode=0o644)
        with around.opened() as backend:
            backend.make_ready()
        assert caplog.records == []


class TestKeyring:
    def test_a_token_is_asked_for_first_where_no_user_is_known(
        self, around: Surroundings, tmp_path: Path
    ) -> None:
        around.keyring({around.index.upload_url: {"ci": "ci's", "__token__": "pypi-open-sesame"}})
        assert around.upload(tmp_path) == ("__token__", "pypi-open-sesame")

    def test_one_that_stays_locked_is_told(self, around: Surroundings, tmp_path: Path) -> None:
        around.keyring(LOCKED)
        assert "the keyring cannot be read: KeyringLocked" in around.refusal(tmp_path)

    def test_one_that_is_not_installed_is_told(self, around: Surroundings) -> None:
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
    def test_one_that_gives_no_name_or_no_password_has_nothing(
        self, around: Surroundings, tmp_path: Path, given: object
    ) -> None:
        around.monkeypatch.setattr(keyring_library, "get_credential", lambda *_: given)
        assert "the keyring " in around.refusal(tmp_path)


class TestNetrc:
    def test_another_file_may_be_named(self, around: Surroundings, tmp_path: Path) -> None:
        path = tmp_path / "my.netrc"
        path.write_text("default login netrc password netrc's\n")
        path.chmod(0o600)
        around.setenv(NETRC=str(path))
        assert around.upload(tmp_path) == ("netrc", "netrc's")

    @pytest.mark.parametrize("text", ["machine example.org login ci password ci's\n", "machine 127.0.0.1\n"])
    def test_one_that_has_nothing_for_the_host_is_told(
        self, around: Surroundings, text: str, tmp_path: Path
    ) -> None:
        around.netrc(text)
        assert ".netrc has no password for 127.0.0.1" in around.refusal(tmp_path)

    def test_a_malformed_one_is_told_without_its_lines(self, around: Surroundings, tmp_path: Path) -> None:
        around.netrc("hunter2\n")
        said = around.refusal(tmp_path)
        assert ".netrc cannot be read" in said
        assert "hunter2" not in said

    def test_another_user_than_the_known_one_is_passed_over(
        self, around: Surroundings, tmp_path: Path
    ) -> None:
        around.keys |= {"username": "ci"}
        netrc(around)
        assert ".netrc has an entry for another user of 127.0.0.1" in around.refusal(tmp_path)

    def test_where_nobody_has_a_home_there_is_none(self, around: Surroundings, tmp_path: Path) -> None:
        around.setenv(HOME="", NETRC="~nobody-of-this-name/x")
        assert "~nobody-of-this-name/x does not exist" in around.refusal(tmp_path)

    def test_a_malformed_one_is_warned_of_where_it_might_have_helped(
        self, around: Surroundings, caplog: pytest.LogCaptureFixture
    ) -> None:
        around.netrc("machine 127.0.0.1 login netrc passw hunter2\n")
        around.index.serve(
            "/list/", "<a href='sample-1.0-py3-none-any.whl'>x</a>", credentials=("netrc", "x")
        )
        with pytest.raises(AuthenticationFailed):
            wheelrelay.list_files(f"listing+{around.index.url}list/")
        assert ".netrc is ignored: line 1 cannot be parsed" in caplog.text
        assert "hunter2" not in caplog.text


class TestReading:
    @pytest.mark.parametrize("place", [configuration, own_variables, twine_variables, pypirc, netrc])
    def test_what_is_written_down_goes_along(
        self, around: Surroundings, place: Callable[[Surroundings], None]
    ) -> None:
        place(around)
        assert around.read() == (place.__name__, f"{place.__name__}'s")

    @pytest.mark.parametrize("place", [keyring, trusted_publishing])
    def test_nothing_else_does(self, around: Surroundings, place: Callable[[Surroundings], None]) -> None:
        place(around)
        assert around.read() is None

    def test_the_keyring_is_asked_if_the_index_asks(self, around: Surroundings) -> None:
        keyring(around)
        page, pair = "<title>Links for sample</title>", ("keyring", "keyring's")
        around.index.serve("/private/sample/", page, credentials=pair)
        around.keys |= {"url": f"{around.index.url}private/"}
        assert around.read() == ("keyring", "keyring's")
        assert len(around.index.requests) == 2

    def test_what_everybody_may_read_is_read_without_any(self, around: Surroundings) -> None:
        own_variables(around)
        connection, account = Connection(None, None, allow_insecure=False), Account("company-eu")
        with connect(account, connection, around.index.simple_url, None, is_public=True) as backend:
            assert isinstance(backend, IndexReader)
            assert list(backend.inventory("sample")) == []
        assert "authorization" not in around.index.requests[-1].headers

    @pytest.mark.parametrize("preset", [PyPIConfig, TestPyPIConfig])
    def test_that_is_pypi_and_testpypi(self, preset: type[IndexConfig]) -> None:
        assert preset()._is_public()

    @pytest.mark.parametrize("preset", [PyPIConfig, TestPyPIConfig])
    @pytest.mark.parametrize("key", ["url", "upload_url"])
    @pytest.mark.parametrize("host", ["mirror.example.org", "upload.pypi.org.example.org"])
    def test_a_preset_keeps_its_addresses(self, preset: type[IndexConfig], key: str, host: str) -> None:
        with pytest.raises(ValueError, match=f"{key} of .*pypi cannot be changed"):
            preset.model_validate({key: f"https://{host}/simple/"})

    def test_nor_is_one_preset_sent_to_the_other_or_over_plain_http(self) -> None:
        for address in ("https://test.pypi.org/legacy/", "http://upload.pypi.org/legacy/"):
            with pytest.raises(ValueError, match="of pypi cannot be changed"):
                PyPIConfig(upload_url=address)

    def test_what_is_found_by_the_upload_address_is_not_sent_to_another_host(
        self, around: Surroundings
    ) -> None:
        pypirc(around)
        around.keys |= {"url": around.index.simple_url.replace("127.0.0.1", "localhost")}
        assert around.read() is None

    def test_a_mirror_gets_nothing_that_is_for_uploading_elsewhere(self, around: Surroundings) -> None:
        around.setenv(TWINE_PASSWORD="twine's", WHEELRELAY_MIRROR_TOKEN="own's", SECRET="configured")
        elsewhere = {"upload_url": "https://upload.example.org/", "token": {"env": "SECRET"}}
        remote = Remote("mirror", IndexConfig(url=around.index.simple_url, **elsewhere))
        with remote.open() as backend:
            list(backend.inventory("sample"))  # type: ignore[attr-defined]
        assert around.index.requests[-1].headers.get("authorization") is None
        around.index.serve("/mirror/sample/", credentials=("ci", "ci's"))
        remote = Remote("mirror", IndexConfig(url=f"{around.index.url}mirror/", **elsewhere))
        with (
            remote.open() as backend,
            pytest.raises(AuthenticationFailed, match="are for the upload host only"),
        ):
            list(backend.inventory("sample"))  # type: ignore[attr-defined]

    def test_an_index_that_wants_credentials_says_where_they_were_looked_for(
        self, around: Surroundings
    ) -> None:
        around.keys |= {"url": around.index.serve("/private/")}
        around.index.serve("/private/sample/", credentials=("ci", "ci's"))
        with pytest.raises(AuthenticationFailed, match=r"Who are you.*the keyring has no entry for"):
            around.read()


class TestConfigurationsThatMakeNoSense:
    def test_without_any_address(self) -> None:
        with pytest.raises(ValueError, match="an index needs url, upload_url or both"):
            IndexConfig()

    def test_with_two_ways_to_log_in(self) -> None:
        with pytest.raises(ValueError, match="either token, or username and password"):
            IndexConfig(url="https://example.org/", username="ci", token={"env": "TOKEN"})


class TestRefusals:
    @pytest.fixture(autouse=True)
    def _401(self, around: Surroundings) -> None:
        around.index.status_for_bad_tokens = 401

    def test_a_secret_that_was_rotated_is_read_again(self, around: Surroundings, tmp_path: Path) -> None:
        secret = tmp_path / "secret"
        secret.write_text("old")
        around.keys |= {"username": "ci", "password": {"file": secret}}
        with around.opened() as backend:
            backend.make_ready()
            secret.write_text("ci's")
            backend.put(stage_path(make_wheel(tmp_path, "sample", "1.0")))
        assert [upload.status for upload in around.index.uploads] == [401, 200]

    def test_one_that_stays_wrong_is_read_again_once_for_all_threads(
        self, around: Surroundings, tmp_path: Path
    ) -> None:
        trace = tmp_path / "trace"
        code = f"open({str(trace)!r}, 'a').write('x'); print('wrong')"
        around.keys |= {"username": "ci", "password": {"command": [sys.executable, "-c", code]}}
        said = []

        def put(number: int) -> None:
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

    def test_a_403_is_no_reason_to_look_again(self, around: Surroundings, tmp_path: Path) -> None:
        around.index.status_for_bad_tokens = 403
        around.setenv(WHEELRELAY_COMPANY_EU_TOKEN="wrong")
        with pytest.raises(PermissionDenied, match="Invalid or non-existent"):
            around.upload(tmp_path)
        assert len(around.index.uploads) == 1

    def test_a_403_says_whose_credentials_were_sent_or_where_some_were_looked_for(
        self, around: Surroundings, tmp_path: Path
    ) -> None:
        around.index.status_for_bad_tokens = 403
        with pytest.raises(PermissionDenied, match=r"No credentials were sent\. Tried: "):
            around.upload(tmp_path)
        around.setenv(WHEELRELAY_COMPANY_EU_TOKEN="wrong")
        with pytest.raises(
            PermissionDenied, match="come from the variable WHEELRELAY_COMPANY_EU_TOKEN: check"
        ):
            around.upload(tmp_path / "again")

    def test_other_credentials_are_looked_for_where_the_first_are_gone(
        self, around: Surroundings, tmp_path: Path
    ) -> None:
        around.setenv(WHEELRELAY_COMPANY_EU_TOKEN="wrong")
        with around.opened() as backend:
            backend.make_ready()
            around.monkeypatch.delenv("WHEELRELAY_COMPANY_EU_TOKEN")
            netrc(around)
            backend.put(stage_path(make_wheel(tmp_path, "sample", "1.0")))
        assert [upload.status for upload in around.index.uploads] == [401, 200]

    def test_what_the_index_repeats_of_them_is_not_told(self, around: Surroundings, tmp_path: Path) -> None:
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
    def proxied(self, around: Surroundings) -> None:
        """All that goes to ``index.invalid`` reaches the index."""
        around.setenv(HTTP_PROXY=around.index.url)
        around.keys |= {"url": None, "upload_url": "http://index.invalid/legacy/", "confirm": "none"}

    def test_credentials_for_it_are_an_error_before_anything_is_sent(self, around: Surroundings) -> None:
        own_variables(around)
        with around.opened() as backend, pytest.raises(ConfigError, match=r"is plain HTTP.*allow_insecure"):
            backend.make_ready()
        assert around.index.requests == []

    def test_they_are_not_sent_even_so(self, around: Surroundings, tmp_path: Path) -> None:
        own_variables(around)
        around.index.serve("/legacy/", status=401)
        with pytest.raises(AuthenticationFailed, match=r"not sent over plain HTTP\. Use https"):
            around.upload(tmp_path)

    def test_with_allow_insecure_they_are_with_a_warning_each_time(
        self, around: Surroundings, caplog: pytest.LogCaptureFixture
    ) -> None:
        own_variables(around)
        for _ in range(2):
            with around.opened(allow_insecure=True) as backend:
                backend.make_ready()
        assert [record.levelname for record in caplog.records] == ["WARNING"] * 2
        assert "http://index.invalid/legacy/ is plain HTTP: credentials can be read by others" in caplog.text


class TestPrompt:
    """Run in a process of its own that has a terminal."""

    CODE = """
import fcntl, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from pathlib import Path
from wheelrelay.backends.index import IndexConfig, PyPIConfig, TestPyPIConfig
from wheelrelay.testing import make_wheel, stage_path
config = eval(sys.argv[1])
with config.named("company-eu").open() as index:
    index.make_ready()
    print("READY")
    if sys.argv[2]:
        index.put(stage_path(make_wheel(Path(sys.argv[2]), "sample", "1.0")))
"""

    def dialogue(self, config: str, folder: Path | str = "", *, typed: str = "") -> str:
        """All that the terminal shows; ``typed`` and a line end are typed when it asks for something."""
        ours, theirs = os.openpty()
        command = [sys.executable, "-c", self.CODE, config, str(folder)]
        with subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
        ) as process:
            os.close(theirs)
            shown = b""
            while block := _read_terminal(ours):
                shown += block
                if block.endswith(b": "):
                    os.write(ours, f"{typed}\n".encode())
            os.close(ours)
            process.wait()
        return shown.decode()

    def config(self, around: Surroundings, **keys: str) -> str:
        addresses = {"url": around.index.simple_url, "upload_url": around.index.upload_url}
        return f"IndexConfig(**{ ({**addresses, **keys})!r})"

    def test_pypi_asks_for_a_token(self) -> None:
        shown = self.dialogue("PyPIConfig()", typed="pypi-secret")
        assert "API token for 'company-eu', https://" in shown
        assert "READY" in shown

    def test_what_is_not_typed_is_missing(self) -> None:
        shown = self.dialogue("PyPIConfig()")
        assert "READY" not in shown
        assert "MissingSecret" in shown
        assert "nothing was entered" in shown

    def test_a_known_user_is_asked_for_the_password(self, around: Surroundings, tmp_path: Path) -> None:
        shown = self.dialogue(self.config(around, username="ci"), tmp_path, typed="ci's")
        assert "Password of ci for 'company-eu'" in shown
        assert login_of(around.index.requests[-1].headers["authorization"]) == ("ci", "ci's")

    def test_a_password_that_is_wrong_is_not_asked_for_again(
        self, around: Surroundings, tmp_path: Path
    ) -> None:
        around.index.status_for_bad_tokens = 401
        shown = self.dialogue(self.config(around, username="ci"), tmp_path, typed="wrong")
        assert shown.count("Password of ci") == 1
        assert "The credentials come from the prompt." in shown

    def test_nobody_is_asked_where_a_place_has_some(self, around: Surroundings, tmp_path: Path) -> None:
        netrc(around)
        shown = self.dialogue(self.config(around, username="netrc"), tmp_path)
        assert "Password" not in shown
        assert login_of(around.index.requests[-1].headers["authorization"]) == ("netrc", "netrc's")

    def test_nobody_is_asked_where_everybody_may_upload(self, around: Surroundings) -> None:
        shown = self.dialogue(self.config(around))
        assert "READY" in shown
        assert " for " not in shown


def _read_terminal(terminal: int) -> bytes:
    try:
        return os.read(terminal, 1 << 16)
    except OSError:  # how Linux says that nobody has it open any more
        return b""


class TestTelling:
    def test_no_repr_shows_a_secret(self, around: Surroundings) -> None:
        pypirc(around)
        found = resolve(CredentialRequest(Account("company-eu"), around.index.upload_url), [providers.pypirc])
        assert isinstance(found, providers.Login)
        assert found.password == "pypirc's"
        assert "pypirc's" not in repr(found) + repr(sections())
        assert "hunter2" not in repr(Token("hunter2", 0, 0))

    def test_a_configuration_is_pickled_with_its_name_and_without_its_secret(
        self, around: Surroundings
    ) -> None:
        configuration(around)
        remote = around.remote()
        copied = pickle.loads(pickle.dumps(remote.config.named(remote.name)))
        assert copied.remote_name == "company-eu"
        assert b"configuration's" not in pickle.dumps(copied)
        assert pickle.loads(pickle.dumps(remote)) == remote
