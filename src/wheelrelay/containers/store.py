"""A container as a store: what is put there is there whole, with its companions, and never overwritten."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Literal

from wheelrelay.containers.content import sha256_of
from wheelrelay.containers.objects import Objects
from wheelrelay.containers.source import SHA256, ContainerSource
from wheelrelay.errors import AlreadyExists, NotFound
from wheelrelay.staged import StagedFile

BINARY = "application/octet-stream"


class ContainerStore(ContainerSource):
    """Reads and writes the distribution files of a container.

    Args:
        objects: the place.
        made_by_put: as for `ContainerSource`.
    """

    keeps_companions: Literal[True] = True

    def __init__(self, objects: Objects, *, made_by_put: bool = False) -> None:
        super().__init__(objects, made_by_put=made_by_put)
        self._objects = objects

    def put(self, staged: StagedFile) -> None:
        """Publish the file with its companions: the companions first, the distribution last.

        A companion that is there already is kept. With the same bytes there already, missing companions
        are added and nothing else happens.

        Raises:
            AlreadyExists: the name is taken by other bytes; nothing was changed.
            ChangedWhileReading: the local file was touched; nothing was published.
            BackendError: the place refused or failed.
        """
        there = self._is_there(staged)
        with self._companions_of(staged):
            if there:
                return
            try:
                self._objects.create_object(
                    staged.filename, staged, content_type=BINARY, metadata=_kept_with(staged)
                )
            except AlreadyExists:
                if not self._is_there(staged):
                    raise

    def _is_there(self, staged: StagedFile) -> bool:
        """Whether the very bytes are there; other bytes of the name are an error."""
        try:
            stored = self._objects.stat_object(staged.filename)
            sha256 = stored.size == staged.size and (
                stored.metadata.get(SHA256) or sha256_of(self._objects, staged.filename)
            )
        except NotFound:
            return False
        if sha256 == staged.sha256:
            return True
        raise AlreadyExists(f"{self._objects.address_of(staged.filename)} is there with other bytes.")

    @contextmanager
    def _companions_of(self, staged: StagedFile) -> Iterator[None]:
        """Write the companions that are missing; take them out again if what follows fails."""
        written: list[str] = []
        try:
            for companion in staged.companions:
                name = staged.filename + companion.suffix
                try:
                    self._objects.create_object(name, companion.content, content_type=BINARY, metadata={})
                except AlreadyExists:
                    continue
                written.append(name)
            yield
        except BaseException:
            for name in written:
                self._objects.delete_object(name)
            raise


def _kept_with(staged: StagedFile) -> Mapping[str, str]:
    return {SHA256: staged.sha256}
