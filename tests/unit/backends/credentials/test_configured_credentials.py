"""Credentials from the configuration, from environment variables and from a prompt, and their order."""

import logging
import sys

import pytest
from tests.unit.backends.credentials.surroundings import (
    PLACES,
    login_of,
    netrc,
    own_variables,
    trusted_publishing,
)

from wheelrelay.backends.credentials import Account, CredentialRequest, providers
from wheelrelay.backends.index import IndexConfig
from wheelrelay.config import as_remote
from wheelrelay.errors import ConfigError, MissingSecret
from wheelrelay.testing import make_wheel, stage_path


class TestOrder:
    @pytest.mark.parametrize("place", PLACES)
    def test_each_provider_is_used_on_its_own(self, around, place, tmp_path):
        place(around)
        self.assert_from(place, around.upload(tmp_path), around)

    @pytest.mark.parametrize("number", range(len(PLACES)), ids=[place.__name__ for place in PLACES])
    def test_earlier_provider_wins(self, around, number, tmp_path):
        for place in PLACES[number:]:
            place(around)
        self.assert_from(PLACES[number], around.upload(tmp_path), around)

    def assert_from(self, place, login, around):
        if place is trusted_publishing:
            assert login == ("__token__", next(iter(around.index.tokens)))
        else:
            assert login == (place.__name__, f"{place.__name__}'s")

    def test_401_lists_the_providers_that_were_tried(self, around, tmp_path):
        self.assert_all_listed(around.refusal(tmp_path), around.index.upload_url)

    def test_missing_credentials_for_pypi_are_an_error_before_uploading(self, around):
        with as_remote("pypi").open() as backend, pytest.raises(MissingSecret) as caught:
            backend.make_ready()
        assert "No credentials for 'pypi', https://" in caught.value.message
        said = str(caught.value).replace("WHEELRELAY_PYPI", "WHEELRELAY_COMPANY_EU")
        self.assert_all_listed(said, "legacy/")

    def assert_all_listed(self, said, address):
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

    def test_verbose_output_names_providers_and_no_secrets(self, around, tmp_path, caplog):
        caplog.set_level(logging.INFO, "wheelrelay")
        netrc(around)
        assert around.upload(tmp_path) == ("netrc", "netrc's")
        assert "the configuration has no password" in caplog.text
        assert f"come from {around.home / '.netrc'}, for 127.0.0.1." in caplog.text
        assert "netrc's" not in caplog.text


class TestConfiguration:
    def test_a_token_needs_no_user(self, around, tmp_path):
        around.setenv(SECRET="pypi-open-sesame")
        around.keys |= {"token": {"env": "SECRET"}}
        assert around.upload(tmp_path) == ("__token__", "pypi-open-sesame")

    def test_unresolvable_reference_is_an_error(self, around):
        own_variables(around)
        around.keys |= {"token": {"env": "SECRET"}}
        with around.opened() as backend, pytest.raises(MissingSecret, match="SECRET is not set"):
            backend.make_ready()

    def test_a_command_runs_once_for_reading_and_uploading(self, around, tmp_path):
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
    def test_token_replaces_username_and_password(self, around, tmp_path):
        around.setenv(WHEELRELAY_COMPANY_EU_TOKEN="pypi-open-sesame")
        own_variables(around)
        assert around.upload(tmp_path) == ("__token__", "pypi-open-sesame")

    def test_a_user_that_is_configured_goes_with_the_password(self, around, tmp_path):
        around.keys |= {"username": "ci"}
        around.setenv(WHEELRELAY_COMPANY_EU_PASSWORD="ci's")
        assert around.upload(tmp_path) == ("ci", "ci's")

    def test_a_password_without_any_user_is_a_token(self, around, tmp_path):
        around.setenv(WHEELRELAY_COMPANY_EU_PASSWORD="pypi-open-sesame")
        assert around.upload(tmp_path) == ("__token__", "pypi-open-sesame")

    def test_variables_for_another_user_are_ignored(self, around, tmp_path):
        around.keys |= {"username": "ci"}
        own_variables(around)
        assert "WHEELRELAY_COMPANY_EU_PASSWORD is for another user" in around.refusal(tmp_path)

    def test_an_empty_one_counts_as_not_set(self, around, tmp_path):
        around.setenv(WHEELRELAY_COMPANY_EU_TOKEN="", WHEELRELAY_COMPANY_EU_PASSWORD="")
        assert "WHEELRELAY_COMPANY_EU_TOKEN and" in around.refusal(tmp_path)

    def test_remote_without_a_name_has_no_variables(self, around, tmp_path):
        around.name = around.index.upload_url
        assert "a remote without a name has no environment variables" in around.refusal(tmp_path)

    def test_line_break_in_a_secret_is_rejected(self, around):
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
    def password(self, around):
        around.setenv(TWINE_USERNAME=self.PAIR[0], TWINE_PASSWORD=self.PAIR[1])

    @pytest.mark.parametrize("name", ["pypi", "upload"])
    def test_unnamed_they_are_for_the_address_of_pypi(self, around, name):
        wanted = CredentialRequest(Account(name), "https://upload.pypi.org/legacy/")
        found = providers.twine_variables(wanted, None)
        assert (found.username, getattr(found, "password", None)) == self.PAIR

    def test_a_section_of_pypirc_names_the_address_as_for_twine(self, around, tmp_path):
        around.setenv(TWINE_REPOSITORY="company-eu")
        around.pypirc(
            "[distutils]\nindex-servers = company-eu\n[company-eu]\nrepository = https://example.org/\n"
        )
        assert "TWINE_PASSWORD, if set, is for" in around.refusal(tmp_path)

    @pytest.mark.parametrize("name", ["pypi", "testpypi", "company-eu"])
    def test_unnamed_they_are_for_no_other_address_whatever_its_name(self, around, name, tmp_path):
        around.name = name
        assert "TWINE_PASSWORD, if set, is for the remote of" in around.refusal(tmp_path)

    def test_named_for_another_they_are_not_for_pypi(self, around, tmp_path):
        around.setenv(TWINE_REPOSITORY="company-eu")
        around.name = "pypi"
        assert "TWINE_PASSWORD, if set, is for" in around.refusal(tmp_path)

    @pytest.mark.parametrize("ending", ["", "/"])
    def test_an_address_names_the_remote_whatever_it_is_called(self, around, ending, tmp_path):
        around.setenv(TWINE_REPOSITORY_URL=around.index.upload_url.rstrip("/") + ending)
        assert around.upload(tmp_path) == self.PAIR

    def test_an_address_wins_over_a_name(self, around, tmp_path):
        around.setenv(TWINE_REPOSITORY_URL="https://example.org/", TWINE_REPOSITORY="company-eu")
        assert "TWINE_PASSWORD, if set, is for" in around.refusal(tmp_path)

    def test_user_name_may_come_from_pypirc(self, around, tmp_path):
        around.monkeypatch.delenv("TWINE_USERNAME")
        around.setenv(TWINE_REPOSITORY="company-eu")
        around.pypirc("[distutils]\nindex-servers = x\n[x]\nrepository = INDEX\nusername = twine_variables\n")
        assert around.upload(tmp_path) == self.PAIR

    def test_certificates_are_taken_too(self, around, tls_web, ca_bundle, tmp_path):
        tls_web.serve("/legacy/")
        around.setenv(TWINE_REPOSITORY="company-eu", TWINE_CERT=str(ca_bundle))
        around.keys |= {"url": None, "upload_url": f"{tls_web.url}legacy/", "confirm": "none"}
        with around.opened() as backend:
            backend.put(stage_path(make_wheel(tmp_path, "sample", "1.0")))
        assert login_of(tls_web.requests[0].headers["authorization"]) == self.PAIR

    @pytest.mark.parametrize("variable", ["TWINE_CERT", "TWINE_CLIENT_CERT"])
    def test_missing_certificate_is_reported(self, around, variable):
        around.setenv(**{"TWINE_REPOSITORY": "company-eu", variable: "nowhere.pem"})
        with pytest.raises(ConfigError, match=r"certificate nowhere\.pem does not exist"), around.opened():
            pass
        around.name = "another"
        with around.opened():
            pass


class TestConfigurationsThatMakeNoSense:
    def test_without_any_address(self):
        with pytest.raises(ValueError, match="an index needs url, upload_url or both"):
            IndexConfig()

    def test_with_two_ways_to_log_in(self):
        with pytest.raises(ValueError, match="either token, or username and password"):
            IndexConfig(url="https://example.org/", username="ci", token={"env": "TOKEN"})
