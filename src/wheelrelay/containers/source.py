"""A container as a source: distribution files at ``<prefix>/<filename>``, their companions beside them."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace

from wheelrelay.containers.content import read_whole, sha256_of
from wheelrelay.containers.contents import Contents, ContentsReader, Held
from wheelrelay.containers.objects import ReadableObjects
from wheelrelay.errors import NotFound
from wheelrelay.model import Digests, DistFile
from wheelrelay.protocols import ByteStream

SHA256 = "sha256"
"""The key under which a distribution's digest is kept with its object."""


class ContainerSource:
    """Reads the distribution files of a container.

    Args:
        objects: the place.
        made_by_put: the place comes into being with the first file put into it, as a folder does; one
            that is not there is then an empty sink. As a source it is `NotFound` all the same.
    """

    def __init__(self, objects: ReadableObjects, *, made_by_put: bool = False) -> None:
        self._readable = objects
        self._made_by_put = made_by_put
        self._reader = ContentsReader(objects)
        self._hashed: dict[tuple[str, int, str], str] = {}

    def iter_files(self, project: str | None) -> Iterator[DistFile]:
        """The distribution files of ``project``, or all; see `wheelrelay.protocols.Source`."""
        contents = self._reader.read(project)
        for held in (contents.of(project) if project is not None else contents).values():
            yield held.file

    def inventory(self, project: str) -> Iterator[DistFile]:
        """What the container holds of ``project`` now, with sha256.

        The digest is the one that was kept with the object when it was written; an object that somebody
        else wrote is read and hashed, once for each state that it is in.

        Raises:
            BackendError: the container cannot be read.
        """
        for held in self._contents(project).of(project).values():
            try:
                yield replace(held.file, digests=Digests(sha256=self._sha256(held)))
            except NotFound:
                continue

    def open(self, file: DistFile) -> AbstractContextManager[ByteStream]:
        """Open a file for reading it once, in order."""
        return self._readable.open_object(file.filename)

    def read_companion(self, file: DistFile, suffix: str) -> bytes:
        """The content of a companion file; one of more than 1 MiB is refused."""
        return read_whole(self._readable, file.filename + suffix)

    def _contents(self, project: str | None = None) -> Contents:
        """What is there; nothing, if the place comes with the first file and is truly not there yet."""
        try:
            return self._reader.read(project)
        except NotFound:
            if self._made_by_put:
                return Contents(())
            raise

    def _sha256(self, held: Held) -> str:
        state = (held.stored.name, held.stored.size, held.stored.etag)
        if state not in self._hashed:
            self._hashed[state] = self._kept_sha256(held.stored.name) or sha256_of(
                self._readable, held.stored.name
            )
        return self._hashed[state]

    def _kept_sha256(self, name: str) -> str | None:
        return self._readable.stat_object(name).metadata.get(SHA256)
