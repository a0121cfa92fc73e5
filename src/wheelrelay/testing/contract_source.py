"""What every source must do, as a pytest class."""

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
    SupportsCompanions,
    SupportsCompanionStorage,
    SupportsInventory,
    SupportsLocalPath,
    SupportsProjects,
    SupportsRange,
)
from wheelrelay.testing.contract_material import (
    AWKWARD_NAMES,
    LARGE,
    SDIST,
    THREADS,
    WHEEL,
    assert_true,
    at_once,
    read_all,
    sha256_of,
    write_distribution,
)

Serve = Callable[[Path], Source]
"""Gives a connected source that shows what lies in a folder."""

LITTER = ("README.txt", "notes.json", f"{WHEEL}.part", f"{WHEEL}.metadata", "sample-2.0-whatever.whl")
"""What may lie beside distribution files, and is none."""


class Contract:
    """What the contracts of sources, sinks and stores have in common.

    Attributes:
        awkward_names: filenames that must go through unchanged; take out those that the place itself,
            not the backend, refuses.
    """

    awkward_names: ClassVar[tuple[str, ...]] = AWKWARD_NAMES

    @pytest.fixture
    def workshop(self, tmp_path_factory: pytest.TempPathFactory) -> Path:
        """A folder for the files of one case, which no backend knows."""
        return tmp_path_factory.mktemp("workshop")


class SourceContract(Contract):
    """The cases that every source passes.

    Derive a class from it, and give it one fixture:

    ``serve``: a function that takes a folder, and gives a connected source that shows the files that lie
    in it. Companions lie beside their files, as ``sample-1.0.tar.gz.asc``; other things lie there as
    well. It is called once in each case, when the folder is complete. ::

        class TestMySource(SourceContract):
            @pytest.fixture
            def serve(self):
                return lambda folder: MySource(folder)
    """

    def taken_away(self, file: DistFile) -> DistFile:
        """Describe a file that is like ``file`` and not there any more.

        Override it if the address of a file, in this backend, does not hold its name.
        """
        name = file.filename.replace("sample", "vanished")
        return replace(
            file,
            filename=name,
            project=dist_file(name).project,
            url=file.url and file.url.replace("sample", "vanished"),
        )

    def test_it_is_a_source(self, serve: Serve, workshop: Path) -> None:
        assert isinstance(serve(workshop), Source)

    def test_an_empty_place_lists_nothing(self, serve: Serve, workshop: Path) -> None:
        assert list(serve(workshop).iter_files(None)) == []

    def test_it_lists_the_distribution_files_and_nothing_else(self, serve: Serve, workshop: Path) -> None:
        _write(workshop, WHEEL, SDIST)
        for name in (*LITTER, f"{WHEEL}.asc"):
            (workshop / name).write_bytes(b"beside")
        assert _names(serve(workshop), "sample") == [WHEEL, SDIST]

    def test_it_lists_all_projects_if_none_is_named(self, serve: Serve, workshop: Path) -> None:
        _write(workshop, WHEEL, SDIST, "other-2.0.tar.gz")
        assert _names(serve(workshop), None) == ["other-2.0.tar.gz", WHEEL, SDIST]

    def test_it_finds_a_project_by_any_spelling(self, serve: Serve, workshop: Path) -> None:
        names = _write(workshop, "Foo.Bar-1.0-py3-none-any.whl", "foo_bar-1.1.tar.gz")
        source = serve(workshop)
        spellings = ("foo-bar", "Foo.Bar", "FOO_BAR", "foo.-_bar")
        assert {spelling: _names(source, spelling) for spelling in spellings} == dict.fromkeys(
            spellings, names
        )

    def test_it_tells_projects_apart_whose_names_begin_alike(self, serve: Serve, workshop: Path) -> None:
        projects = {"foo": "foo-1.0.tar.gz", "foo-bar": "foo-bar-1.0.tar.gz", "foobar": "foobar-1.0.tar.gz"}
        _write(workshop, *projects.values())
        source = serve(workshop)
        assert {project: _names(source, project) for project in projects} == {
            project: [name] for project, name in projects.items()
        }

    def test_it_gives_nothing_for_a_project_that_is_not_there(self, serve: Serve, workshop: Path) -> None:
        _write(workshop, WHEEL)
        assert _names(serve(workshop), "absent") == []

    def test_it_keeps_awkward_names_and_their_bytes(self, serve: Serve, workshop: Path) -> None:
        _write(workshop, *self.awkward_names)
        source = serve(workshop)
        found = {file.filename: sha256_of(read_all(source, file)) for file in source.iter_files(None)}
        assert found == {path.name: sha256_of(path.read_bytes()) for path in workshop.iterdir()}

    def test_it_describes_files_as_their_names_do(self, serve: Serve, workshop: Path) -> None:
        _write(workshop, "Foo.Bar-1.0-py3-none-any.whl", "foo-bar-1.2.tar.gz")
        for file in serve(workshop).iter_files("foo-bar"):
            named = dist_file(file.filename, project="foo-bar")
            assert (file.project, file.version, file.kind) == (named.project, named.version, named.kind)
            assert file.upload_time is None or file.upload_time.tzinfo is not None

    def test_sizes_and_digests_that_it_declares_are_true(self, serve: Serve, workshop: Path) -> None:
        _write(workshop, WHEEL, SDIST)
        for file in serve(workshop).iter_files("sample"):
            assert_true(file, (workshop / file.filename).read_bytes())

    def test_it_gives_the_very_bytes(self, serve: Serve, workshop: Path) -> None:
        _write(workshop, WHEEL, SDIST)
        source = serve(workshop)
        for file in source.iter_files("sample"):
            assert read_all(source, file) == (workshop / file.filename).read_bytes()

    def test_it_gives_a_large_file_whole(self, serve: Serve, workshop: Path) -> None:
        path = write_distribution(workshop, WHEEL, size=LARGE)
        source = serve(workshop)
        assert sha256_of(read_all(source, _only(source))) == sha256_of(path.read_bytes())

    def test_it_gives_no_more_bytes_at_once_than_were_asked_for(self, serve: Serve, workshop: Path) -> None:
        content = write_distribution(workshop, WHEEL).read_bytes()
        source = serve(workshop)
        with source.open(_only(source)) as stream:
            assert len(stream.read(7)) <= 7
        assert read_all(source, _only(source), size=7) == content

    def test_its_streams_are_independent(self, serve: Serve, workshop: Path) -> None:
        content = write_distribution(workshop, WHEEL).read_bytes()
        source = serve(workshop)
        with source.open(_only(source)) as one, source.open(_only(source)) as other:
            turns = list(zip_longest(_blocks(one), _blocks(other), fillvalue=b""))
        assert [b"".join(blocks) for blocks in zip(*turns, strict=True)] == [content, content]

    def test_a_reader_may_leave_before_the_end(self, serve: Serve, workshop: Path) -> None:
        content = write_distribution(workshop, WHEEL, size=LARGE).read_bytes()
        source = serve(workshop)
        with source.open(_only(source)) as stream:
            assert stream.read(100)
        assert read_all(source, _only(source)) == content

    def test_a_file_that_vanished_is_not_found(self, serve: Serve, workshop: Path) -> None:
        write_distribution(workshop, WHEEL)
        source = serve(workshop)
        with pytest.raises(NotFound):
            read_all(source, self.taken_away(_only(source)))

    def test_its_files_can_be_pickled_and_opened_afterwards(self, serve: Serve, workshop: Path) -> None:
        content = write_distribution(workshop, WHEEL).read_bytes()
        source = serve(workshop)
        travelled = cast("DistFile", pickle.loads(pickle.dumps(_only(source))))  # noqa: S301  (our own bytes)
        assert travelled == _only(source)
        assert read_all(source, travelled) == content

    def test_eight_threads_can_read_at_once(self, serve: Serve, workshop: Path) -> None:
        names = [f"sample-{n}.0-py3-none-any.whl" for n in range(THREADS)]
        _write(workshop, *names)
        source = serve(workshop)

        def read(name: str) -> bytes:
            return read_all(
                source, next(file for file in source.iter_files("sample") if file.filename == name)
            )

        contents = at_once([partial(read, name) for name in names])
        assert contents == [(workshop / name).read_bytes() for name in names]

    def test_it_names_companions_and_gives_their_bytes(self, serve: Serve, workshop: Path) -> None:
        write_distribution(workshop, WHEEL)
        (workshop / f"{WHEEL}.asc").write_bytes(b"-----BEGIN PGP SIGNATURE-----\r\n\n")
        source = serve(workshop)
        file = _only(source)
        if _keeps_companions(source):
            assert file.companions == (".asc",)
            assert source.read_companion(file, ".asc") == (workshop / f"{WHEEL}.asc").read_bytes()
        elif not isinstance(source, SupportsCompanions):
            assert file.companions == (), "It names companions, but has no way to read them."

    def test_a_companion_that_is_not_there_is_not_found(self, serve: Serve, workshop: Path) -> None:
        write_distribution(workshop, WHEEL)
        source = serve(workshop)
        if isinstance(source, SupportsCompanions):
            with pytest.raises(NotFound):
                source.read_companion(_only(source), ".asc")

    def test_its_inventory_agrees_with_its_listing(self, serve: Serve, workshop: Path) -> None:
        _write(workshop, WHEEL, SDIST, "sample-bar-1.0.tar.gz")
        source = serve(workshop)
        if isinstance(source, SupportsInventory):
            assert _sorted_names(source.inventory("Sample")) == [WHEEL, SDIST]
            for file in source.inventory("sample"):
                assert_true(file, (workshop / file.filename).read_bytes())

    def test_it_names_its_projects_once_and_normalised(self, serve: Serve, workshop: Path) -> None:
        _write(workshop, "Foo.Bar-1.0-py3-none-any.whl", "foo_bar-1.1.tar.gz", WHEEL)
        source = serve(workshop)
        if isinstance(source, SupportsProjects):
            assert sorted(source.projects()) == ["foo-bar", "sample"]

    def test_it_gives_the_part_of_a_file_that_was_asked_for(self, serve: Serve, workshop: Path) -> None:
        content = write_distribution(workshop, WHEEL, size=LARGE).read_bytes()
        source = serve(workshop)
        if isinstance(source, SupportsRange):
            size = len(content)
            for start, stop in ((0, 1), (7, 100), (1, size), (size - 5, None), (size // 2, None)):
                assert _part_of(source, _only(source), start, stop) in (content[start:stop], None)

    def test_a_part_of_a_file_that_vanished_is_not_found(self, serve: Serve, workshop: Path) -> None:
        write_distribution(workshop, WHEEL)
        source = serve(workshop)
        if isinstance(source, SupportsRange):
            gone = self.taken_away(_only(source))
            with pytest.raises((NotFound, Rejected)), source.open_range(gone, 1, None) as stream:
                stream.read(1)

    def test_its_local_paths_lead_to_the_bytes(self, serve: Serve, workshop: Path) -> None:
        content = write_distribution(workshop, WHEEL).read_bytes()
        source = serve(workshop)
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
    """A part of a file; nothing if the place gives out only whole files."""
    try:
        with source.open_range(file, start, stop) as stream:
            return b"".join(_blocks(stream))
    except Rejected:
        return None


def _sorted_names(files: Iterable[DistFile]) -> list[str]:
    return sorted(file.filename for file in files)


def _blocks(stream: ByteStream) -> Iterator[bytes]:
    return iter(lambda: stream.read(100), b"")


def _keeps_companions(source: Source) -> TypeGuard[SupportsCompanions]:
    """Whether companions that were served must be there; a store may show some and yet take none."""
    takes = isinstance(source, SupportsCompanionStorage) or not isinstance(source, Sink)
    return takes and isinstance(source, SupportsCompanions)
