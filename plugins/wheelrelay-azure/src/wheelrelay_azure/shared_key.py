"""Sign requests to Azure Blob Storage with the key of an account, or with a shared access signature."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Mapping
from email.utils import formatdate
from urllib.parse import parse_qsl, urlsplit

from wheelrelay.config import register_secret
from wheelrelay.errors import ConfigError
from wheelrelay.http import Response

_SIGNED_HEADERS = (
    *("content-encoding", "content-language", "content-length", "content-md5", "content-type", "date"),
    *("if-modified-since", "if-match", "if-none-match", "if-unmodified-since", "range"),
)
"""The headers of the string to sign, in its order."""


class SharedKeySigner:
    """Signs requests as Azure's documentation describes it under "Authorize with Shared Key".

    Args:
        account: Name of the account.
        key: Returns the key in Base64.
        renew: Makes ``key`` read it again.
    """

    def __init__(self, account: str, key: Callable[[], str], renew: Callable[[], None]) -> None:
        self._account = account
        self._key = key
        self._renew = renew

    def sign(
        self, method: str, url: str, headers: Mapping[str, str], size: int
    ) -> tuple[str, Mapping[str, str]]:
        """Return URL and headers with the signature.

        Raises:
            ConfigError: The key is not Base64.
        """
        # The length is part of what is signed, so it is set here and not by the HTTP client.
        length = {"Content-Length": str(size)} if method == "PUT" else {}
        complete = {**headers, **length, "x-ms-date": formatdate(usegmt=True)}
        return url, {**complete, "Authorization": self._authorization(method, url, complete)}

    def renew(self, refused: Response) -> bool:
        """Read the key again, and return whether it differs from the one that was refused."""
        headers = dict(refused.request_headers)
        signature = headers.pop("Authorization", None)
        if self._authorization(refused.method, refused.url, headers) == signature:
            self._renew()
        return self._authorization(refused.method, refused.url, headers) != signature

    def _authorization(self, method: str, url: str, headers: Mapping[str, str]) -> str:
        text = string_to_sign(self._account, method, url, headers)
        try:
            key = base64.b64decode(self._key(), validate=True)
        except binascii.Error:
            raise ConfigError(f"The key of the storage account {self._account!r} is not Base64.") from None
        signature = base64.b64encode(hmac.digest(key, text.encode(), hashlib.sha256)).decode("ascii")
        return f"SharedKey {self._account}:{signature}"


class SasSigner:
    """Adds a shared access signature to the address of each request.

    Args:
        token: Returns the signature: a query, with or without a question mark.
        renew: Makes ``token`` read it again.
    """

    def __init__(self, token: Callable[[], str], renew: Callable[[], None]) -> None:
        self._token = token
        self._renew = renew

    def sign(
        self, method: str, url: str, headers: Mapping[str, str], size: int
    ) -> tuple[str, Mapping[str, str]]:
        """Return URL and headers with the signature."""
        del method, size
        return f"{url}{'&' if '?' in url else '?'}{self._query()}", headers

    def renew(self, refused: Response) -> bool:
        """Read the signature again, and return whether it differs from the one that was refused."""
        if refused.url.endswith(self._query()):
            self._renew()
        return not refused.url.endswith(self._query())

    def _query(self) -> str:
        query = self._token().removeprefix("?")
        register_secret(query, *(value for key, value in parse_qsl(query) if key == "sig"))
        return query


def string_to_sign(account: str, method: str, url: str, headers: Mapping[str, str]) -> str:
    r"""Return the text that a request's signature covers.

    Args:
        account: Name of the account.
        method: HTTP method.
        url: Address of the request.
        headers: Headers of the request.

    >>> headers = {"x-ms-date": "Sun, 29 Nov 2026 00:00:00 GMT", "Content-Length": "0"}
    >>> url = "https://me.blob.core.windows.net/box?restype=container"
    >>> string_to_sign("me", "PUT", url, headers).split("\n")[12:]
    ['x-ms-date:Sun, 29 Nov 2026 00:00:00 GMT', '/me/box', 'restype:container']
    """
    by_name = {name.lower(): " ".join(value.split()) for name, value in headers.items()}
    if by_name.get("content-length") == "0":
        del by_name["content-length"]
    signed = [by_name.get(name, "") for name in _SIGNED_HEADERS]
    vendor = [f"{name}:{by_name[name]}" for name in sorted(by_name) if name.startswith("x-ms-")]
    parts = urlsplit(url)
    query = sorted((key.lower(), value) for key, value in parse_qsl(parts.query, keep_blank_values=True))
    resource = [f"/{account}{parts.path}", *(f"{key}:{value}" for key, value in query)]
    return "\n".join([method, *signed, *vendor, *resource])
