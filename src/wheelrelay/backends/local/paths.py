"""Distribution files at given paths as a source, such as the output of a build."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from glob import glob, has_magic
from pathlib import Path

from packaging.utils import canonicalize_name

from wheelrelay.backends.local.companions import is_regular_file, read_companion_file
from wheelrelay.errors import BackendError, ConfigError, InvalidFilename, NotFound
from wheelrelay.filenames import dist_file, looks_like_distribution, parse_filename
from wheelrelay.model import COMPANION_SUFFIXES, DistFile
from wheelrelay.protocols import ByteStream
from wheelrelay.records import Finding, Severity

Pathlike = str | os.PathLike[str]


class PathsSource:
    """A source of files at given paths, which are hashed in place.

    Args:
        paths: the paths of distribution files, by filename.
        build: what CI reported about their build: ``commit``, ``run``, ``job`` and others.
        misnamed: files with the extension of a distribution and an invalid filename.
        dangling: dangling links with the name of a distribution.
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
        """Return the paths of all files, including misnamed ones, in the order in which they were found."""
        return [*self._paths.values(), *self._misnamed]

    @property
    def has_files(self) -> bool:
        """Whether any file has the filename of a distribution."""
        return bool(self._paths)

    def misnamed(self) -> list[Finding]:
        """Return a finding for each file with an invalid filename; `iter_files` omits these files."""
        from wheelrelay.checks.filename import invalid_filename

        return [invalid_filename(path.name).finding(path.name) for path in self._misnamed]

    def dangling(self) -> list[Finding]:
        """Return a finding for each dangling link."""
        return [
            Finding(
                "dangling-link",
                Severity.ERROR,
                "This link leads to no file.",
                path.name,
                "Build the file, or remove the link.",
            )
            for path in self._dangling
        ]

    def iter_files(self, project: str | None) -> Iterator[DistFile]:
        """Yield the files with their companions."""
        for filename, path in self._paths.items():
            with _map_errors(path):
                size = path.stat().st_size
            companions = [
                suffix for suffix in COMPANION_SUFFIXES if is_regular_file(path.with_name(filename + suffix))
            ]
            file = dist_file(
                filename,
                project=project,
                size=size,
                url=str(path),
                companions=tuple(companions),
                build=self._build,
            )
            if project is None or file.project == canonicalize_name(project):
                yield file

    @contextmanager
    def open(self, file: DistFile) -> Iterator[ByteStream]:
        """Open a file for reading."""
        path = self.local_path(file)
        with _map_errors(path):
            stream = path.open("rb", buffering=0)
        with stream:
            yield stream

    def local_path(self, file: DistFile) -> Path:
        """Return the path of a file."""
        if file.filename not in self._paths:
            raise NotFound(f"{file.filename} is not one of the source's files.")
        return self._paths[file.filename]

    def read_companion(self, file: DistFile, suffix: str) -> bytes:
        """Return the content of a companion; links are not followed, and the limit is 1 MiB."""
        path = self.local_path(file)
        return read_companion_file(path.with_name(path.name + suffix))


def find_paths(patterns: Sequence[Pathlike], *, build: Mapping[str, str] | None = None) -> PathsSource:
    """Find distribution files by paths, directories and glob patterns.

    Args:
        patterns: a path of one file, which must be a wheel or an sdist; a directory, for the distribution
            files directly in it; or a glob pattern.
        build: what CI reported about their build.

    Raises:
        ConfigError: a pattern matches nothing, or two files have one name.
        InvalidFilename: a path names a file that is not a distribution.
    """
    found: dict[str, Path] = {}
    for pattern in patterns:
        with _map_errors(Path(pattern)):
            paths = _expand(os.fspath(pattern))
        for path in paths:
            other = found.setdefault(path.name, path)
            if other != path and other.resolve() != path.resolve():
                raise ConfigError(
                    f"{other} and {path} have the same filename.", hint="Select only one of them."
                )
    dangling = [path for path in found.values() if not path.is_file()]
    misnamed = [path for path in found.values() if path not in dangling and not _has_valid_name(path)]
    invalid = {path.name for path in (*dangling, *misnamed)}
    files = {name: path for name, path in found.items() if name not in invalid}
    return PathsSource(files, build, misnamed=misnamed, dangling=dangling)


def _expand(pattern: str) -> list[Path]:
    path = Path(os.path.expanduser(pattern))
    if path.is_dir():
        paths = [child for child in sorted(path.iterdir()) if _is_candidate(child)]
    elif path.is_file() or path.is_symlink():
        paths = [path]
        if not _has_extension(path):
            parse_filename(path.name)
    elif has_magic(pattern):
        matches = map(Path, sorted(glob(str(path), recursive=True)))  # noqa: PTH207  (absolute patterns)
        paths = [match for match in matches if _is_candidate(match)]
    else:
        raise ConfigError(f"The file or directory {pattern} does not exist.")
    if not paths:
        raise ConfigError(f"{pattern} contains no wheel and no sdist.")
    return paths


def _is_candidate(path: Path) -> bool:
    """Return whether a file in a directory is selected: a visible file or link with the extension."""
    is_visible = _has_extension(path) and not path.name.startswith(".")
    return is_visible and (path.is_file() or (path.is_symlink() and not path.exists()))


def _has_extension(path: Path) -> bool:
    """Return whether the extension is that of a distribution, in any case; installers ignore ``.WHL``."""
    return looks_like_distribution(path.name.lower())


def _has_valid_name(path: Path) -> bool:
    try:
        parse_filename(path.name)
    except InvalidFilename:
        return False
    return True


@contextmanager
def _map_errors(path: Path) -> Iterator[None]:
    """Map the errors of the operating system about ``path``."""
    try:
        yield
    except FileNotFoundError as error:
        raise NotFound(f"{path} does not exist any more.") from error
    except OSError as error:
        raise BackendError(f"{path} cannot be read: {error.strerror or error}.") from error
