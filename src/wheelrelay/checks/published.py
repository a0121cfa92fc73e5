"""The files of a project at a sink, found by name, digest and version without a search."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TypeVar, overload

from packaging.version import Version

from wheelrelay.model import DistFile

_Key = TypeVar("_Key")


class PublishedFiles(Sequence[DistFile]):
    """The files of one project that a sink has.

    A mirror checks each file on its own against all files of its project, so that searching them would take
    time in proportion to the square of their number.

    Args:
        files: The files, of all versions.
    """

    def __init__(self, files: Iterable[DistFile] = ()) -> None:
        self._files = tuple(files)

    @overload
    def __getitem__(self, index: int) -> DistFile: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[DistFile, ...]: ...

    def __getitem__(self, index: int | slice) -> DistFile | tuple[DistFile, ...]:
        return self._files[index]

    def __len__(self) -> int:
        return len(self._files)

    def __iter__(self) -> Iterator[DistFile]:
        return iter(self._files)

    @cached_property
    def size(self) -> int:
        """The size of all files in bytes, as far as it is known."""
        return sum(file.size or 0 for file in self._files)

    def of_version(self, version: Version) -> Sequence[DistFile]:
        """Return the files of one version."""
        return self._by_version.get(version, ())

    def has(self, filename: str, sha256: str) -> bool:
        """Return whether the sink has a file of this name, with this digest if it declares any."""
        return any(file.sha256 in (None, sha256) for file in self._by_filename.get(filename, ()))

    def names_with(self, sha256: str) -> Sequence[str]:
        """Return the names of the files with a digest."""
        return [file.filename for file in self._by_sha256.get(sha256, ())]

    @cached_property
    def _by_version(self) -> Mapping[Version, list[DistFile]]:
        return _grouped((file.version, file) for file in self._files)

    @cached_property
    def _by_filename(self) -> Mapping[str, list[DistFile]]:
        return _grouped((file.filename, file) for file in self._files)

    @cached_property
    def _by_sha256(self) -> Mapping[str, list[DistFile]]:
        return _grouped((file.sha256, file) for file in self._files if file.sha256)


def _grouped(pairs: Iterable[tuple[_Key, DistFile]]) -> dict[_Key, list[DistFile]]:
    groups: dict[_Key, list[DistFile]] = {}
    for key, file in pairs:
        groups.setdefault(key, []).append(file)
    return groups
