"""uv, and the indexes that installers read."""

import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.protocols import InstallerIndex


def find_uv() -> str | None:
    """Return the path of uv, next to the Python interpreter or on ``PATH``; ``None`` if it is absent."""
    beside = shutil.which("uv", path=str(Path(sys.executable).parent))
    return beside or shutil.which("uv")


@dataclass(frozen=True, slots=True)
class PackageIndexes:
    """Where an installer finds files: a folder with the release, and then the first index with a project.

    Attributes:
        release: The folder with the files of the release.
        indexes: The indexes and folders with other projects, in order.
    """

    release: Path
    indexes: Sequence[InstallerIndex]

    @property
    def has_credentials(self) -> bool:
        """Whether an index requires a user name or a password."""
        return any(index.username or index.password for index in self.indexes)

    def uv_arguments(self) -> list[str]:
        """Return the options for uv; they have no credentials."""
        arguments = [word for folder in self._folders() for word in ("--find-links", str(folder))]
        named = [f"{name}={index.url}" for name, index in self._named()]
        if not named:
            return [*arguments, "--no-index"]
        others = [word for text in named[:-1] for word in ("--index", text)]
        return [*arguments, *others, "--default-index", named[-1]]

    def uv_variables(self) -> dict[str, str]:
        """Return the environment variables for uv, with the credentials."""
        variables = {}
        for name, index in self._named():
            if index.username or index.password:
                variables[f"UV_INDEX_{name.upper()}_USERNAME"] = index.username
                variables[f"UV_INDEX_{name.upper()}_PASSWORD"] = index.password
        return variables

    def pip_variables(self) -> dict[str, str]:
        """Return the environment variables for pip, which have the credentials in the addresses."""
        urls = [index.url_with_credentials() for _, index in self._named()]
        variables = {"PIP_FIND_LINKS": " ".join(folder.as_uri() for folder in self._folders())}
        if not urls:
            return {**variables, "PIP_NO_INDEX": "1"}
        return {**variables, "PIP_INDEX_URL": urls[0], "PIP_EXTRA_INDEX_URL": " ".join(urls[1:])}

    def _folders(self) -> list[Path]:
        """Return the folders that exist: a sink may be a directory that the release will create."""
        folders = [index.folder for index in self.indexes if index.folder]
        return [self.release, *(folder for folder in folders if folder.is_dir())]

    def _named(self) -> Iterator[tuple[str, InstallerIndex]]:
        indexes = [index for index in self.indexes if index.url]
        yield from ((f"index{number}", index) for number, index in enumerate(indexes, start=1))
