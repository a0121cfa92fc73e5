"""Configuration of a directory on this machine as a remote."""

from contextlib import AbstractContextManager
from typing import Literal

from pydantic import Field

from wheelrelay.backends.local.store import DirectoryStore, open_directory
from wheelrelay.config.base import ContainerConfig
from wheelrelay.config.values import LocalPath


class DirectoryConfig(ContainerConfig):
    """Distribution files in a directory on this machine."""

    type: Literal["directory"] = "directory"
    path: LocalPath = Field(description="The directory. It is created with the first file.")
    pages: bool = Field(
        default=False, description="Write Simple API pages next to the files, for installers."
    )
    shared: bool = Field(
        default=False,
        description="Whether other machines have the same directory under this path, for example on NFS.",
    )

    @property
    def is_shared(self) -> bool:
        """Whether the configuration declares the directory as shared."""
        return self.shared

    def address(self) -> str:
        """Return the web URL of the files if they have one, else the path."""
        return self.public_url or str(self.path)

    def open(self) -> AbstractContextManager[DirectoryStore]:
        """Open the directory as a store; nothing is read or created yet."""
        return open_directory(self.path, pages=self.pages, public_url=self.public_url, cdn_lag=self.cdn_lag)
