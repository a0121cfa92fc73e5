"""Refuse to write a receipt or sums over a file that is read or published, before anything is written."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from pydantic import BaseModel

from wheelrelay.backends.local.paths import Pathlike
from wheelrelay.config import Remote, Route, as_remote
from wheelrelay.engine.context import RelayContext
from wheelrelay.errors import ConfigError, InvalidFilename, NotFound, WheelrelayError
from wheelrelay.filenames import dist_file, split_companion
from wheelrelay.protocols import Source, SupportsLocalPath

Outputs = Mapping[str, Pathlike | None]
"""The files that are written, by what they are called."""


def refuse_inputs(outputs: Outputs, inputs: Iterable[Path]) -> None:
    """Refuse an output that is one of these files, or another output.

    Raises:
        ConfigError: it is one.
    """
    taken: list[Path] = []
    read = list(inputs)
    for what, path in _given(outputs):
        if any(_is_same(path, other) for other in taken):
            raise ConfigError(f"{path} cannot hold two things: it is given twice.", hint=_ANOTHER)
        if any(_is_same(path, other) for other in read):
            raise ConfigError(f"The {what} would overwrite {path}, which is read here.", hint=_ANOTHER)
        taken.append(path)


def refuse_inputs_of(outputs: Outputs, route: Route, context: RelayContext) -> None:
    """Refuse an output that is a file of the route's source or sinks, or that their configuration names.

    Raises:
        ConfigError: it is one.
    """
    if not any(outputs.values()):
        return
    refuse_inputs(outputs, _files_named_in(route))
    backends = [context.origin.source, *(destination.sink for destination in context.destinations)]
    for what, path in _given(outputs):
        if any(_is_file_of(backend, path) or _is_read_from(backend, path) for backend in backends):
            raise ConfigError(
                f"The {what} would overwrite {path}, a file of the source or of a sink, now or later.",
                hint=_ANOTHER,
            )


_ANOTHER = "Give another path."


def _given(outputs: Outputs) -> Iterator[tuple[str, Path]]:
    return ((what, Path(path)) for what, path in outputs.items() if path is not None)


def _is_same(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except OSError:  # one of them is not there
        return path.resolve() == other.resolve()


def _files_named_in(route: Route) -> Iterator[Path]:
    """All paths in the route and in the configuration of its remotes: certificates, secrets, lists, keys."""
    yield from map(Path, route.verify.keys())
    for model in (route.expect, route.verify, *map(_config_of, (route.source, *route.sinks))):
        if model is not None:
            yield from _paths_in(model)


def _config_of(place: object) -> BaseModel | None:
    remote = place if isinstance(place, Remote) else as_remote(place)  # type: ignore[arg-type]
    return remote.config


def _paths_in(value: object) -> Iterator[Path]:
    if isinstance(value, Path):
        yield value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _paths_in(getattr(value, name))
    elif isinstance(value, tuple | list):
        for one in value:
            yield from _paths_in(one)


def _is_file_of(backend: object, path: Path) -> bool:
    """Whether a path is that of a distribution file of a local place, of a companion, or of a page."""
    from wheelrelay.containers.listing import METADATA
    from wheelrelay.containers.pages import FLAT, ROOT

    if not isinstance(backend, SupportsLocalPath):
        return False
    filename, suffix = split_companion(path.name) or (path.name.removesuffix(METADATA), "")
    suffix = suffix or path.name.removeprefix(filename)
    beside = _local_path(backend, filename)
    if beside is not None and _is_same(path, beside.with_name(filename + suffix)):
        return True
    folder = _local_path(backend, "any-1.tar.gz")
    if folder is None:
        return False
    pages = (folder.with_name(FLAT), folder.with_name(ROOT.rstrip("/")))
    return any(_is_same(one, page) for one in (path, *path.parents) for page in pages)


def _is_read_from(backend: object, path: Path) -> bool:
    """Whether a local place reads this very file by another name, as a link in a folder leads to one."""
    if not (isinstance(backend, SupportsLocalPath) and isinstance(backend, Source) and path.is_file()):
        return False
    try:
        files = [backend.local_path(file) for file in backend.iter_files(None)]
    except WheelrelayError:  # it cannot be read, which is reported where it is
        return False
    return any(_is_same(path, file) for file in files)


def _local_path(backend: SupportsLocalPath, filename: str) -> Path | None:
    try:
        return backend.local_path(dist_file(filename))
    except (InvalidFilename, NotFound):
        return None
