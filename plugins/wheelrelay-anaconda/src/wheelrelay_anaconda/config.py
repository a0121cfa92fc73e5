"""The configuration of the type ``anaconda``."""

import os
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, TypeAdapter

from wheelrelay import Profile
from wheelrelay.config import NetworkConfig, SecretReference, SecretValue, StoreConfig, WebAddress
from wheelrelay.errors import ConfigError

if TYPE_CHECKING:
    from wheelrelay_anaconda.store import AnacondaStore

API = "https://api.anaconda.org"
SIMPLE = "https://pypi.anaconda.org"

TOKEN_VARIABLES = ("BINSTAR_API_TOKEN", "ANACONDA_API_TOKEN")
"""Environment variables with a token, in the order in which anaconda-client reads them."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError("a name has letters, digits, and the characters _ . -")
    return text


Name = Annotated[str, AfterValidator(_name)]


class AnacondaConfig(StoreConfig, NetworkConfig):
    """The packages of a user or organization on anaconda.org, or on an Enterprise server."""

    usual_profile: ClassVar[Profile] = Profile.INDEX

    type: Literal["anaconda"] = "anaconda"
    owner: Name = Field(description="The user or organization that owns the packages.")
    labels: tuple[Name, ...] = Field(
        default=("main",),
        min_length=1,
        description="Labels of uploaded files. Only files that have all of them are read.",
    )
    create: bool = Field(default=True, description="Create a package that does not exist.")
    public: bool = Field(default=True, description="Whether created packages are public.")
    delete_packages: bool = Field(
        default=False,
        description="Allow deleting or replacing the only file of a package. The server then deletes the "
        "package too, with its settings.",
    )
    token: SecretReference | None = Field(
        default=None,
        description="Reference to a token; by default BINSTAR_API_TOKEN or ANACONDA_API_TOKEN in the "
        "environment.",
    )
    api_url: WebAddress = Field(default=API, description="Address of the API; other for Enterprise servers.")
    url: WebAddress = Field(
        default=SIMPLE,
        description="Address that the indexes of installers begin with, shown in output; other for "
        "Enterprise servers.",
    )

    @classmethod
    def from_address(cls, address: str) -> Self:
        """``anaconda://owner`` or ``anaconda://owner/label``."""
        owner, _, label = address.partition("://")[2].partition("/")
        if not _NAME.fullmatch(owner) or (label and not _NAME.fullmatch(label)):
            raise ConfigError(
                f"{address!r} is not the address of packages on anaconda.org.",
                hint="Write anaconda://owner or anaconda://owner/label.",
            )
        return cls(owner=owner, labels=(label,)) if label else cls(owner=owner)

    def address(self) -> str:
        """Return the URL of the Simple API, which installers use."""
        label = "" if "main" in self.labels else f"label/{self.labels[0]}/"
        return f"{self.url.rstrip('/')}/{self.owner}/{label}simple/"

    @contextmanager
    def open(self) -> Iterator["AnacondaStore"]:
        """Connect; nothing is requested yet.

        Raises:
            ConfigError: the timeout cannot be used.
        """
        from wheelrelay.http import HttpClient
        from wheelrelay_anaconda.api import AnacondaApi
        from wheelrelay_anaconda.store import AnacondaStore, Policy

        policy = Policy(self.create, self.public, self.delete_packages)
        with closing(HttpClient(own_urls=(self.api_url,), timeout=self.timeout)) as http:
            api = AnacondaApi(http, self.api_url, self.owner, self._token())
            yield AnacondaStore(api, self.labels, policy)

    def _token(self) -> SecretValue | None:
        reference = self.token
        if reference is None:
            name = next((name for name in TOKEN_VARIABLES if os.environ.get(name)), None)
            if name is None:
                return None
            reference = TypeAdapter(SecretReference).validate_python({"env": name})
        return SecretValue(reference)
