"""Connect to a bucket by s3fs, which knows sessions, profiles, credentials, endpoints and event loops."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from types import SimpleNamespace
from typing import Any

from aiobotocore.httpsession import AIOHTTPSession
from fsspec.asyn import sync
from s3fs import S3FileSystem

from wheelrelay.config import SecretValue
from wheelrelay.errors import ConfigError
from wheelrelay.http import is_secure, time_limits
from wheelrelay.redaction import register_secret
from wheelrelay_s3.account import Account, Session
from wheelrelay_s3.bucket import Bucket
from wheelrelay_s3.config import S3Config
from wheelrelay_s3.credentials import require_absence
from wheelrelay_s3.errors import mapped, no_credentials, providing

CONNECTIONS = 32
"""Connections at one time, so that no thread waits for another's."""

WITH_TOKEN = 3
"""How many texts credentials have with a session token: key, secret and token."""


class _StraightSession(AIOHTTPSession):  # type: ignore[misc]  # it has no types
    """Follows no redirect: the session token would go along, to whatever host the server names."""

    async def _get_session(self, proxy_url: str | None) -> Any:
        session = await super()._get_session(proxy_url)
        return SimpleNamespace(request=partial(session.request, allow_redirects=False))


@contextmanager
def connected(config: S3Config) -> Iterator[Bucket]:
    """Connect to a bucket; all connections are closed at the end of the context.

    Raises:
        MissingSecret: there are no credentials.
        AuthenticationFailed: there should be credentials, but what provides them fails.
        ConfigError: the profile, the region or the endpoint cannot be used, or a session token would
            travel in plain text.
    """
    keys = {"key": config.access_key_id, "secret": config.secret_access_key, "token": config.session_token}
    secrets = {name: SecretValue(reference) for name, reference in keys.items() if reference}
    account = Account(partial(_log_in, config, secrets), secrets.values())
    try:
        prefix = f"{config.prefix}/" if config.prefix else ""
        yield Bucket(account, config.bucket, prefix, 6 * time_limits(config.timeout).timeout)
    finally:
        account.close()


def _log_in(config: S3Config, secrets: dict[str, SecretValue]) -> Session:
    """Make a client with the credentials as they are now; what is wrong with them is found out here."""
    address = f"s3://{config.bucket}"
    keys = {name: secret.get() for name, secret in secrets.items()}
    fs = _file_system(config, keys)
    with mapped(address):
        fs.connect()
    try:
        credentials = tuple(keys.values())
        if not keys and not config.anonymous:
            credentials = _found(config, fs, address)
        _refuse_plain_text(credentials, fs.s3.meta.endpoint_url, address)
    except BaseException:
        Session(fs, ()).close()
        raise
    return Session(fs, credentials)


def _refuse_plain_text(credentials: tuple[str, ...], endpoint: str, address: str) -> None:
    """Raise if a session token would travel where others can read along."""
    if len(credentials) == WITH_TOKEN and not is_secure(endpoint):
        raise ConfigError(
            f"The session token for {address} would travel to {endpoint} in plain text.",
            hint="Use an https endpoint_url.",
        )


def _found(config: S3Config, fs: Any, address: str) -> tuple[str, ...]:
    """The credentials from where AWS's own tools find them.

    Raises:
        MissingSecret: nothing says that there should be any.
    """
    with providing(address):
        found = sync(fs.loop, fs.session.get_credentials)
        if found is None:
            require_absence(config, fs.session, address)
            raise no_credentials(address)
        frozen = sync(fs.loop, found.get_frozen_credentials)
    register_secret(frozen.secret_key, frozen.token)
    return tuple(filter(None, (frozen.access_key, frozen.secret_key, frozen.token)))


def _file_system(config: S3Config, keys: dict[str, str]) -> Any:
    """The file system, with everything off that works behind our back: caches, retries, other checksums."""
    limits = time_limits(config.timeout)
    return S3FileSystem(
        anon=config.anonymous,
        endpoint_url=config.endpoint_url,
        **keys,
        **({"profile": config.profile} if config.profile else {}),
        client_kwargs={"region_name": config.region} if config.region else {},
        config_kwargs={
            "http_session_cls": _StraightSession,
            "connect_timeout": limits.connect,
            "read_timeout": limits.after_upload,
            "max_pool_connections": CONNECTIONS,
            "retries": {"total_max_attempts": 1, "mode": "standard"},
            "request_checksum_calculation": "when_required",
            "response_checksum_validation": "when_required",
        },
        skip_instance_cache=True,
    )
