"""Open a remote to read what is there."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Union

from wheelrelay.config.remotes import DirectoryRemote, Remote
from wheelrelay.errors import ConfigError
from wheelrelay.protocols import Backend, Source

if TYPE_CHECKING:
    from packaging.requirements import Requirement

Requirements = Sequence[Union[str, "Requirement"]]


@contextmanager
def readable(remote: Remote) -> Iterator[Source]:
    """A remote, connected to be read.

    Raises:
        ConfigError: it cannot be read.
    """
    with _opened(remote) as backend:
        if not isinstance(backend, Source):
            raise ConfigError(
                f"{remote.name!r} can be written to, but not read.",
                hint="Give an index its Simple API as url.",
            )
        yield backend


def _opened(remote: Remote) -> AbstractContextManager[Backend]:
    if isinstance(remote, DirectoryRemote):
        from wheelrelay.backends.local.store import opened_directory

        return opened_directory(remote.path)  # as its configuration does, which takes long to be imported
    return remote.open()
