"""Connect to a bucket by s3fs, which knows sessions, profiles, credentials, endpoints and event loops."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from types import SimpleNamespace
from typing import Any

from aiobotocore.httpsession import AIOHTTPSession
from fsspec.asyn import sync
from s3fs import S3FileSystem

from wheelrelay.config import SecretValue
from wheelrelay.errors import ConfigError
from wheelrelay.http import is_private, time_limits
from wheelrelay_s3.bucket import Bucket
from wheelrelay_s3.config import S3Config
from wheelrelay_s3.errors import mapped, no_credentials

CONNECTIONS = 32
"""Connections at one time, so that no thread waits for another's."""


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
        ConfigError: the profile, the region or the endpoint cannot be used, or a session token would
            travel in plain text.
    """
    address = f"s3://{config.bucket}"
    fs = _file_system(config)
    with mapped(address):
        fs.connect()
    try:
        _look_at_credentials(config, fs, address)
        yield Bucket(fs.loop, fs.s3, config.bucket, f"{config.prefix}/" if config.prefix else "")
    finally:
        with suppress(OSError):
            sync(fs.loop, fs.s3.close)


def _file_system(config: S3Config) -> Any:
    """The file system, with everything off that works behind our back: caches, retries, other checksums."""
    limits = time_limits(None)
    keys = {"key": config.access_key_id, "secret": config.secret_access_key, "token": config.session_token}
    return S3FileSystem(
        anon=config.anonymous,
        endpoint_url=config.endpoint_url,
        **{name: SecretValue(reference).get() for name, reference in keys.items() if reference},
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


def _look_at_credentials(config: S3Config, fs: Any, address: str) -> None:
    """Find out now, not at the first file, that there are none or that they must not travel."""
    if config.anonymous:
        return
    endpoint: str = fs.s3.meta.endpoint_url
    if config.access_key_id:
        token: Any = config.session_token
    else:
        with mapped(address):
            found = sync(fs.loop, fs.session.get_credentials)
            if found is None:
                raise no_credentials(address)
            token = sync(fs.loop, found.get_frozen_credentials).token
    if token and not is_private(endpoint):
        raise ConfigError(
            f"The session token for {address} would travel to {endpoint} in plain text.",
            hint="Use an https endpoint_url.",
        )
