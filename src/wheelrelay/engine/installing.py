"""What the checks with installers share: the folder with the release, and the indexes."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from packaging.utils import NormalizedName
from packaging.version import Version

from wheelrelay.disk.folders import link_file, temporary_folder
from wheelrelay.engine.context import ConnectedSink, error_context
from wheelrelay.engine.gate import CheckedFile
from wheelrelay.engine.listing import Inventory
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.model import DistFile, Kind
from wheelrelay.protocols import InstallerIndex, SupportsInstallers
from wheelrelay.tools import PackageIndexes


@dataclass(frozen=True, slots=True)
class InstalledRelease:
    """One version of a project that installers are tried with.

    Attributes:
        project: The normalized name.
        version: The version.
        files: The staged files, with the Requires-Python of their metadata, and those that the sink has.
    """

    project: NormalizedName
    version: Version
    files: tuple[DistFile, ...]

    @property
    def pin(self) -> str:
        """The requirement for exactly this version."""
        return f"{self.project}=={self.version}"

    def has(self, kind: Kind) -> bool:
        """Return whether the release has a file of a kind."""
        return any(file.kind is kind for file in self.files)


def installed_releases(files: Sequence[CheckedFile], inventory: Inventory | None) -> list[InstalledRelease]:
    """Return the releases that some staged files belong to, with the files of them that the sink has."""
    releases: dict[tuple[NormalizedName, Version], dict[str, DistFile]] = {}
    for checked in files:
        file = replace(checked.staged.file, requires_python=checked.inspection.requires_python)
        releases.setdefault((file.project, file.version), {})[file.filename] = file
    for (project, version), named in releases.items():
        for held in (inventory or Inventory()).of_project(project):
            if held.version == version:
                named.setdefault(held.filename, held)
    return [
        InstalledRelease(project, version, tuple(named.values()))
        for (project, version), named in sorted(releases.items())
    ]


def package_indexes(sink: ConnectedSink, others: Sequence[InstallerIndex], folder: Path) -> PackageIndexes:
    """Return where installers find a release and its dependencies: at the sink first.

    Args:
        sink: The sink.
        others: Further indexes, in order.
        folder: The folder with the staged files.

    Raises:
        BackendError: The credentials of the sink cannot be resolved.
    """
    own = None
    if isinstance(sink.sink, SupportsInstallers):
        with error_context(f"sink {sink.name!r}"):
            own = sink.sink.installer_index()
    return PackageIndexes(folder, [*([own] if own else []), *others])


@contextmanager
def release_folder(files: Sequence[CheckedFile]) -> Iterator[Path]:
    """Create a temporary folder with links to the staged files, under their names."""
    with temporary_folder("install") as folder:
        for checked in files:
            link_file(checked.staged.path, folder / checked.staged.filename)
        yield folder
