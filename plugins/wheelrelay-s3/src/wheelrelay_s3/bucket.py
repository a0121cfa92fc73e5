"""The connection to one bucket: s3fs makes it, and single calls of S3's API go through it.

s3fs brings the session, the credentials, the client, and the event loop in a thread of its own on which
all of it runs; any number of threads may ask, and wait each for its own answer. The calls themselves go
to the client directly: s3fs's own way there tries again by itself, and leaves out parameters that it
does not know, which for a condition such as ``IfNoneMatch`` would be an overwritten file.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from io import BytesIO
from typing import Any
from urllib.parse import quote

from fsspec.asyn import sync
from s3fs import S3FileSystem

from wheelrelay.config import SecretValue
from wheelrelay.errors import ConfigError
from wheelrelay.http import CONNECT_TIMEOUT, READ_TIMEOUT, is_private
from wheelrelay_s3.config import S3Config
from wheelrelay_s3.errors import mapped, no_credentials

LONGEST = 900.0
"""Seconds that one call may take in all: a part of 8 MiB on a line of 10 KiB a second."""

CONNECTIONS = 32
"""Connections at one time, so that no thread waits for another's."""


class Bucket:
    """One bucket, below one prefix.

    Args:
        fs: the connected file system.
        name: the bucket.
        prefix: empty, or ending in a slash.
    """

    def __init__(self, fs: Any, name: str, prefix: str) -> None:
        self._loop = fs.loop
        self._client = fs.s3
        self._name = name
        self._prefix = prefix

    def call(self, operation: str, name: str, /, **parameters: Any) -> Mapping[str, Any]:
        """Call one operation of S3's API on an object, and give the answer.

        Args:
            operation: as the client's method is called, ``put_object``.
            name: the object, below the prefix.
            parameters: as the API names them; a ``Body`` is bytes.

        Raises:
            WheelrelayError: as `wheelrelay_s3.errors` maps it.
        """
        return self._ask(operation, name, Key=self.key(name), **parameters)

    def list_page(self, folder: str, **parameters: Any) -> Mapping[str, Any]:
        """One page of the listing of a folder (empty, or ending in a slash), subfolders left out."""
        return self._ask("list_objects_v2", folder, Prefix=self.key(folder), Delimiter="/", **parameters)

    def read(self, name: str, body: Any, size: int) -> bytes:
        """The next ``size`` bytes of an answer's body; fewer only at the end."""
        with mapped(self.address_of(name)):
            block: bytes = sync(self._loop, _fill, body, size)
        return block

    def close_body(self, body: Any) -> None:
        """Let go of an answer's body, read to the end or not."""
        self._loop.call_soon_threadsafe(body.close)

    def key(self, name: str) -> str:
        """The key of an object."""
        return self._prefix + name

    def name_of(self, key: str) -> str:
        """The name of an object, below the prefix."""
        return key.removeprefix(self._prefix)

    def address_of(self, name: str) -> str:
        """The web address of an object at the endpoint, the bucket in its path."""
        return f"{self._client.meta.endpoint_url}/{self._name}/{quote(self.key(name))}"

    def _ask(self, operation: str, name: str, **parameters: Any) -> Mapping[str, Any]:
        if "Body" in parameters:  # aiohttp sends a file piece by piece, and bytes in one go
            parameters["Body"] = BytesIO(parameters["Body"])
        method = getattr(self._client, operation)
        with mapped(self.address_of(name)):
            answer: Mapping[str, Any] = sync(
                self._loop, method, timeout=LONGEST, Bucket=self._name, **parameters
            )
        return answer


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
        yield Bucket(fs, config.bucket, f"{config.prefix}/" if config.prefix else "")
    finally:
        with suppress(OSError):
            sync(fs.loop, fs.s3.close)


def _file_system(config: S3Config) -> Any:
    """The file system, with everything off that works behind our back: caches, retries, other checksums."""
    keys = {"key": config.access_key_id, "secret": config.secret_access_key, "token": config.session_token}
    return S3FileSystem(
        anon=config.anonymous,
        endpoint_url=config.endpoint_url,
        **{name: SecretValue(reference).get() for name, reference in keys.items() if reference},
        **({"profile": config.profile} if config.profile else {}),
        client_kwargs={"region_name": config.region} if config.region else {},
        config_kwargs={
            "connect_timeout": CONNECT_TIMEOUT,
            "read_timeout": READ_TIMEOUT,
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


async def _fill(body: Any, size: int) -> bytes:
    """Read until there are ``size`` bytes; what comes from the network comes in small pieces."""
    block = bytearray()
    while len(block) < size and (piece := await body.read(size - len(block))):
        block += piece
    return bytes(block)
