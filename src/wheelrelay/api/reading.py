"""Connect a remote for reading; apart from `connecting`, so that listing a directory imports little."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Union

from wheelrelay.backends.local.store import open_directory
from wheelrelay.config import RemoteLike, as_remote
from wheelrelay.config.remotes import path_of
from wheelrelay.errors import ConfigError
from wheelrelay.protocols import Backend, Source

if TYPE_CHECKING:
    from packaging.requirements import Requirement

Requirements = Sequence[Union[str, "Requirement"]]
"""Requirements that choose projects and versions, such as ``"astropy==1.3.2"``."""


@contextmanager
def opened_for_reading(remote: RemoteLike) -> Iterator[Source]:
    """Connect a remote for reading.

    Raises:
        ConfigError: The remote cannot be read from.
    """
    with _opened(remote) as backend:
        if not isinstance(backend, Source):
            raise ConfigError(
                f"{name_of(remote)!r} is write-only: files cannot be read from it.",
                hint="For an index, configure the URL of its Simple API as `url`.",
            )
        yield backend


def name_of(remote: RemoteLike) -> str:
    """Return the name of a remote."""
    return remote if isinstance(remote, str) else as_remote(remote).name


def _opened(remote: RemoteLike) -> AbstractContextManager[Backend]:
    """Connect a remote; a path needs no configuration class, whose import takes longer than listing it."""
    path = path_of(remote) if isinstance(remote, str) else None
    return as_remote(remote).open() if path is None else open_directory(path)
