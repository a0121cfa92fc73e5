"""The configuration of remotes of the type ``s3``."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, model_validator

from wheelrelay.config import (
    BucketName,
    ContainerConfig,
    FolderPrefix,
    NetworkConfig,
    SecretReference,
    SecretValue,
    TextOrReference,
    WebAddress,
)
from wheelrelay.errors import ConfigError

if TYPE_CHECKING:
    from wheelrelay.containers import ContainerSource
    from wheelrelay_s3.bucket import Bucket
    from wheelrelay_s3.connection import SessionPool


class S3Config(ContainerConfig, NetworkConfig):
    """A bucket of Amazon S3 or of a server with a compatible API."""

    type: Literal["s3"] = "s3"
    bucket: BucketName = Field(description="Name of the bucket.")
    prefix: FolderPrefix = Field(default="", description="Folder in the bucket; the top level by default.")
    region: str | None = Field(
        default=None, description="Region, such as us-east-1; from the AWS configuration by default."
    )
    endpoint_url: WebAddress | None = Field(
        default=None, description="Address of the server's S3 API; Amazon's by default."
    )
    profile: str | None = Field(
        default=None, description="Profile of the AWS configuration to read credentials from."
    )
    access_key_id: TextOrReference | None = Field(
        default=None,
        description="Access key, or a reference to it; by default credentials are looked up like AWS's own "
        "tools do.",
    )
    secret_access_key: SecretReference | None = Field(
        default=None, description="Reference to the secret key for access_key_id."
    )
    session_token: SecretReference | None = Field(
        default=None, description="Reference to the session token of temporary keys."
    )
    addressing_style: Literal["auto", "path", "virtual"] = Field(
        default="auto",
        description="Whether URLs have the bucket in the path ('path') or in the host ('virtual').",
    )
    requester_pays: bool = Field(
        default=False,
        description="Pay for requests to a bucket whose owner requires that; needs credentials.",
    )
    anonymous: bool = Field(
        default=False, description="Read a public bucket without credentials; it is read-only."
    )

    @model_validator(mode="after")
    def _require_one_login(self) -> Self:
        """Require complete keys, a profile, ``anonymous``, or none of them."""
        if bool(self.access_key_id) != bool(self.secret_access_key):
            raise ValueError("access_key_id and secret_access_key must be set together")
        if self.session_token and not self.access_key_id:
            raise ValueError("session_token requires access_key_id")
        if sum(map(bool, (self.access_key_id, self.profile, self.anonymous))) > 1:
            raise ValueError("set only one of access_key_id, profile and anonymous")
        if self.requester_pays and self.anonymous:
            raise ValueError("requester_pays needs credentials, so it excludes anonymous")
        return self

    @classmethod
    def from_address(cls, address: str) -> Self:
        """Parse ``s3://bucket/prefix``; credentials come from where AWS's own tools find them."""
        bucket, _, prefix = address.partition("://")[2].partition("/")
        if not bucket:
            raise ConfigError(f"{address!r} contains no bucket.", hint="Write s3://bucket/prefix.")
        return cls(bucket=bucket, prefix=prefix)

    def address(self) -> str:
        """Return the public address of the files, or ``s3://bucket/prefix`` without one."""
        return self.public_url or f"s3://{self.bucket}/{self.prefix}".rstrip("/")

    @contextmanager
    def open(self) -> Iterator["ContainerSource"]:
        """Connect to the bucket as a store; as a read-only source if ``anonymous`` is set.

        Raises:
            MissingSecret: There are no credentials.
            ConfigError: The profile, the region or the endpoint is unusable.
        """
        from wheelrelay.containers import ContainerSource, ContainerStore
        from wheelrelay_s3.objects import S3Objects, S3Reader

        options = self.container_options()
        with self.connect() as bucket:
            store = (
                ContainerSource(S3Reader(bucket), **options)
                if self.anonymous
                else ContainerStore(S3Objects(bucket), **options)
            )
            with closing(store):
                yield store

    @contextmanager
    def connect(self) -> Iterator["Bucket"]:
        """Connect to the bucket for single calls of the S3 API.

        Raises:
            WheelrelayError: See `wheelrelay_s3.connection.connect`.
        """
        from wheelrelay_s3.bucket import Bucket

        with self._sessions() as sessions:
            prefix = f"{self.prefix}/" if self.prefix else ""
            yield Bucket(sessions, self.bucket, prefix, self.requester_pays)

    def _sessions(self) -> AbstractContextManager["SessionPool"]:
        from wheelrelay_s3.connection import ConnectionOptions, connect  # botocore takes long to import

        keys = {"key": self.access_key_id, "secret": self.secret_access_key, "token": self.session_token}
        return connect(
            ConnectionOptions(
                address=f"s3://{self.bucket}",
                keys={name: SecretValue(reference) for name, reference in keys.items() if reference},
                endpoint_url=self.endpoint_url,
                region=self.region,
                profile=self.profile,
                anonymous=self.anonymous,
                timeout=self.timeout,
                addressing_style=self.addressing_style,
            )
        )
