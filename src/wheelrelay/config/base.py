"""The bases that every backend's configuration class builds upon."""

from contextlib import AbstractContextManager
from datetime import timedelta
from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from wheelrelay.checks.config import ChecksConfig
from wheelrelay.checks.contract import Profile
from wheelrelay.checks.policy import CheckPolicy
from wheelrelay.config.values import Duration, Timeout, WebAddress
from wheelrelay.errors import ConfigError
from wheelrelay.model import CONFIRM_TIMEOUT, Confirm
from wheelrelay.protocols import Backend


class RemoteConfig(BaseModel):
    """How to reach one remote: frozen, and strict about its keys.

    A backend's class narrows ``type`` to one literal, which is the name of its entry point, with that
    literal as the default, adds its keys, and gives the connected backend in `open`.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        defer_build=True,  # most types are not used in a run
    )

    type: str

    _remote_name: str = ""

    def named(self, name: str) -> Self:
        """The same configuration, told what its remote is called, as `Remote.open` does.

        A backend whose credentials may stand under the remote's name reads it from `remote_name`.
        """
        named = self.model_copy()
        named._remote_name = name  # noqa: SLF001  (of its own kind)
        return named

    @property
    def remote_name(self) -> str:
        """What the remote is called, or its address; empty if it was opened without a name."""
        return self._remote_name

    def open(self) -> AbstractContextManager[Backend]:
        """Connect. The context manager's exit closes all connections.

        What cannot be written to opens as an object without ``put``: roles are what the object has.

        Raises:
            ConfigError: what the configuration says cannot work.
        """
        raise NotImplementedError

    def address(self) -> str:
        """Where it is, as people write it, and without anything secret; the remote's name by default."""
        return self.remote_name or self.type

    @classmethod
    def from_address(cls, address: str) -> Self:
        """The configuration that an address on the command line stands for, as ``s3://bucket/prefix``.

        Args:
            address: the whole address; its scheme is this class's ``type``.

        Raises:
            ConfigError: this type has no address form, or the address is not of that form.
        """
        raise ConfigError(
            f"{address.partition('://')[0]}://: a remote of this type has no address form.",
            hint="Configure it under [remotes] and name it.",
        )


class NetworkConfig(RemoteConfig):
    """A remote that is reached over a network; `wheelrelay.http.time_limits` makes limits of its timeout."""

    timeout: Timeout | None = Field(
        default=None,
        description="Seconds until a server that does not answer, or answers too slowly, is given up.",
    )


class SinkConfig(RemoteConfig):
    """A remote that files can be published to."""

    confirm: Confirm = Field(
        default=Confirm.INDEX,
        description="How to prove what was published: 'index' reads the digests back, 'download' fetches and "
        "hashes every file, 'none' takes the sink's word.",
    )

    confirm_timeout: Duration = Field(
        default=timedelta(seconds=CONFIRM_TIMEOUT),
        description="How long to wait until the sink shows what was published.",
    )

    checks: ChecksConfig = Field(
        default=ChecksConfig.model_construct(),
        description="Which checks a release must pass before it is published there.",
    )

    sign: bool = Field(
        default=False,
        description="Publish a signature with each file: the source's, or else one made with gpg.",
    )

    attest: bool = Field(
        default=False,
        description="Publish an attestation with each file, made with the identity of the CI job; an index "
        "takes it with trusted publishing only.",
    )

    usual_profile: ClassVar[Profile] = Profile.STORAGE
    """The profile of a sink whose configuration names none."""

    def check_policy(self, *, mirror: bool = False) -> CheckPolicy:
        """The checks of this sink with its defaults filled in.

        Args:
            mirror: whether it gets copies of what another index has published. Rules for publishing do not
                apply to these, except at PyPI, which applies them to every upload.
        """
        copied = mirror and self.usual_profile is not Profile.PYPI
        return self.checks.policy(Profile.STORAGE if copied else self.usual_profile)


class Retention(BaseModel):
    """What `wheelrelay prune` leaves of each project."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    keep: int = Field(
        default=1,
        ge=1,
        description="The newest versions, and builds of one version, that always stay; local versions of one "
        "version count as one.",
    )
    max_age: Duration | None = Field(
        default=None, description="How old a version must be to go; without it, all but the newest go."
    )

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("say what to keep: keep, max_age or both")
        return self


class ContainerConfig(SinkConfig):
    """A remote that is a container: files lie at ``<prefix>/<filename>``."""

    pages: bool = Field(
        default=True, description="Keep Simple API pages beside the files, so that installers can use them."
    )
    public_url: WebAddress | None = Field(
        default=None,
        description="Web address of the files, as of a CDN: they are fetched from there, and from the "
        "container itself where that fails.",
    )
    cdn_lag: Duration = Field(
        default=timedelta(minutes=15),
        description="How long that address may show what was there before: a younger file is fetched from "
        "the container itself.",
    )
    retention: Retention | None = Field(default=None, description="What `wheelrelay prune` leaves.")

    def address(self) -> str:
        """The web address of the files, if they have one."""
        return self.public_url or super().address()
