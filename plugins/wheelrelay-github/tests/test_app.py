"""Tokens of GitHub Apps."""

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from tests.servers.github import TOKEN

from wheelrelay.errors import ConfigError


@pytest.fixture(scope="module")
def key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def app_config(release_config, key):
    """The configuration with an App, whose requests GitHub answers."""
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )

    def configured(tmp_path, content=pem, **app):
        file = tmp_path / "app.pem"
        file.write_bytes(content)
        return release_config(token=None, app={"id": 123, "private_key": {"file": str(file)}, **app})

    return configured


def test_a_token_of_the_repositorys_installation_is_created(github, app_config, key, tmp_path):
    github.tokens = _AnyJwt(key)
    github.public = False
    github.add_asset(github.add_release("v1.0"), "sample-1.0.tar.gz", b"bytes")
    with app_config(tmp_path).open() as store:
        assert [file.filename for file in store.iter_files(None)] == ["sample-1.0.tar.gz"]
        list(store.iter_files(None))
    created = [request for request in github.requests if request.path.endswith("/access_tokens")]
    assert len(created) == 1
    assert github.requests[-1].headers["authorization"] == "Bearer ghs_of_the_app"
    assert github.tokens.claims["iss"] == "123"
    assert github.tokens.claims["exp"] - github.tokens.claims["iat"] <= 660


def test_a_configured_installation_is_not_looked_up(github, app_config, key, tmp_path):
    github.tokens = _AnyJwt(key)
    with app_config(tmp_path, installation=42).open() as store:
        store.make_ready()
    assert [request.path for request in github.requests] == ["/api/v3/app/installations/42/access_tokens"]


def test_a_key_that_is_none_is_a_configuration_error_without_the_key(app_config, tmp_path):
    wrong = app_config(tmp_path, content=b"hunter2")
    with wrong.open() as store, pytest.raises(ConfigError, match="not an RSA key") as caught:
        store.make_ready()
    assert "hunter2" not in str(caught.value)
    assert TOKEN not in str(caught.value)


class _AnyJwt(set):
    """The tokens that were created, and every JWT that the App's key signed."""

    def __init__(self, key):
        super().__init__()
        self._key = key.public_key()
        self.claims = {}

    def __contains__(self, token):
        if super().__contains__(token):
            return True
        try:
            self.claims = jwt.decode(token, self._key, algorithms=["RS256"], options={"verify_iss": False})
        except jwt.PyJWTError:
            return False
        return True
