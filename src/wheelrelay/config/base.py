"""Base classes of the configuration classes of backends."""

from contextlib import AbstractContextManager
from datetime import timedelta
from typing import ClassVar, Literal, Self, TypedDict

from pydantic import BaseModel, ConfigDict, Field, model_validator

from wheelrelay.checks.config import ChecksConfig
from wheelrelay.checks.contract import Profile
from wheelrelay.checks.policy import CheckPolicy
from wheelrelay.config.values import Duration, Timeout, WebAddress
from wheelrelay.errors import ConfigError
from wheelrelay.model import CONFIRM_TIMEOUT, Confirm
from wheelrelay.protocols import Backend


class RemoteConfig(BaseModel):
    """How to connect to one remote. Instances are frozen, and unknown keys are errors.

    A backend's class narrows ``type`` to one literal, the name of its entry point, which is also the
    default. It adds its own keys and returns the connected backend from `open`.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        defer_build=True,  # a run uses few of the installed types
    )

    type: str
    min_age: Duration | None = Field(
        default=None,
        description="As a source, provide only files uploaded at least this long ago, such as '7d'.",
    )
    unknown_age: Literal["skip", "take"] | None = Field(
        default=None,
        description="With min_age, whether to take files whose upload time is unknown. [default: skip]",
    )

    _remote_name: str = ""

    def named(self, name: str) -> Self:
        """Return a copy that knows the name of its remote.

        `Remote.open` calls this before `open`. A backend reads `remote_name` if credentials can be stored
        under the name of the remote.
        """
        named = self.model_copy()
        named._remote_name = name  # noqa: SLF001  (an instance of this class)
        return named

    @property
    def remote_name(self) -> str:
        """The name or address of the remote; empty if it was opened without one."""
        return self._remote_name

    def open(self) -> AbstractContextManager[Backend]:
        """Connect to the remote; leaving the context closes all connections.

        Return an object without ``put`` for a remote that is read-only: the methods of a backend show what
        can be done with it.

        Raises:
            ConfigError: A remote cannot be reached with this configuration.
        """
        raise NotImplementedError

    @property
    def is_shared(self) -> bool:
        """Whether this configuration means the same place on another machine.

        True for remotes on a network. False for a place on this machine, such as a directory: an engine that
        runs parts of a relay on several machines refuses it, unless its configuration declares that all of
        them reach it under this name.
        """
        return True

    def address(self) -> str:
        """Return the address to show to people, without secrets; by default the name of the remote."""
        return self.remote_name or self.type

    @classmethod
    def from_address(cls, address: str) -> Self:
        """Return the configuration for an address, such as ``s3://bucket/prefix``.

        Args:
            address: The whole address. Its scheme is the ``type`` of this class.

        Raises:
            ConfigError: Remotes of this type have no address form, or this address is malformed.
        """
        raise ConfigError(
            f"{address.partition('://')[0]}://: a remote of this type has no address form.",
            hint="Configure it under [remotes], and use its name.",
        )


class NetworkConfig(RemoteConfig):
    """A remote on a network. `wheelrelay.http.time_limits` derives all time limits from ``timeout``."""

    timeout: Timeout | None = Field(
        default=None,
        description="Seconds until a request to a server that is silent or too slow fails.",
    )


class SinkConfig(RemoteConfig):
    """A remote that files can be published to."""

    confirm: Confirm = Field(
        default=Confirm.INDEX,
        description="How uploads are confirmed: 'index' compares the digests that the sink lists, 'download' "
        "downloads and hashes every file, 'none' trusts the sink's response.",
    )

    confirm_timeout: Duration = Field(
        default=timedelta(seconds=CONFIRM_TIMEOUT),
        description="How long to wait until the sink shows what was published.",
    )

    checks: ChecksConfig = Field(
        default=ChecksConfig.model_construct(),
        description="Checks that files must pass before they are published to this sink.",
    )

    sign: bool = Field(
        default=False,
        description="Publish an OpenPGP signature with each file: the source's, or a new one made with gpg.",
    )

    attest: bool = Field(
        default=False,
        description="Publish an attestation (PEP 740) with each file, made with the identity of the CI job. "
        "Indexes accept it only with trusted publishing.",
    )

    usual_profile: ClassVar[Profile] = Profile.STORAGE
    """The profile of a sink whose configuration sets none."""

    def check_policy(self, *, mirror: bool = False) -> CheckPolicy:
        """Return the checks for files that are published to this sink.

        Args:
            mirror: Whether the files are copies of files that another index has published. The rules for
                publishing do not apply to copies, except at PyPI, which applies them to every upload.
        """
        is_copy = mirror and self.usual_profile is not Profile.PYPI
        return self.checks.policy(Profile.STORAGE if is_copy else self.usual_profile)


class Retention(BaseModel):
    """The versions of each project that `wheelrelay.prune` keeps."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    keep: int = Field(
        default=1,
        ge=1,
        description="How many of the newest versions, and of the builds of each version, to keep in any "
        "case. Local versions of one version count as one.",
    )
    max_age: Duration | None = Field(
        default=None,
        description="Remove only versions that are older than this. [default: remove all but the newest]",
    )

    @model_validator(mode="after")
    def _needs_a_rule(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("set keep, max_age or both")
        return self


class StoreConfig(SinkConfig):
    """A store: files can be published to it and, as far as it supports that, removed again."""

    retention: Retention | None = Field(
        default=None, description="What `wheelrelay prune` keeps. [default: pruning is an error]"
    )


class ContainerOptions(TypedDict):
    """The options of a container that do not depend on where its objects are stored."""

    pages: bool
    public_url: str | None
    cdn_lag: timedelta


class ContainerConfig(StoreConfig):
    """A container: a remote that stores files at ``<prefix>/<filename>``, with index pages."""

    pages: bool = Field(
        default=True,
        description="Write Simple API pages next to the files, so that installers can use the container.",
    )
    public_url: WebAddress | None = Field(
        default=None,
        description="Public URL of the files, for example of a CDN. Files are downloaded from it, and from "
        "the container itself if that fails.",
    )
    cdn_lag: Duration = Field(
        default=timedelta(minutes=15),
        description="How long the public URL may serve old content. Files that are younger than this are "
        "downloaded from the container itself.",
    )

    def container_options(self) -> ContainerOptions:
        """Return the options with which `wheelrelay.containers.ContainerStore` and its source are made."""
        return {"pages": self.pages, "public_url": self.public_url, "cdn_lag": self.cdn_lag}

    def address(self) -> str:
        """Return the public URL of the files, if there is one."""
        return self.public_url or super().address()
