"""The configuration of the type ``s3``."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from wheelrelay.config import ContainerConfig, NetworkConfig, SecretReference, TextOrReference, WebAddress
from wheelrelay.errors import ConfigError

if TYPE_CHECKING:
    from wheelrelay.containers.source import ContainerSource


def _bucket_name(name: str) -> str:
    if "/" in name or not name.strip():
        raise ValueError("a bucket's name has no slash and is not empty; a folder in it is the prefix")
    return name


def _prefix(prefix: str) -> str:
    prefix = prefix.strip("/")
    if prefix and {"", ".", ".."} & set(prefix.split("/")):
        raise ValueError("a prefix is made of plain names with a slash between them")
    return prefix


class S3Config(ContainerConfig, NetworkConfig):
    """A bucket of Amazon S3, or of another server that speaks its API."""

    type: Literal["s3"] = "s3"
    bucket: Annotated[str, AfterValidator(_bucket_name)] = Field(description="The bucket's name.")
    prefix: Annotated[str, AfterValidator(_prefix)] = Field(
        default="", description="The folder in the bucket; by default files lie at its top."
    )
    region: str | None = Field(
        default=None, description="Region, as us-east-1; by default what the AWS configuration says."
    )
    endpoint_url: WebAddress | None = Field(
        default=None, description="Address of the server's S3 API; Amazon's by default."
    )
    profile: str | None = Field(
        default=None, description="Profile of the AWS configuration to take credentials from."
    )
    access_key_id: TextOrReference | None = Field(
        default=None,
        description="Access key, or a reference to it; without one, credentials come from where AWS's own "
        "tools find them.",
    )
    secret_access_key: SecretReference | None = Field(
        default=None, description="Reference to the secret key that belongs to access_key_id."
    )
    session_token: SecretReference | None = Field(
        default=None, description="Reference to the session token of temporary keys."
    )
    anonymous: bool = Field(
        default=False, description="Read a public bucket without credentials; nothing can be written."
    )

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        """Keys, a profile, or nobody; and the keys complete."""
        if bool(self.access_key_id) != bool(self.secret_access_key):
            raise ValueError("access_key_id and secret_access_key go together")
        if self.session_token and not self.access_key_id:
            raise ValueError("session_token belongs to an access_key_id")
        if sum(map(bool, (self.access_key_id, self.profile, self.anonymous))) > 1:
            raise ValueError("give only one of access_key_id, profile and anonymous")
        return self

    @classmethod
    def from_address(cls, address: str) -> Self:
        """``s3://bucket/prefix``, with credentials from where AWS's own tools find them."""
        bucket, _, prefix = address.partition("://")[2].partition("/")
        if not bucket:
            raise ConfigError(f"{address!r} names no bucket.", hint="Write s3://bucket/prefix.")
        return cls(bucket=bucket, prefix=prefix)

    def address(self) -> str:
        """The web address of the files if they have one, else ``s3://bucket/prefix``."""
        return self.public_url or f"s3://{self.bucket}/{self.prefix}".rstrip("/")

    @contextmanager
    def open(self) -> Iterator["ContainerSource"]:
        """The bucket as a store; as a mere source if it is read anonymously.

        Raises:
            MissingSecret: there are no credentials.
            ConfigError: the profile, the region or the endpoint cannot be used.
        """
        from wheelrelay.containers.source import ContainerSource
        from wheelrelay.containers.store import ContainerStore
        from wheelrelay_s3.connection import connected  # s3fs takes long to import
        from wheelrelay_s3.objects import S3Objects, S3Reader

        options: dict[str, Any] = {
            "pages": self.pages,
            "public_url": self.public_url,
            "cdn_lag": self.cdn_lag,
        }
        with connected(self) as bucket:
            store = (
                ContainerSource(S3Reader(bucket), **options)
                if self.anonymous
                else ContainerStore(S3Objects(bucket), **options)
            )
            with closing(store):
                yield store
