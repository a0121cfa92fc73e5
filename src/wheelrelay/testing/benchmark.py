"""Compare the throughput of a backend with that of a local directory.

Run ``python -m wheelrelay.testing.benchmark ADDRESS``. The address, or a name from the configuration, is that
of a store; files of the project ``wheelrelay-benchmark`` are published there, read, and removed again.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import field
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TypeVar

import click

from wheelrelay.config import Remote, load_config
from wheelrelay.errors import NotFound, Rejected, WheelrelayError
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.model import DistFile
from wheelrelay.protocols import Store, SupportsDelete, SupportsFinalize, SupportsRange
from wheelrelay.staged import BLOCK_SIZE, StagedFile
from wheelrelay.testing.contract_helpers import stage_path, write_distribution

PROJECT = "wheelrelay-benchmark"

THREADS = 8
"""Threads of the parallel measurements, as many as a relay uses at first."""


Item = TypeVar("Item", StagedFile, DistFile)


@dataclass(frozen=True, slots=True)
class Measurement:
    """The duration of one operation on all files.

    Attributes:
        operation: What was done, such as ``put, 8 threads``.
        seconds: How long it took.
        size: How many bytes were transferred; 0 for an operation without files.
    """

    operation: str
    seconds: float
    size: int = 0

    @property
    def rate(self) -> str:
        """The throughput, or the duration of an operation without files."""
        return f"{self.size / self.seconds / 1e6:,.1f} MB/s" if self.size else f"{self.seconds * 1e3:,.1f} ms"


@dataclass
class Benchmark:
    """Measures the operations of one store.

    Args:
        store: A connected store without files of the project.
        files: The files to publish.
    """

    store: Store
    files: Sequence[StagedFile]
    measurements: list[Measurement] = field(default_factory=list)

    def run(self) -> list[Measurement]:
        """Measure all operations, and remove the files at the end.

        Raises:
            WheelrelayError: The store fails, or has files of the project already.
        """
        with suppress(NotFound):  # the first file creates the place
            if next(self._listed(), None) is not None:
                raise WheelrelayError(f"There are files of {PROJECT} already.", hint="Choose an empty place.")
        half = len(self.files) // 2
        try:
            self._measure("put, 1 thread", self.files[:half], self.store.put, threads=1)
            self._measure(f"put, {THREADS} threads", self.files[half:], self.store.put, threads=THREADS)
            if isinstance(self.store, SupportsFinalize):
                store = self.store
                self._measure_once("pages", lambda: store.finalize({PROJECT}))
            self._measure_once("list", lambda: list(self._listed()))
            listed = list(self._listed())
            self._measure("read, 1 thread", listed, self._read, threads=1)
            self._measure(f"read, {THREADS} threads", listed, self._read, threads=THREADS)
            with suppress(Rejected):  # some places return whole files only
                self._measure_once("read 64 KiB of a file", lambda: self._read_part(listed[0]))
        finally:
            self._remove()
        return self.measurements

    def _listed(self) -> Iterator[DistFile]:
        return self.store.iter_files(PROJECT)

    def _measure(
        self, operation: str, items: Sequence[Item], call: Callable[[Item], None], *, threads: int
    ) -> None:
        size = sum(item.size or 0 for item in items)
        started = perf_counter()
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(call, items))
        self.measurements.append(Measurement(operation, perf_counter() - started, size))

    def _measure_once(self, operation: str, call: Callable[[], object]) -> None:
        started = perf_counter()
        call()
        self.measurements.append(Measurement(operation, perf_counter() - started))

    def _read(self, file: DistFile) -> None:
        with self.store.open(file) as stream:
            while stream.read(BLOCK_SIZE):
                pass

    def _read_part(self, file: DistFile) -> None:
        if not isinstance(self.store, SupportsRange):
            raise Rejected("The store does not read parts of files.")
        with self.store.open_range(file, 1000, 1000 + (64 << 10)) as stream:
            while stream.read(BLOCK_SIZE):
                pass

    def _remove(self) -> None:
        assert isinstance(self.store, SupportsDelete)
        delete, listed = self.store.delete, list(self._listed())
        self._measure_once("delete", lambda: delete(listed))


def measure(remote: Remote, files: Sequence[StagedFile]) -> list[Measurement]:
    """Measure the store of a remote.

    Raises:
        WheelrelayError: The remote is not a store, its files cannot be removed, or it fails.
    """
    with remote.open() as backend:
        if not (isinstance(backend, Store) and isinstance(backend, SupportsDelete)):
            raise WheelrelayError(
                f"{remote.name} is not a store whose files can be removed again.",
                hint="Use a container: a directory or object storage.",
            )
        return Benchmark(backend, files).run()


def sample_files(folder: Path, *, number: int, size: int) -> list[StagedFile]:
    """Write wheels with incompressible content.

    Args:
        folder: Where to write them.
        number: How many wheels.
        size: Size of the content of each, in bytes.
    """
    name = PROJECT.replace("-", "_")
    return [
        stage_path(write_distribution(folder, f"{name}-1.{n}-py3-none-any.whl", size=size))
        for n in range(number)
    ]


def comparison(address: str, measured: Sequence[Measurement], reference: Sequence[Measurement]) -> str:
    """Return a table of the measurements of a remote and of a local directory."""
    by_operation = {measurement.operation: measurement for measurement in reference}
    rows = [("operation", "directory", address, "time")]
    for own in measured:
        other = by_operation.get(own.operation)
        ratio = f"x {own.seconds / other.seconds:,.1f}" if other else ""
        rows.append((own.operation, other.rate if other else "", own.rate, ratio))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        f"{row[0]:<{widths[0]}}  "
        + "  ".join(f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True))
        for row in rows
    )


@click.command()
@click.argument("address")
@click.option("--files", default=16, show_default=True, help="The number of files; at least 2.")
@click.option("--size", default=4.0, show_default=True, help="The size of each file in MiB.")
@click.option("--config", "config_path", metavar="FILE", help="The configuration file, for names of remotes.")
def main(address: str, files: int, size: float, config_path: str | None) -> None:
    """Compare the throughput of the store at ADDRESS with that of a local directory."""
    with TemporaryDirectory() as scratch:
        staged = sample_files(Path(scratch) / "dist", number=max(files, 2), size=int(size * (1 << 20)))
        try:
            remote = load_config(config_path).remote(address)
            measured = measure(remote, staged)
            directory = Path(scratch) / "directory"
            directory.mkdir()
            reference = measure(load_config(config_path).remote(str(directory)), staged)
        except WheelrelayError as error:
            raise click.ClickException(str(error)) from error
    click.echo(comparison(address, measured, reference))


if __name__ == "__main__":
    main()
