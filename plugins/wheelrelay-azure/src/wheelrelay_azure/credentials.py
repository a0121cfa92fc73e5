"""Where the credentials for Azure Blob Storage come from."""

import logging
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from wheelrelay.config import SecretValue
from wheelrelay.errors import AuthenticationFailed, ConfigError, MissingSecret, Unavailable, WheelrelayError
from wheelrelay.http import NoSigner, Signer, TokenSigner, is_secure, sanitized
from wheelrelay_azure.shared_key import SasSigner, SharedKeySigner

SCOPE = "https://storage.azure.com/.default"

_EXPIRY_MARGIN = 300
"""Seconds before its expiry when a token is replaced."""

_ANNOUNCING_VARIABLES = (
    *("AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_TENANT_ID", "AZURE_FEDERATED_TOKEN_FILE"),
    *("AZURE_CLIENT_CERTIFICATE_PATH", "IDENTITY_ENDPOINT", "MSI_ENDPOINT", "AZURE_TOKEN_CREDENTIALS"),
)
"""Variables that announce credentials. Empty ones count as unset: CI sets them empty for forks."""

_HINT_WITHOUT_CREDENTIALS = (
    "Run `az login`, or configure account_key, sas_token or connection_string. For a public container, "
    "configure anonymous = true."
)


def log_in(
    account: str | None,
    endpoint_url: str | None,
    secrets: Mapping[str, SecretValue],
    place: str,
    *,
    anonymous: bool,
    timeout: float,
) -> tuple[str, Signer]:
    """Return the address of the account's blobs, without a slash at the end, and what signs requests to it.

    Args:
        account: The account; ``None`` if it is in a connection string.
        endpoint_url: The configured address of the account.
        secrets: ``key``, ``sas`` or ``connection_string``, as far as they are configured.
        place: The container, for messages.
        anonymous: Whether to send no credentials.
        timeout: Seconds to wait for a service that issues tokens.

    Raises:
        MissingSecret: A secret does not exist.
        ConfigError: The connection string is unusable.
    """
    if secret := secrets.get("connection_string"):
        return _by_connection_string(secret, endpoint_url, place)
    assert account
    endpoint = (endpoint_url or f"https://{account}.blob.core.windows.net").rstrip("/")
    if secret := secrets.get("key"):
        return endpoint, SharedKeySigner(account, secret.get, secret.renew)
    if secret := secrets.get("sas"):
        return endpoint, SasSigner(secret.get, secret.renew)
    if anonymous:
        return endpoint, NoSigner()
    tokens = _Tokens(place, timeout)
    return endpoint, TokenSigner(tokens.fetch, tokens.forget)


def _by_connection_string(secret: SecretValue, endpoint_url: str | None, place: str) -> tuple[str, Signer]:
    parts = _parse(secret.get(), place)
    account = parts.get("accountname", "")
    endpoint = endpoint_url or parts.get("blobendpoint") or _default_endpoint(account, parts)
    if not is_secure(endpoint):
        raise ConfigError(
            f"{place}: credentials would be sent over plain HTTP.",
            hint="Use a connection string with an https address.",
        )

    def part(name: str) -> Callable[[], str]:
        return lambda: _parse(secret.get(), place)[name]

    if "sharedaccesssignature" in parts:
        return endpoint.rstrip("/"), SasSigner(part("sharedaccesssignature"), secret.renew)
    if account and "accountkey" in parts:
        return endpoint.rstrip("/"), SharedKeySigner(account, part("accountkey"), secret.renew)
    raise _malformed(place)


def _default_endpoint(account: str, parts: Mapping[str, str]) -> str:
    scheme = parts.get("defaultendpointsprotocol", "https")
    return f"{scheme}://{account}.blob.{parts.get('endpointsuffix', 'core.windows.net')}"


def _parse(text: str, place: str) -> dict[str, str]:
    """Return the parts of a connection string, with keys in lower case; it is not quoted in errors."""
    pairs = [part.partition("=") for part in text.split(";") if part.strip()]
    if not all(separator for _, separator, _ in pairs):
        raise _malformed(place)
    return {key.strip().lower(): value.strip() for key, _, value in pairs}


def _malformed(place: str) -> ConfigError:
    return ConfigError(
        f"{place}: the connection string is malformed.",
        hint="Write AccountName=NAME;AccountKey=KEY, or BlobEndpoint=URL;SharedAccessSignature=TOKEN.",
    )


class _Tokens:
    """Access tokens for the credentials that Azure's own libraries find on this machine.

    `TokenSigner` calls it from one thread at a time.
    """

    def __init__(self, place: str, timeout: float) -> None:
        self._place = place
        self._timeout = timeout
        self._credential: Any = None
        self._token: Any = None

    def fetch(self) -> str:
        """Return a token that is valid now.

        Raises:
            MissingSecret: There are no credentials, and nothing indicates that there should be.
            AuthenticationFailed: Azure does not accept the credentials.
            Unavailable: The service that issues tokens failed.
        """
        if self._token is None or self._token.expires_on - _EXPIRY_MARGIN < time.time():
            self._token = self._request()
        token: str = self._token.token
        return token

    def forget(self) -> None:
        """Look for credentials again at the next use."""
        self._credential = self._token = None

    def _request(self) -> Any:
        from azure.core.exceptions import AzureError, ClientAuthenticationError
        from azure.identity import DefaultAzureCredential  # heavy

        for name in ("azure", "msal"):  # without a handler, Python prints their warnings
            logging.getLogger(name).addHandler(logging.NullHandler())
        try:
            if self._credential is None:
                self._credential = DefaultAzureCredential(
                    connection_timeout=self._timeout, read_timeout=self._timeout, retry_total=0
                )
            return self._credential.get_token(SCOPE)
        except ClientAuthenticationError as error:
            raise _refused(error, self._place) from error
        except AzureError as error:
            raise Unavailable(f"{self._place}: no access token was issued: {_described(error)}") from error


def _is_announced() -> bool:
    """Whether a variable or the files of ``az login`` announce credentials."""
    folder = os.environ.get("AZURE_CONFIG_DIR") or os.path.expanduser("~/.azure")
    variables = any(os.environ.get(name) for name in _ANNOUNCING_VARIABLES)
    return variables or Path(folder, "azureProfile.json").exists()


def _refused(error: Exception, place: str) -> WheelrelayError:
    """Return the error for a machine without usable credentials: only absent ones may be skipped.

    Azure's library has one error for both.
    """
    if not _is_announced():
        return MissingSecret(f"There are no credentials for {place}.", hint=_HINT_WITHOUT_CREDENTIALS)
    return AuthenticationFailed(f"{place}: no access token was issued: {_described(error)}")


def _described(error: Exception) -> str:
    return f"{sanitized(str(error)) or type(error).__name__}."
