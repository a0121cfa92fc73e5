"""The configuration of remotes of the type ``gcs``."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Literal, Self
from urllib.parse import unquote

from pydantic import Field, model_validator

from wheelrelay.config import (
    BucketName,
    ContainerConfig,
    FolderPrefix,
    NetworkConfig,
    SecretReference,
    WebAddress,
)
from wheelrelay.errors import ConfigError
from wheelrelay.http import HttpClient, is_secure

if TYPE_CHECKING:
    from wheelrelay.containers import ContainerSource
    from wheelrelay.http import Signer
    from wheelrelay_gcs.bucket import Bucket

ENDPOINT = "https://storage.googleapis.com"

EMULATOR_VARIABLE = "STORAGE_EMULATOR_HOST"
"""The variable with which Google's own libraries are directed to an emulator."""


class GcsConfig(ContainerConfig, NetworkConfig):
    """A bucket of Google Cloud Storage."""

    type: Literal["gcs"] = "gcs"
    bucket: BucketName = Field(description="Name of the bucket.")
    prefix: FolderPrefix = Field(default="", description="Folder in the bucket; the top level by default.")
    project: str | None = Field(
        default=None, description="Project to bill for requests, for buckets where the requester pays."
    )
    service_account_key: SecretReference | None = Field(
        default=None,
        description="Reference to the JSON key of a service account; by default credentials are looked up "
        "like Google's own libraries do.",
    )
    token: SecretReference | None = Field(
        default=None, description="Reference to an OAuth 2.0 access token; it is read again when it expires."
    )
    anonymous: bool = Field(
        default=False, description="Read a public bucket without credentials; it is read-only."
    )
    endpoint_url: WebAddress | None = Field(
        default=None, description="Address of the API, such as that of an emulator; Google's by default."
    )

    @model_validator(mode="after")
    def _require_one_login(self) -> Self:
        if sum(map(bool, (self.service_account_key, self.token, self.anonymous))) > 1:
            raise ValueError("set only one of service_account_key, token and anonymous")
        if self.endpoint_url and not self.anonymous and not is_secure(self.endpoint_url):
            raise ValueError(
                "endpoint_url: credentials would be sent over plain HTTP; use an https address, or set "
                f"{EMULATOR_VARIABLE} for an emulator"
            )
        return self

    @classmethod
    def from_address(cls, address: str) -> Self:
        """Parse ``gs://bucket/prefix``; credentials come from where Google's own libraries find them."""
        bucket, _, prefix = address.partition("://")[2].partition("/")
        if not bucket:
            raise ConfigError(f"{address!r} contains no bucket.", hint="Write gs://bucket/prefix.")
        return cls(bucket=bucket, prefix=unquote(prefix))

    def address(self) -> str:
        """Return the public address of the files, or ``gs://bucket/prefix`` without one."""
        return self.public_url or f"gs://{self.bucket}/{self.prefix}".rstrip("/")

    @contextmanager
    def open(self) -> Iterator["ContainerSource"]:
        """Connect to the bucket as a store; as a read-only source if ``anonymous`` is set.

        Raises:
            MissingSecret: There are no credentials.
            ConfigError: The credentials are unusable.
        """
        from wheelrelay.containers import ContainerSource, ContainerStore
        from wheelrelay_gcs.objects import GcsObjects, GcsReader

        options = self.container_options()
        with self.connect() as bucket:
            store = (
                ContainerSource(GcsReader(bucket), **options)
                if self.anonymous
                else ContainerStore(GcsObjects(bucket), **options)
            )
            with closing(store):
                yield store

    @contextmanager
    def connect(self) -> Iterator["Bucket"]:
        """Connect to the bucket for single calls of the API.

        Raises:
            WheelrelayError: As `open`.
        """
        from wheelrelay.http import SignedClient
        from wheelrelay_gcs.bucket import Bucket
        from wheelrelay_gcs.errors import raise_for

        emulator = os.environ.get(EMULATOR_VARIABLE) if not self.endpoint_url else None
        endpoint = self.endpoint_url or _with_scheme(emulator or ENDPOINT)
        with closing(HttpClient(timeout=self.timeout)) as http:
            client = SignedClient(http, self._signer(http, to_emulator=bool(emulator)), raise_for)
            prefix = f"{self.prefix}/" if self.prefix else ""
            yield Bucket(client, endpoint.rstrip("/"), self.bucket, prefix, self.project)

    def _signer(self, http: HttpClient, *, to_emulator: bool) -> "Signer":
        from wheelrelay.http import NoSigner
        from wheelrelay_gcs.credentials import by_default, by_key, by_token

        place = f"gs://{self.bucket}"
        if self.token:
            return by_token(self.token)
        if self.service_account_key:
            return by_key(self.service_account_key, http, place)
        if self.anonymous or to_emulator:
            return NoSigner()
        return by_default(http, place)


def _with_scheme(host: str) -> str:
    return host if "://" in host else f"http://{host}"
