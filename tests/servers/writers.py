"""Several writers that push into one container at the same moment."""

import re
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar
from zipfile import ZIP_STORED

from wheelrelay import Remote, list_files, push
from wheelrelay.config import RemoteConfig
from wheelrelay.errors import AlreadyExists, Conflict, RelayFailed, WheelrelayError
from wheelrelay.testing import make_wheel, stage_path

Result = TypeVar("Result")


def at_once(calls: Sequence[Callable[[], Result]]) -> list[Result | WheelrelayError]:
    """Call functions at the same time, each in a thread, and return their results or errors."""
    results: list[Result | WheelrelayError | None] = [None] * len(calls)
    together = threading.Barrier(len(calls))

    def run(number: int) -> None:
        together.wait()
        try:
            results[number] = calls[number]()
        except WheelrelayError as error:
            results[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results  # type: ignore[return-value]  # all are set


def push_at_once(config: RemoteConfig, folder: Path, count: int) -> dict[str, str]:
    """Push wheels of ``count`` versions, each by its own writer, and return their names with sha256."""
    wheels = [make_wheel(folder, "sample", f"{number}.0") for number in range(count)]

    def push_one(wheel: Path) -> str:
        staged = stage_path(wheel)
        with config.open() as store:
            store.put(staged)  # type: ignore[union-attr]  # it is a store
            store.finalize({staged.file.project})  # type: ignore[union-attr]
        return staged.sha256

    digests = at_once([lambda wheel=wheel: push_one(wheel) for wheel in wheels])  # type: ignore[misc]
    assert [digest for digest in digests if isinstance(digest, WheelrelayError)] == []
    return {wheel.name: str(digest) for wheel, digest in zip(wheels, digests, strict=True)}


def require_one_winner(config: RemoteConfig, folder: Path, *, size: int = 0, writers: int = 4) -> None:
    """Let several writers push other bytes under one name; exactly one succeeds, and the others learn it.

    Args:
        config: an empty container.
        folder: for the files.
        size: bytes of each file, approximately.
        writers: how many there are.
    """
    payloads = (bytes([number]) * max(1, size) for number in range(writers))
    wheels = [
        make_wheel(folder / str(number), payload=payload, compression=ZIP_STORED)
        for number, payload in enumerate(payloads)
    ]
    nightly = Remote("nightly", config)
    results = at_once([lambda wheel=wheel: push([wheel], to=nightly) for wheel in wheels])  # type: ignore[misc]
    refused = [result for result in results if isinstance(result, WheelrelayError)]
    [winner] = [wheel for wheel, result in zip(wheels, results, strict=True) if result not in refused]
    [listed] = list_files(nightly, ["sample"])
    assert listed.sha256 == stage_path(winner).sha256
    assert len(refused) == writers - 1
    for error in refused:
        assert isinstance(error, AlreadyExists | Conflict | RelayFailed)
        assert re.search("other (bytes|content)", str(error)), error
