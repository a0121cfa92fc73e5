"""Two releases of a project, and how they differ."""

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import NamedTuple

from packaging.version import Version

from wheelrelay.comparison.metadata import ReleaseMetadata
from wheelrelay.environments import CoverageComparison, compare_coverage, platforms_of
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.model import DistFile, Kind, Release


@dataclass(frozen=True, slots=True)
class ComparedRelease:
    """One of two releases that are compared.

    Attributes:
        release: Its files.
        metadata: The metadata of one of them; ``None`` if the release has neither a wheel nor an sdist.
    """

    release: Release
    metadata: ReleaseMetadata | None = None

    @property
    def version(self) -> Version:
        """The version."""
        return self.release.version

    @property
    def size(self) -> int | None:
        """The size of all files, in bytes; ``None`` if the remote does not declare all sizes."""
        sizes = [file.size for file in self.release.files]
        known = [size for size in sizes if size is not None]
        return sum(known) if len(known) == len(sizes) else None

    def count(self, kind: Kind) -> int:
        """Return the number of files of a kind."""
        return sum(file.kind is kind for file in self.release.files)


class Differences(NamedTuple):
    """What one release has and the other has not, sorted.

    Attributes:
        removed: What only the earlier release has.
        added: What only the later release has.
    """

    removed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()


class SizeChange(NamedTuple):
    """The file for the same environments in both releases, or the sdist.

    Attributes:
        before: The file of the earlier release.
        after: The file of the later release.
    """

    before: DistFile
    after: DistFile

    @property
    def factor(self) -> float:
        """The size of the later file, relative to the earlier one."""
        return (self.after.size or 0) / (self.before.size or 1)


@dataclass(frozen=True)
class ReleaseComparison:
    """How two releases of a project differ.

    Attributes:
        before: The earlier release.
        after: The later release.
    """

    before: ComparedRelease
    after: ComparedRelease

    @cached_property
    def coverage(self) -> CoverageComparison:
        """The environments with a wheel; yanked files count."""
        return compare_coverage(self.before.release.files, self.after.release.files)

    @property
    def dependencies(self) -> Differences:
        """The differences in ``Requires-Dist``."""
        before, after = (None if meta is None else meta.dependencies for meta in self._metadata)
        return _differences(before, after)

    @property
    def extras(self) -> Differences:
        """The differences in ``Provides-Extra``."""
        before, after = (None if meta is None else meta.extras for meta in self._metadata)
        return _differences(before, after)

    @property
    def entry_points(self) -> Differences:
        """The differences in entry points; empty if one of the releases has no wheel."""
        before, after = (None if meta is None else meta.entry_points for meta in self._metadata)
        return _differences(before, after)

    @cached_property
    def sizes(self) -> tuple[SizeChange, ...]:
        """The pairs of files whose sizes are known, the largest growth first."""
        pairs = _pairs(self.before.release.files, self.after.release.files)
        known = [pair for pair in pairs if pair.before.size and pair.after.size is not None]
        return tuple(sorted(known, key=lambda pair: (-pair.factor, pair.after.filename)))

    @property
    def _metadata(self) -> tuple[ReleaseMetadata | None, ReleaseMetadata | None]:
        return self.before.metadata, self.after.metadata


def _differences(before: frozenset[str] | None, after: frozenset[str] | None) -> Differences:
    if before is None or after is None:
        return Differences()
    return Differences(tuple(sorted(before - after)), tuple(sorted(after - before)))


def _pairs(before: Iterable[DistFile], after: Iterable[DistFile]) -> Iterator[SizeChange]:
    """Yield the files with the same tags, or else, if there is only one, for the same environments."""
    earlier, later = list(before), list(after)
    for key_of in (_tags, _environments):
        first, second = _unique(earlier, key_of), _unique(later, key_of)
        for key in first.keys() & second.keys():
            yield SizeChange(first[key], second[key])
            earlier.remove(first[key])
            later.remove(second[key])


def _unique(files: Iterable[DistFile], key_of: Callable[[DistFile], object]) -> dict[object, DistFile]:
    groups: dict[object, list[DistFile]] = {}
    for file in files:
        groups.setdefault(key_of(file), []).append(file)
    return {key: group[0] for key, group in groups.items() if len(group) == 1}


def _tags(file: DistFile) -> object:
    return file.kind, file.tags, file.variant


def _environments(file: DistFile) -> object:
    """Return the tags of a file without the versions of platforms."""
    pythons = frozenset((tag.interpreter, tag.abi) for tag in file.tags)
    platforms = frozenset(platform.name for platform in platforms_of(tag.platform for tag in file.tags))
    return file.kind, pythons, platforms, file.variant
