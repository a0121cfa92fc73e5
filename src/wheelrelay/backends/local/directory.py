"""How a directory on this machine is configured as a remote."""

from contextlib import AbstractContextManager
from typing import Literal

from pydantic import Field

from wheelrelay.backends.local.store import DirectoryStore, opened_directory
from wheelrelay.config.base import ContainerConfig
from wheelrelay.config.values import LocalPath


class DirectoryConfig(ContainerConfig):
    """Distribution files in a directory on this machine."""

    type: Literal["directory"] = "directory"
    path: LocalPath = Field(description="The directory; it is made when the first file is put there.")
    pages: bool = Field(
        default=False, description="Keep Simple API pages beside the files, so that installers can use them."
    )

    def address(self) -> str:
        """The web address of the files if they have one, else the path."""
        return self.public_url or str(self.path)

    def open(self) -> AbstractContextManager[DirectoryStore]:
        """The directory as a store; nothing is read or made yet."""
        return opened_directory(self.path, pages=self.pages, public_url=self.public_url, cdn_lag=self.cdn_lag)
