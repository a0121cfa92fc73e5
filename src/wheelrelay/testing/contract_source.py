"""The contract of sources, as a pytest class."""

import pickle
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import ClassVar, TypeGuard, cast

import pytest

from wheelrelay.errors import NotFound, Rejected
from wheelrelay.filenames import dist_file
from wheelrelay.model import DistFile
from wheelrelay.protocols import (
    ByteStream,
    Sink,
    Source,
    SupportsBulkListing,
    SupportsCompanions,
    SupportsCompanionStorage,
    SupportsInventory,
    SupportsLocalPath,
    SupportsProjects,
    SupportsRange,
)
from wheelrelay.testing.contract_helpers import (
    AWKWARD_NAMES,
    LARGE,
    SDIST,
    THREADS,
    WHEEL,
    assert_correct,
    read_all,
    run_concurrently,
    sha256_of,
    write_distribution,
)

Serve = Callable[[Path], Source]
"""Returns a connected source with the files of a folder."""

LITTER = ("README.txt", "notes.json", f"{WHEEL}.part", f"{WHEEL}.metadata", "sample-2.0-whatever.whl")
"""Files next to distribution files that are none."""


class Contract:
    """The common part of the contracts of sources, sinks and stores.

    Attributes:
        awkward_names: Filenames that must stay unchanged. Leave out names that the place itself refuses.
    """

    awkward_names: ClassVar[tuple[str, ...]] = AWKWARD_NAMES

    @pytest.fixture
    def scratch(self, tmp_path_factory: pytest.TempPathFactory) -> Path:
        """An empty folder for the files of one case."""
        return tmp_path_factory.mktemp("scratch")


class SourceContract(Contract):
    """The cases that every source must pass.

    Derive a class from it, and define one fixture:

    ``serve``: a function that takes a folder, and returns a connected source with the files in it. Companions
    are next to their files, such as ``sample-1.0.tar.gz.asc``, and there are other files too. It is called
    once in each case, when the folder is complete. ::

        class TestMySource(SourceContract):
            @pytest.fixture
            def serve(self):
                return lambda folder: MySource(folder)
    """

    def vanished(self, file: DistFile) -> DistFile:
        """Return the description of a file like ``file`` that does not exist.

        Override it if addresses of this backend do not contain filenames.
        """
        name = file.filename.replace("sample", "vanished")
        return replace(
            file,
            filename=name,
            project=dist_file(name).project,
            url=file.url and file.url.replace("sample", "vanished"),
        )

    def test_is_a_source(self, serve: Serve, scratch: Path) -> None:
        assert isinstance(serve(scratch), Source)

    def test_lists_nothing_in_an_empty_place(self, serve: Serve, scratch: Path) -> None:
        assert list(serve(scratch).iter_files(None)) == []

    def test_lists_only_distribution_files(self, serve: Serve, scratch: Path) -> None:
        _write(scratch, WHEEL, SDIST)
        for name in (*LITTER, f"{WHEEL}.asc"):
            (scratch / name).write_bytes(b"other")
        assert _names(serve(scratch), "sample") == [WHEEL, SDIST]

    def test_lists_all_projects_without_a_project(self, serve: Serve, scratch: Path) -> None:
        _write(scratch, WHEEL, SDIST, "other-2.0.tar.gz")
        assert _names(serve(scratch), None) == ["other-2.0.tar.gz", WHEEL, SDIST]

    def test_finds_a_project_in_any_spelling(self, serve: Serve, scratch: Path) -> None:
        names = _write(scratch, "Foo.Bar-1.0-py3-none-any.whl", "foo_bar-1.1.tar.gz")
        source = serve(scratch)
        spellings = ("foo-bar", "Foo.Bar", "FOO_BAR", "foo.-_bar")
        assert {spelling: _names(source, spelling) for spelling in spellings} == dict.fromkeys(
            spellings, names
        )

    def test_distinguishes_projects_with_a_common_prefix(self, serve: Serve, scratch: Path) -> None:
        projects = {"foo": "foo-1.0.tar.gz", "foo-bar": "foo-bar-1.0.tar.gz", "foobar": "foobar-1.0.tar.gz"}
        _write(scratch, *projects.values())
        source = serve(scratch)
        assert {project: _names(source, project) for project in projects} == {
            project: [name] for project, name in projects.items()
        }

    def test_lists_nothing_for_an_absent_project(self, serve: Serve, scratch: Path) -> None:
        _write(scratch, WHEEL)
        assert _names(serve(scratch), "absent") == []

    def test_preserves_awkward_names_and_their_bytes(self, serve: Serve, scratch: Path) -> None:
        _write(scratch, *self.awkward_names)
        source = serve(scratch)
        found = {file.filename: sha256_of(read_all(source, file)) for file in source.iter_files(None)}
        assert found == {path.name: sha256_of(path.read_bytes()) for path in scratch.iterdir()}

    def test_describes_files_according_to_their_names(self, serve: Serve, scratch: Path) -> None:
        _write(scratch, "Foo.Bar-1.0-py3-none-any.whl", "foo-bar-1.2.tar.gz")
        for file in serve(scratch).iter_files("foo-bar"):
            named = dist_file(file.filename, project="foo-bar")
            assert (file.project, file.version, file.kind) == (named.project, named.version, named.kind)
            assert file.upload_time is None or file.upload_time.tzinfo is not None

    def test_declares_correct_sizes_and_digests(self, serve: Serve, scratch: Path) -> None:
        _write(scratch, WHEEL, SDIST)
        for file in serve(scratch).iter_files("sample"):
            assert_correct(file, (scratch / file.filename).read_bytes())

    def test_reads_the_exact_bytes(self, serve: Serve, scratch: Path) -> None:
        _write(scratch, WHEEL, SDIST)
        source = serve(scratch)
        for file in source.iter_files("sample"):
            assert read_all(source, file) == (scratch / file.filename).read_bytes()

    def test_reads_a_large_file_completely(self, serve: Serve, scratch: Path) -> None:
        path = write_distribution(scratch, WHEEL, size=LARGE)
        source = serve(scratch)
        assert sha256_of(read_all(source, _only(source))) == sha256_of(path.read_bytes())

    def test_reads_no_more_bytes_than_requested(self, serve: Serve, scratch: Path) -> None:
        content = write_distribution(scratch, WHEEL).read_bytes()
        source = serve(scratch)
        with source.open(_only(source)) as stream:
            assert len(stream.read(7)) <= 7
        assert read_all(source, _only(source), size=7) == content

    def test_streams_are_independent(self, serve: Serve, scratch: Path) -> None:
        content = write_distribution(scratch, WHEEL).read_bytes()
        source = serve(scratch)
        with source.open(_only(source)) as first, source.open(_only(source)) as second:
            turns = list(zip_longest(_blocks(first), _blocks(second), fillvalue=b""))
        assert [b"".join(blocks) for blocks in zip(*turns, strict=True)] == [content, content]

    def test_stream_can_be_closed_before_its_end(self, serve: Serve, scratch: Path) -> None:
        content = write_distribution(scratch, WHEEL, size=LARGE).read_bytes()
        source = serve(scratch)
        with source.open(_only(source)) as stream:
            assert stream.read(100)
        assert read_all(source, _only(source)) == content

    def test_opening_a_vanished_file_is_not_found(self, serve: Serve, scratch: Path) -> None:
        write_distribution(scratch, WHEEL)
        source = serve(scratch)
        with pytest.raises(NotFound):
            read_all(source, self.vanished(_only(source)))

    def test_files_can_be_pickled_and_opened(self, serve: Serve, scratch: Path) -> None:
        content = write_distribution(scratch, WHEEL).read_bytes()
        source = serve(scratch)
        unpickled = cast("DistFile", pickle.loads(pickle.dumps(_only(source))))  # noqa: S301  (bytes of this test)
        assert unpickled == _only(source)
        assert read_all(source, unpickled) == content

    def test_eight_threads_can_read_concurrently(self, serve: Serve, scratch: Path) -> None:
        names = [f"sample-{n}.0-py3-none-any.whl" for n in range(THREADS)]
        _write(scratch, *names)
        source = serve(scratch)

        def read(name: str) -> bytes:
            return read_all(
                source, next(file for file in source.iter_files("sample") if file.filename == name)
            )

        contents = run_concurrently([partial(read, name) for name in names])
        assert contents == [(scratch / name).read_bytes() for name in names]

    def test_lists_and_reads_companions(self, serve: Serve, scratch: Path) -> None:
        write_distribution(scratch, WHEEL)
        (scratch / f"{WHEEL}.asc").write_bytes(b"-----BEGIN PGP SIGNATURE-----\r\n\n")
        source = serve(scratch)
        file = _only(source)
        if _keeps_companions(source):
            assert file.companions == (".asc",)
            assert source.read_companion(file, ".asc") == (scratch / f"{WHEEL}.asc").read_bytes()
        elif not isinstance(source, SupportsCompanions):
            assert file.companions == (), "The source lists companions, but has no `read_companion`."

    def test_reading_an_absent_companion_is_not_found(self, serve: Serve, scratch: Path) -> None:
        write_distribution(scratch, WHEEL)
        source = serve(scratch)
        if isinstance(source, SupportsCompanions):
            with pytest.raises(NotFound):
                source.read_companion(_only(source), ".asc")

    def test_inventory_agrees_with_listing(self, serve: Serve, scratch: Path) -> None:
        _write(scratch, WHEEL, SDIST, "sample-bar-1.0.tar.gz")
        source = serve(scratch)
        if isinstance(source, SupportsInventory):
            assert _sorted_names(source.inventory("Sample")) == [WHEEL, SDIST]
            for file in source.inventory("sample"):
                assert_correct(file, (scratch / file.filename).read_bytes())

    def test_listing_of_several_projects_is_complete(self, serve: Serve, scratch: Path) -> None:
        _write(scratch, WHEEL, SDIST, "sample-bar-1.0.tar.gz", "other-1.0.tar.gz")
        source = serve(scratch)
        if isinstance(source, SupportsBulkListing):
            names = _sorted_names(source.iter_files_of(["Sample", "other", "absent"]))
            assert names == ["other-1.0.tar.gz", WHEEL, SDIST]

    def test_lists_each_project_once_and_normalized(self, serve: Serve, scratch: Path) -> None:
        _write(scratch, "Foo.Bar-1.0-py3-none-any.whl", "foo_bar-1.1.tar.gz", WHEEL)
        source = serve(scratch)
        if isinstance(source, SupportsProjects):
            assert sorted(source.projects()) == ["foo-bar", "sample"]

    def test_reads_the_requested_range(self, serve: Serve, scratch: Path) -> None:
        content = write_distribution(scratch, WHEEL, size=LARGE).read_bytes()
        source = serve(scratch)
        if isinstance(source, SupportsRange):
            size = len(content)
            for start, stop in ((0, 1), (7, 100), (1, size), (size - 5, None), (size // 2, None)):
                assert _part_of(source, _only(source), start, stop) in (content[start:stop], None)

    def test_range_of_a_vanished_file_is_not_found(self, serve: Serve, scratch: Path) -> None:
        write_distribution(scratch, WHEEL)
        source = serve(scratch)
        if isinstance(source, SupportsRange):
            vanished = self.vanished(_only(source))
            with pytest.raises((NotFound, Rejected)), source.open_range(vanished, 1, None) as stream:
                stream.read(1)

    def test_local_paths_have_the_same_bytes(self, serve: Serve, scratch: Path) -> None:
        content = write_distribution(scratch, WHEEL).read_bytes()
        source = serve(scratch)
        if isinstance(source, SupportsLocalPath):
            assert source.local_path(_only(source)).read_bytes() == content


def _write(folder: Path, *names: str) -> list[str]:
    for name in names:
        write_distribution(folder, name)
    return sorted(names)


def _names(source: Source, project: str | None) -> list[str]:
    return _sorted_names(source.iter_files(project))


def _only(source: Source) -> DistFile:
    [file] = source.iter_files("sample")
    return file


def _part_of(source: SupportsRange, file: DistFile, start: int, stop: int | None) -> bytes | None:
    """Read a part of a file; ``None`` if the place does not support ranges."""
    try:
        with source.open_range(file, start, stop) as stream:
            return b"".join(_blocks(stream, 1 << 16))
    except Rejected:
        return None


def _sorted_names(files: Iterable[DistFile]) -> list[str]:
    return sorted(file.filename for file in files)


def _blocks(stream: ByteStream, size: int = 100) -> Iterator[bytes]:
    return iter(lambda: stream.read(size), b"")


def _keeps_companions(source: Source) -> TypeGuard[SupportsCompanions]:
    """Whether companions must be listed; a store may list some although it accepts none."""
    takes = isinstance(source, SupportsCompanionStorage) or not isinstance(source, Sink)
    return takes and isinstance(source, SupportsCompanions)
