"""Look after a container: its pages, files that have to go, and how much of the past it keeps."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from wheelrelay.config import ContainerConfig, Remote, RemoteLike, Retention, as_remote
from wheelrelay.containers.retention import outdated
from wheelrelay.errors import ConfigError, NothingMatched
from wheelrelay.filenames import parse_filename
from wheelrelay.model import DistFile
from wheelrelay.protocols import Source, SupportsDelete, SupportsPages
from wheelrelay.select import did_you_mean


def index(remote: RemoteLike, *, check: bool = False) -> list[str]:
    """Write the index pages of a container anew from what is there.

    Args:
        remote: the container.
        check: write nothing, only compare.

    Returns:
        With ``check``, the names of the pages that are not as they would be written; else nothing.

    Raises:
        ConfigError: the remote keeps no pages.
        BackendError: its files or pages cannot be read or written.
    """
    with as_remote(remote).open() as backend:
        if not isinstance(backend, SupportsPages):
            raise ConfigError(
                f"{as_remote(remote).name!r} is no container whose pages could be written.",
                hint="Pages are kept in directories and object storage.",
            )
        if check:
            return sorted(backend.check_pages())
        backend.rebuild_pages()
        return []


def remove(remote: RemoteLike, filenames: Sequence[str]) -> list[DistFile]:
    """Take files out of a container with their companions, from its pages first.

    Args:
        remote: the container; never an index.
        filenames: all of them must be there, else nothing is removed.

    Returns:
        What was removed.

    Raises:
        InvalidFilename: a name is not that of a wheel or an sdist.
        NothingMatched: a file is not there.
        ConfigError: nothing can be taken out of this remote.
        BackendError: it failed part-way; the pages list what is still there, which can be removed later.
    """
    for filename in filenames:
        parse_filename(filename)
    with _shrinkable(as_remote(remote)) as (store, source):
        there = {file.filename: file for file in source.iter_files(None)}
        absent = [name for name in filenames if name not in there]
        if absent:
            raise NothingMatched(
                f"{as_remote(remote).name} has no file {', '.join(absent)}; nothing was removed.",
                hint=did_you_mean(absent, there),
            )
        files = [there[name] for name in filenames]
        store.delete(files)
        return files


def prune(remote: RemoteLike, *, dry_run: bool = False, retention: Retention | None = None) -> list[DistFile]:
    """Take out of a container what its retention does not keep.

    Args:
        remote: the container.
        dry_run: remove nothing.
        retention: what to keep; the configured one if not given.

    Returns:
        What was removed, or would be.

    Raises:
        ConfigError: nothing can be taken out of this remote, or it has no retention.
        BackendError: it failed part-way; the same call again completes it.
    """
    place = as_remote(remote)
    kept = retention or _retention_of(place)
    with _shrinkable(place) as (store, source):
        files = outdated(
            list(source.iter_files(None)), keep=kept.keep, max_age=kept.max_age, now=datetime.now(UTC)
        )
        if files and not dry_run:
            store.delete(files)
        return files


def _retention_of(remote: Remote) -> Retention:
    configured = remote.config.retention if isinstance(remote.config, ContainerConfig) else None
    if configured is None:
        raise ConfigError(
            f"{remote.name!r} has no retention, so everything stays.",
            hint='Configure a remote with it, such as retention = { keep = 3, max_age = "14d" }.',
        )
    return configured


@contextmanager
def _shrinkable(remote: Remote) -> Iterator[tuple[SupportsDelete, Source]]:
    """A connected container, as both that what can be looked at and that what can be taken out of."""
    with remote.open() as backend:
        if not (isinstance(backend, SupportsDelete) and isinstance(backend, Source)):
            raise ConfigError(
                f"Nothing can be taken out of {remote.name!r}.",
                hint="Files can be removed from containers; an index keeps what it has.",
            )
        yield backend, backend
