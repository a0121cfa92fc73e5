"""Tokens for GitHub: configured, from the environment, or of a GitHub App."""

import os
import threading
import time
from datetime import datetime
from typing import TYPE_CHECKING

from wheelrelay.config import register_secret
from wheelrelay.errors import BackendError, ConfigError
from wheelrelay_github.addresses import PUBLIC_API

if TYPE_CHECKING:
    from wheelrelay.config import SecretReference
    from wheelrelay_github.api import GitHubApi

JWT_SECONDS = 540
"""How long the JWT of an App is valid; GitHub accepts ten minutes at most."""

CLOCK_SKEW = 60
"""Seconds by which a JWT is dated back, as GitHub's documentation recommends."""

RENEW_BEFORE = 300
"""Seconds before its expiry from which a token of an App is replaced."""


def token_in_environment(api_url: str) -> str | None:
    """Return the name of the environment variable with a token for this API, if one is set.

    ``GITHUB_TOKEN`` belongs to ``GITHUB_API_URL``, which is GitHub's own API if it is not set. ``GH_TOKEN``
    and ``GH_ENTERPRISE_TOKEN`` are those of the ``gh`` command.
    """
    is_public = api_url.rstrip("/") == PUBLIC_API
    own = os.environ.get("GITHUB_API_URL", PUBLIC_API).rstrip("/") == api_url.rstrip("/")
    names = ("GH_TOKEN",) if is_public else ("GH_ENTERPRISE_TOKEN",)
    candidates = ("GITHUB_TOKEN", *names) if own else names
    return next((name for name in candidates if os.environ.get(name)), None)


class AppToken:
    """Tokens of one installation of a GitHub App, each valid for an hour.

    Args:
        api: the API of the repository, with the JWT as its token.
        installation: the installation's id; ``None`` to look up the repository's.
    """

    def __init__(self, api: "GitHubApi", api_url: str, installation: int | None) -> None:
        self._api = api
        self._api_url = api_url.rstrip("/")
        self._installation = installation
        self._lock = threading.Lock()
        self._token = ""
        self._expires = 0.0

    def get(self) -> str:
        """Return a token that is valid for at least `RENEW_BEFORE` seconds.

        Raises:
            BackendError: GitHub creates none.
        """
        with self._lock:
            if time.time() > self._expires - RENEW_BEFORE:
                self._create()
            return self._token

    def renew(self) -> None:
        """Forget the token."""
        with self._lock:
            self._expires = 0.0

    def _create(self) -> None:
        if self._installation is None:
            self._installation = int(self._api.get(self._api.url("installation"))["id"])
        url = f"{self._api_url}/app/installations/{self._installation}/access_tokens"
        name = self._api.repository.partition("/")[2]
        document = self._api.send("POST", url, {"repositories": [name]})
        try:
            self._token = str(document["token"])
            self._expires = datetime.fromisoformat(document["expires_at"]).timestamp()
        except (KeyError, TypeError, ValueError) as error:
            raise BackendError("GitHub did not return a token for the App's installation.") from error
        register_secret(self._token)


class AppJwt:
    """The signed JWT (RFC 7519) with which a GitHub App identifies itself.

    Args:
        app_id: the App's id or client id.
        private_key: refers to the App's private key, in PEM form: a secret of several lines.
    """

    def __init__(self, app_id: str, private_key: "SecretReference") -> None:
        self._app_id = app_id
        self._private_key = private_key

    def get(self) -> str:
        """Return a new JWT.

        Raises:
            ConfigError: PyJWT is not installed, or the private key cannot be used.
        """
        try:
            import jwt
        except ImportError as error:
            raise ConfigError(
                "Tokens of a GitHub App need the package PyJWT.",
                hint="Install it: pip install 'wheelrelay-github[app]'.",
            ) from error
        now = int(time.time())
        claims = {"iat": now - CLOCK_SKEW, "exp": now + JWT_SECONDS, "iss": self._app_id}
        key = self._private_key.resolve()
        register_secret(key)
        try:
            return jwt.encode(claims, key, algorithm="RS256")
        except (jwt.PyJWTError, ValueError, TypeError):
            # Not chained: the message may quote the key.
            raise ConfigError("The private key of the GitHub App is not an RSA key in PEM form.") from None

    def renew(self) -> None:
        """Do nothing: the key is read for every JWT."""
