"""Write the receipt and the list of sums, and refuse paths that would overwrite an input."""

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel

from wheelrelay.backends.local.paths import Pathlike
from wheelrelay.config import RemoteLike, Route, as_remote
from wheelrelay.containers.listing import METADATA_SUFFIX
from wheelrelay.containers.page_reading import FLAT_PAGE, SIMPLE_ROOT
from wheelrelay.disk.writing import replace_file
from wheelrelay.documents import parse_receipt, receipt_document, sums_text
from wheelrelay.engine.context import RelayRequest
from wheelrelay.errors import ConfigError, InvalidFilename, NotFound, RelayFailed, WheelrelayError
from wheelrelay.filenames import dist_file, split_companion
from wheelrelay.json_text import to_json
from wheelrelay.model import Mode
from wheelrelay.protocols import Source, SupportsLocalPath
from wheelrelay.records import Receipt

logger = logging.getLogger(__name__)

Outputs = Mapping[str, Pathlike | None]
"""The files that a command writes, by what they contain; ``None`` for those that were not requested."""

_OTHER_PATH = "Choose another path."


class ReceiptWriter:
    """The file with the receipt, replaced as a whole at each update.

    A failure to write it at the first update is an error: nothing has been published then. A later failure
    must not stop a relay that is publishing, so `require_written` reports it at the end.

    Args:
        path: The file; without one, nothing is written.
    """

    def __init__(self, path: Pathlike | None) -> None:
        self._path = None if path is None else Path(os.fspath(path))
        self._was_written = False
        self._error: WheelrelayError | None = None

    def save_function(self) -> Callable[[Receipt], None] | None:
        """Return the function that writes a receipt; ``None`` without a path."""
        return self.save if self._path else None

    def replaces_receipt(self) -> bool:
        """Whether writing would replace nothing, or an earlier receipt, but no other file."""
        if self._path is None:
            return False
        try:
            parse_receipt(self._path.read_bytes())
        except FileNotFoundError:
            return True
        except (OSError, WheelrelayError):
            return False
        return True

    def require_written(self, receipt: Receipt) -> None:
        """Make sure that the last receipt was written.

        Raises:
            RelayFailed: It could not be written.
        """
        if self._error:
            raise RelayFailed(
                f"All files are published, but the receipt is incomplete: {self._error.message}",
                receipt=receipt,
                hint=self._error.hint,
            ) from self._error

    def save(self, receipt: Receipt) -> None:
        """Write a receipt.

        Raises:
            WheelrelayError: It cannot be written, and none was written before.
        """
        assert self._path is not None
        try:
            replace_file(self._path, to_json(receipt_document(receipt)).encode())
            self._error = None
        except WheelrelayError as error:
            if not self._was_written:
                raise
            self._error = error
            logger.warning("%s", error)
        self._was_written = True


def write_failure(path: Pathlike | None, message: str) -> None:
    """Write the receipt of a relay that could not begin, because its route or its options are wrong.

    Another file at this path is not replaced. A receipt that cannot be written is not reported, because
    the caller reports the first error.
    """
    writer, now = ReceiptWriter(path), datetime.now(UTC)
    if writer.replaces_receipt():
        receipt = Receipt("", (), Mode.RELEASE.value, now, now, (), error=message)
        with suppress(WheelrelayError):
            writer.save(receipt)


def write_sums(path: Path, receipt: Receipt) -> None:
    """Write the sha256 of every published file in the format of ``sha256sum``.

    Raises:
        RelayFailed: The file cannot be written.
    """
    try:
        replace_file(path, sums_text(receipt).encode())
    except WheelrelayError as error:
        raise RelayFailed(f"All files are published, but {error}", receipt=receipt) from error


def refuse_inputs(outputs: Outputs, inputs: Iterable[Path]) -> None:
    """Refuse outputs that would overwrite an input or another output.

    Raises:
        ConfigError: One would.
    """
    seen: list[Path] = []
    files = list(inputs)
    for name, path in _requested(outputs):
        if any(_is_same(path, other) for other in seen):
            raise ConfigError(f"{path} cannot hold two outputs: it is given twice.", hint=_OTHER_PATH)
        if any(_is_same(path, other) for other in files):
            raise ConfigError(f"The {name} would overwrite {path}, which is an input.", hint=_OTHER_PATH)
        seen.append(path)


def refuse_inputs_of(outputs: Outputs, route: Route, request: RelayRequest) -> None:
    """Refuse outputs that would overwrite a file of the route's source or sinks, or of their configuration.

    Raises:
        ConfigError: One would.
    """
    if not any(outputs.values()):
        return
    refuse_inputs(outputs, _configured_paths(route))
    backends = [request.source.source, *(sink.sink for sink in request.sinks)]
    for name, path in _requested(outputs):
        if any(_is_file_of(backend, path) or _is_read_from(backend, path) for backend in backends):
            raise ConfigError(
                f"The {name} would overwrite {path}, which belongs to the source or to a sink.",
                hint=_OTHER_PATH,
            )


def _requested(outputs: Outputs) -> Iterator[tuple[str, Path]]:
    return ((name, Path(path)) for name, path in outputs.items() if path is not None)


def _is_same(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except OSError:  # one of them does not exist
        return path.resolve() == other.resolve()


def _configured_paths(route: Route) -> Iterator[Path]:
    """Yield all paths in the configuration of a route and its remotes: keys, certificates, secrets, lists."""
    yield from map(Path, route.trust.keys or ())
    for model in (route.expect, route.trust, *map(_config_of, (route.source, *route.sinks))):
        if model is not None:
            yield from _paths_in(model)


def _config_of(remote: RemoteLike) -> BaseModel | None:
    return as_remote(remote).config


def _paths_in(value: object) -> Iterator[Path]:
    if isinstance(value, Path):
        yield value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _paths_in(getattr(value, name))
    elif isinstance(value, tuple | list):
        for item in value:
            yield from _paths_in(item)


def _is_file_of(backend: object, path: Path) -> bool:
    """Whether a path is that of a distribution file, a companion or an index page of a local backend."""
    if not isinstance(backend, SupportsLocalPath):
        return False
    filename, suffix = split_companion(path.name) or (path.name.removesuffix(METADATA_SUFFIX), "")
    suffix = suffix or path.name.removeprefix(filename)
    stored = _local_path(backend, filename)
    if stored is not None and _is_same(path, stored.with_name(filename + suffix)):
        return True
    folder = _local_path(backend, "any-1.tar.gz")
    if folder is None:
        return False
    pages = (folder.with_name(FLAT_PAGE), folder.with_name(SIMPLE_ROOT.rstrip("/")))
    return any(_is_same(part, page) for part in (path, *path.parents) for page in pages)


def _is_read_from(backend: object, path: Path) -> bool:
    """Whether a local backend reads this file under another name, for example through a link."""
    if not (isinstance(backend, SupportsLocalPath) and isinstance(backend, Source) and path.is_file()):
        return False
    folder = _local_path(backend, "any-1.tar.gz")
    try:
        if folder is not None and path.stat().st_nlink == 1:  # then another name can only be a link
            with os.scandir(folder.parent) as entries:
                return any(entry.is_symlink() and _is_same(path, Path(entry)) for entry in entries)
        files = [backend.local_path(file) for file in backend.iter_files(None)]
    except (WheelrelayError, OSError):  # the relay itself reports a source that cannot be read
        return False
    return any(_is_same(path, file) for file in files)


def _local_path(backend: SupportsLocalPath, filename: str) -> Path | None:
    try:
        return backend.local_path(dist_file(filename))
    except (InvalidFilename, NotFound):
        return None
