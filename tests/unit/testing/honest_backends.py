"""Honest backends and configurations, and the register of the mutants derived from them."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any, Literal

from pydantic import Field
from tests.servers.objects import MemoryObjects

from wheelrelay.config import RemoteConfig, SecretReference, SecretValue
from wheelrelay.containers import ContainerStore
from wheelrelay.filenames import dist_file
from wheelrelay.model import Digests
from wheelrelay.testing import MemoryStore
from wheelrelay.testing.memory import _StoredFile

MUTANTS: dict[Callable[..., None], list[type]] = {}
"""The mutants by the case that each fails on."""


def breaks(*cases: Callable[..., None]) -> Callable[[type], type]:
    """Say on which cases the decorated class fails."""

    def register(mutant: type) -> type:
        for case in cases:
            MUTANTS.setdefault(case, []).append(mutant)
        return mutant

    return register


class WholeStore(MemoryStore):
    """An honest store with all capabilities."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def finalize(self, projects):
        pass

    def projects(self):
        yield from {file.project for file in self.iter_files(None)}

    def iter_files_of(self, projects):
        return (file for project in projects for file in self.iter_files(project))

    def inventory_of(self, projects):
        return (file for project in projects for file in self.inventory(project))

    def look(self, file):
        held = next((held for held in self.inventory(file.project) if held.filename == file.filename), None)
        suffixes = [suffix for suffix in file.companions if held and suffix in held.companions]
        return held and replace(held, companions=tuple(suffixes))

    def local_path(self, file):
        self.folder.mkdir(exist_ok=True)
        path = self.folder / file.filename
        path.write_bytes(self._files[file.filename].content)
        return path

    def keep(self, staged, content, *, name=None):
        """Keep these bytes for a staged file, whatever was there."""
        file = dist_file(name or staged.filename, size=len(content), digests=Digests(sha256=staged.sha256))
        self._files[file.filename] = _StoredFile(file, content)


class SlowStore(MemoryStore):
    """An honest store that shows a file only some time after it was put."""

    def __init__(self):
        super().__init__()
        self.put_at = {}

    def put(self, staged):
        super().put(staged)
        self.put_at.setdefault(staged.filename, monotonic())

    def iter_files(self, project):
        shown = monotonic() - 0.02
        return (file for file in super().iter_files(project) if self.put_at.get(file.filename, shown) < shown)


class BareSource:
    """An honest source that can nothing else."""

    def __init__(self, store):
        self.open = store.open
        self.store = store

    def iter_files(self, project):
        return (replace(file, companions=()) for file in self.store.iter_files(project))


class BareSink:
    """An honest sink that can nothing else."""

    def __init__(self, store):
        self.put = store.put


class SinkWithInventory(BareSink):
    """An honest sink that says what it holds."""

    def __init__(self, store):
        super().__init__(store)
        self.inventory = store.inventory


class PagedStore(ContainerStore):
    """An honest store that is an index too."""

    def __init__(self, folder):
        super().__init__(MemoryObjects(), pages=True)


class ShelfConfig(RemoteConfig):
    """An honest configuration."""

    type: Literal["shelf"] = "shelf"
    token: SecretReference = Field(description="What opens the shelf.")

    def open(self) -> Any:
        SecretValue(self.token).get()
        return nullcontext(MemoryStore())
