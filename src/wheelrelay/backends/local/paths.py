"""Distribution files named one by one by their paths, as a source: what a build has just left."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from glob import glob, has_magic
from pathlib import Path

from packaging.utils import canonicalize_name

from wheelrelay.backends.local.companions import is_there, read_beside
from wheelrelay.errors import BackendError, ConfigError, InvalidFilename, NotFound
from wheelrelay.filenames import dist_file, looks_like_distribution, parse_filename
from wheelrelay.model import COMPANION_SUFFIXES, DistFile
from wheelrelay.protocols import ByteStream
from wheelrelay.records import Finding, Severity

Pathlike = str | os.PathLike[str]


class PathsSource:
    """A source of the files at some paths; they are hashed in place.

    Args:
        paths: of distribution files, by filename.
        build: what CI reported about their build: ``commit``, ``run``, ``job`` or else.
        misnamed: files that end as distributions do, and whose names are not those of wheels or sdists.
        dangling: links named as distributions that lead to no file.
    """

    def __init__(
        self,
        paths: Mapping[str, Path],
        build: Mapping[str, str] | None = None,
        *,
        misnamed: Sequence[Path] = (),
        dangling: Sequence[Path] = (),
    ) -> None:
        self._paths = dict(paths)
        self._build = dict(build or {})
        self._misnamed = tuple(misnamed)
        self._dangling = tuple(dangling)

    def paths(self) -> list[Path]:
        """The paths of all files, also of the misnamed ones, in the order that they were found in."""
        return [*self._paths.values(), *self._misnamed]

    @property
    def has_files(self) -> bool:
        """Whether any file is a distribution by its name."""
        return bool(self._paths)

    def misnamed(self) -> list[Finding]:
        """A finding for each file that is no distribution by its name; `iter_files` does not give it."""
        from wheelrelay.checks.filename import invalid_filename

        return [invalid_filename(path.name).finding(path.name) for path in self._misnamed]

    def dangling(self) -> list[Finding]:
        """A finding for each link that leads to no file."""
        return [
            Finding(
                "dangling-link",
                Severity.ERROR,
                "It is a link that leads to no file.",
                path.name,
                "Build the file that it leads to, or remove the link.",
            )
            for path in self._dangling
        ]

    def iter_files(self, project: str | None) -> Iterator[DistFile]:
        """The files, with the companions that lie beside them."""
        for filename, path in self._paths.items():
            with _mapped(path):
                size = path.stat().st_size
            beside = [suffix for suffix in COMPANION_SUFFIXES if is_there(path.with_name(filename + suffix))]
            file = dist_file(
                filename,
                project=project,
                size=size,
                url=str(path),
                companions=tuple(beside),
                build=self._build,
            )
            if project is None or file.project == canonicalize_name(project):
                yield file

    @contextmanager
    def open(self, file: DistFile) -> Iterator[ByteStream]:
        """Open a file."""
        path = self.local_path(file)
        with _mapped(path):
            stream = path.open("rb", buffering=0)
        with stream:
            yield stream

    def local_path(self, file: DistFile) -> Path:
        """Where the file lies."""
        if file.filename not in self._paths:
            raise NotFound(f"{file.filename} is not among the given files.")
        return self._paths[file.filename]

    def read_companion(self, file: DistFile, suffix: str) -> bytes:
        """The content of a companion beside a file; a link is not followed, and over 1 MiB are refused."""
        path = self.local_path(file)
        return read_beside(path.with_name(path.name + suffix))


def find_paths(given: Sequence[Pathlike], *, build: Mapping[str, str] | None = None) -> PathsSource:
    """The distribution files that paths, directories and glob patterns lead to.

    Args:
        given: a path names one file, which must be a wheel or an sdist; a directory stands for the
            distribution files directly in it; a pattern for those that it matches.
        build: what CI reported about their build.

    Raises:
        ConfigError: a path leads to nothing, or two files have one name.
        InvalidFilename: a path names a file that is no distribution.
    """
    found: dict[str, Path] = {}
    for one in given:
        with _mapped(Path(one)):
            paths = _lead_to(os.fspath(one))
        for path in paths:
            other = found.setdefault(path.name, path)
            if other != path and other.resolve() != path.resolve():
                raise ConfigError(
                    f"{other} and {path} have the same name.", hint="Only one of them can be meant."
                )
    dangling = [path for path in found.values() if not path.is_file()]
    misnamed = [path for path in found.values() if path not in dangling and not _is_named_well(path)]
    left_out = {path.name for path in (*dangling, *misnamed)}
    files = {name: path for name, path in found.items() if name not in left_out}
    return PathsSource(files, build, misnamed=misnamed, dangling=dangling)


def _lead_to(text: str) -> list[Path]:
    path = Path(os.path.expanduser(text))
    if path.is_dir():
        paths = [one for one in sorted(path.iterdir()) if _counts(one)]
    elif path.is_file() or path.is_symlink():
        paths = [path]
        if not _ends_as_distribution(path):
            parse_filename(path.name)
    elif has_magic(text):
        paths = [one for one in map(Path, sorted(glob(str(path), recursive=True))) if _counts(one)]  # noqa: PTH207  (absolute patterns)
    else:
        raise ConfigError(f"There is no file or directory {text}.")
    if not paths:
        raise ConfigError(f"{text} leads to no wheel and no sdist.")
    return paths


def _counts(path: Path) -> bool:
    """Whether it is meant: a regular file, or a link to one or to nothing, that ends as a distribution."""
    visible = _ends_as_distribution(path) and not path.name.startswith(".")
    return visible and (path.is_file() or (path.is_symlink() and not path.exists()))


def _ends_as_distribution(path: Path) -> bool:
    """Also ``.WHL``, which installers do not take for a wheel."""
    return looks_like_distribution(path.name.lower())


def _is_named_well(path: Path) -> bool:
    try:
        parse_filename(path.name)
    except InvalidFilename:
        return False
    return True


@contextmanager
def _mapped(path: Path) -> Iterator[None]:
    """Turn what the operating system raises about ``path`` into our errors."""
    try:
        yield
    except FileNotFoundError as error:
        raise NotFound(f"{path} is not there any more.") from error
    except OSError as error:
        raise BackendError(f"{path} cannot be read: {error.strerror or error}.") from error
