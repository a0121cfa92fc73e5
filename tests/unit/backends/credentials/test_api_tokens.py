"""An API token of PyPI states which index, which projects and which time it is for."""

import base64
import time

import pytest

from wheelrelay.backends.credentials.api_tokens import read_scope
from wheelrelay.backends.index import IndexConfig, PyPIConfig
from wheelrelay.errors import AuthenticationFailed, PermissionDenied


def field(kind, content):
    """Return a field of a macaroon; its length is a number in LEB128."""
    size = len(content)
    length = bytes([size]) if size < 0x80 else bytes([size & 0x7F | 0x80, size >> 7])
    return bytes([kind]) + length + content


def token(*caveats, host="pypi.org"):
    """Return a token like PyPI's; its signature is not valid."""
    parts = [b"\x02", field(1, host.encode()), field(2, b"4711" * 40), b"\x00"]
    for caveat in caveats:
        parts += [field(2, caveat.encode()), b"\x00"]
    parts += [b"\x00", field(6, b"s" * 32)]
    return "pypi-" + base64.urlsafe_b64encode(b"".join(parts)).decode().rstrip("=")


NOW = int(time.time())


def test_reads_the_index_of_a_token_for_all_projects():
    scope = read_scope(token('[3, "user-id"]', host="test.pypi.org"))
    assert (scope.host, scope.projects, scope.expires) == ("test.pypi.org", None, None)


def test_reads_projects_and_times():
    scope = read_scope(token('[1, ["sample", "other"]]', f"[0, {NOW + 60}, {NOW - 60}]", '[1, ["sample"]]'))
    assert scope.projects == {"sample"}
    assert (scope.not_before, scope.expires) == (NOW - 60, NOW + 60)


def test_reads_caveats_in_the_older_form():
    scope = read_scope(
        token(
            '{"version": 1, "permissions": {"projects": ["sample"]}}',
            f'{{"nbf": {NOW - 9}, "exp": {NOW + 9}}}',
            '{"version": 1, "permissions": "user"}',
        )
    )
    assert (scope.projects, scope.not_before, scope.expires) == ({"sample"}, NOW - 9, NOW + 9)


def test_ignores_caveats_of_an_unknown_kind():
    assert read_scope(token('[99, "new"]', "not JSON", "[]", "null", '[0, "soon"]')).projects is None


@pytest.mark.parametrize(
    "text",
    ["", "pypi-", "pypi-????", "password", "pypi-AQID", token()[:20], "pypi-" + "A" * 30, "pypi-Agf_"],
)
def test_other_texts_are_not_tokens(text):
    assert read_scope(text) is None


class TestTokensForPyPI:
    """These are refused before any request is sent."""

    @pytest.fixture
    def check(self, monkeypatch):
        def check(value, *projects, new=(), user=None):
            monkeypatch.setenv("WHEELRELAY_PYPI_PASSWORD" if user else "WHEELRELAY_PYPI_TOKEN", value)
            if user:
                monkeypatch.setenv("WHEELRELAY_PYPI_USERNAME", user)
            with PyPIConfig().named("pypi").open() as index:
                return index.check_credentials(projects, new)

        return check

    def test_token_of_testpypi_is_refused(self, check):
        with pytest.raises(AuthenticationFailed, match=r"is for test\.pypi\.org, not for pypi\.org"):
            check(token(host="test.pypi.org"), "sample")

    def test_token_for_another_project_is_refused(self, check):
        with pytest.raises(PermissionDenied, match=r"The token is for other, not for sample\.") as refused:
            check(token('[1, ["other"]]'), "sample")
        assert "WHEELRELAY_PYPI_TOKEN" in refused.value.hint

    def test_expired_token_is_refused(self, check):
        with pytest.raises(AuthenticationFailed, match="expired on 2001-09-09"):
            check(token("[0, 1000000000, 0]"), "sample")

    def test_token_that_is_not_valid_yet_is_refused(self, check):
        with pytest.raises(AuthenticationFailed, match="not valid yet") as refused:
            check(token(f"[0, {NOW + 9000}, {NOW + 8000}]"), "sample")
        assert "clock" in refused.value.hint

    def test_token_for_a_project_cannot_create_it(self, check):
        with pytest.raises(PermissionDenied, match="cannot create sample"):
            check(token('[1, ["sample"]]'), "sample", new=["sample"])

    def test_password_is_refused(self, check):
        with pytest.raises(AuthenticationFailed, match="API tokens only"):
            check("s3cret", "sample", user="me")

    def test_text_that_is_no_token_is_refused_and_not_shown(self, check):
        with pytest.raises(AuthenticationFailed, match="not an API token") as refused:
            check("hunter2-hunter2", "sample")
        assert "hunter2" not in str(refused.value)


def test_tokens_of_other_indexes_are_not_read(pypi, monkeypatch):
    monkeypatch.setenv("WHEELRELAY_OWN_TOKEN", next(iter(pypi.accounts.values())))
    config = IndexConfig(url=pypi.simple_url, upload_url=pypi.upload_url)
    with config.named("own").open() as index:
        checked = index.check_credentials(["sample"], [])
    assert checked.is_accepted
