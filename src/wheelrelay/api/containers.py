"""Maintain a container: rewrite its index pages, yank and remove files, apply its retention rules."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from packaging.utils import canonicalize_name

from wheelrelay.config import Remote, RemoteLike, Retention, StoreConfig, as_remote
from wheelrelay.containers.retention import outdated
from wheelrelay.errors import ConfigError, NothingMatched
from wheelrelay.filenames import parse_filename
from wheelrelay.model import DistFile
from wheelrelay.protocols import Source, SupportsDelete, SupportsFinalize, SupportsPages, SupportsYank
from wheelrelay.select import did_you_mean


def index(remote: RemoteLike, projects: Collection[str] | None = None) -> None:
    """Rewrite the index pages of a container from the files that it holds.

    Args:
        remote: The container.
        projects: Update only the pages of these projects and the pages that list all projects, for example
            after relays with ``PublishOptions(finalize=False)``. A container without pages stays without.
            [default: write all pages again]

    Raises:
        ConfigError: The remote has no index pages.
        BackendError: Its files cannot be read, or its pages cannot be written.
    """
    with _opened_pages(as_remote(remote)) as pages:
        if projects is not None and isinstance(pages, SupportsFinalize):
            pages.finalize(sorted({canonicalize_name(project) for project in projects}))
        else:
            pages.rebuild_pages()


def check_index(remote: RemoteLike) -> list[str]:
    """Compare the index pages of a container with the files that it holds; nothing is written.

    Returns:
        The names of missing or outdated pages, sorted; empty if all are up to date.

    Raises:
        ConfigError: The remote has no index pages.
        BackendError: Its files or pages cannot be read.
    """
    with _opened_pages(as_remote(remote)) as pages:
        return sorted(pages.check_pages())


def remove(remote: RemoteLike, filenames: Sequence[str]) -> list[DistFile]:
    """Remove files and their companions from a container, from its index pages first.

    Args:
        remote: The container. Files cannot be removed from an index.
        filenames: The files to remove. If one is missing, nothing is removed.

    Returns:
        The removed files.

    Raises:
        InvalidFilename: A name is not that of a wheel or an sdist.
        NothingMatched: The container does not hold one of the files.
        ConfigError: Files cannot be removed from this remote.
        BackendError: Removal failed partway. The pages list the remaining files, which can be removed later.
    """
    for filename in filenames:
        parse_filename(filename)
    container = as_remote(remote)
    with _opened_for_removal(container) as (store, source):
        files = _find(source, filenames, container.name, outcome="nothing was removed")
        store.delete(files)
        return files


def yank(
    remote: RemoteLike,
    filenames: Sequence[str],
    *,
    reason: str = "",
    undo: bool = False,
    dry_run: bool = False,
) -> list[DistFile]:
    """Yank files of a container (PEP 592): installers use them only for versions that are pinned.

    Mirror runs keep the state that is set here, whatever the upstream index lists for the files.

    Args:
        remote: The container. Indexes yank files with their own pages or tools.
        filenames: The files to yank. If one is missing, none is yanked.
        reason: Why; installers show it.
        undo: Restore yanked files instead.
        dry_run: Change nothing.

    Returns:
        The files that were changed; with ``dry_run``, those that would be.

    Raises:
        InvalidFilename: A name is not that of a wheel or an sdist.
        NothingMatched: The container does not hold one of the files.
        ConfigError: Files cannot be yanked at this remote, or it has no index pages.
        BackendError: It failed partway. Calling `yank` again completes it.
    """
    for filename in filenames:
        parse_filename(filename)
    container = as_remote(remote)
    with container.open() as backend:
        if not (isinstance(backend, SupportsYank) and isinstance(backend, Source)):
            raise ConfigError(
                f"Files cannot be yanked at {container.name!r}.",
                hint="Yank them on the web pages of the index, or with its own tools. This command changes "
                "containers: directories and object storage.",
            )
        outcome = "nothing was restored" if undo else "nothing was yanked"
        files = _find(backend, dict.fromkeys(filenames), container.name, outcome=outcome)
        return list(backend.yank(files, None if undo else reason, dry_run=dry_run))


def prune(remote: RemoteLike, *, dry_run: bool = False, retention: Retention | None = None) -> list[DistFile]:
    """Remove the files that a container's retention rules do not keep.

    Args:
        remote: The container.
        dry_run: Remove nothing.
        retention: The rules. [default: ``retention`` of the container's configuration]

    Returns:
        The files that were removed; with ``dry_run``, those that would be.

    Raises:
        ConfigError: Files cannot be removed from this remote, or there are no retention rules.
        BackendError: Removal failed partway. Calling `prune` again completes it.
    """
    container = as_remote(remote)
    rules = retention or _retention_of(container)
    with _opened_for_removal(container) as (store, source):
        files = outdated(
            list(source.iter_files(None)), keep=rules.keep, max_age=rules.max_age, now=datetime.now(UTC)
        )
        if files and not dry_run:
            store.delete(files)
        return files


def _find(source: Source, filenames: Iterable[str], name: str, *, outcome: str) -> list[DistFile]:
    """Return stored files by name.

    Raises:
        NothingMatched: One is missing; the message has the outcome.
    """
    stored = {file.filename: file for file in source.iter_files(None)}
    missing = [filename for filename in filenames if filename not in stored]
    if missing:
        raise NothingMatched(
            f"{name} has no file {', '.join(missing)}; {outcome}.", hint=did_you_mean(missing, stored)
        )
    return [stored[filename] for filename in filenames]


def _retention_of(remote: Remote) -> Retention:
    configured = remote.config.retention if isinstance(remote.config, StoreConfig) else None
    if configured is None:
        raise ConfigError(
            f"{remote.name!r} has no retention rules, so nothing is pruned.",
            hint='Add them to its configuration, such as retention = { keep = 3, max_age = "14d" }.',
        )
    return configured


@contextmanager
def _opened_pages(remote: Remote) -> Iterator[SupportsPages]:
    with remote.open() as backend:
        if not isinstance(backend, SupportsPages):
            raise ConfigError(
                f"{remote.name!r} is not a container, so it has no index pages to write.",
                hint="Directories and object storage can have index pages.",
            )
        yield backend


@contextmanager
def _opened_for_removal(remote: Remote) -> Iterator[tuple[SupportsDelete, Source]]:
    """Connect a container; the same backend is returned twice, by what it is used for."""
    with remote.open() as backend:
        if not (isinstance(backend, SupportsDelete) and isinstance(backend, Source)):
            raise ConfigError(
                f"Files cannot be removed from {remote.name!r}.",
                hint="They can be removed from containers: directories and object storage.",
            )
        yield backend, backend
