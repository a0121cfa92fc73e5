"""Paths, directories and patterns lead to distribution files, and nothing is guessed."""

import os

import pytest

from wheelrelay.backends.local.paths import PathsSource, find_paths
from wheelrelay.errors import BackendError, ConfigError, InvalidFilename, NotFound
from wheelrelay.protocols import Source, SupportsCompanions, SupportsLocalPath
from wheelrelay.testing import SourceContract, make_sdist, make_wheel


@pytest.fixture
def dist(tmp_path):
    folder = tmp_path / "dist"
    make_wheel(folder, "sample", "1.0")
    make_sdist(folder, "sample", "1.0")
    make_wheel(folder, "other", "2.0")
    return folder


def names(source, project=None):
    return sorted(file.filename for file in source.iter_files(project))


class TestPaths(SourceContract):
    @pytest.fixture
    def serve(self):
        def find(folder):
            (folder / "sample-2.0-whatever.whl").unlink(missing_ok=True)  # refused, as shown below
            return find_paths([folder]) if list(folder.glob("*.*")) else PathsSource({})

        return find


def test_path_selects_one_file(dist):
    assert names(find_paths([dist / "sample-1.0.tar.gz"])) == ["sample-1.0.tar.gz"]


def test_directory_selects_distributions_directly_in_it(dist):
    (dist / "README.txt").write_text("Hello.")
    make_wheel(dist / "below", "third")
    make_wheel(dist, "hidden", filename=".hidden-1.0-py3-none-any.whl")
    assert names(find_paths([str(dist)])) == [
        "other-2.0-py3-none-any.whl",
        "sample-1.0-py3-none-any.whl",
        "sample-1.0.tar.gz",
    ]


def test_glob_pattern_selects_matching_files(dist, monkeypatch):
    assert names(find_paths([f"{dist}/sample*.whl"])) == ["sample-1.0-py3-none-any.whl"]
    monkeypatch.chdir(dist.parent)
    assert names(find_paths(["**/*.tar.gz"])) == ["sample-1.0.tar.gz"]


def test_existing_path_with_glob_characters_is_a_path(tmp_path):
    make_wheel(tmp_path / "build[1]")
    assert names(find_paths([tmp_path / "build[1]"])) == ["sample-1.0-py3-none-any.whl"]
    assert names(find_paths([tmp_path / "build[1]" / "sample-1.0-py3-none-any.whl"])) != []


def test_expands_tilde(home):
    make_wheel(home / "dist")
    assert names(find_paths(["~/dist"])) == ["sample-1.0-py3-none-any.whl"]


def test_repeated_path_is_one_file(dist):
    wheel = dist / "sample-1.0-py3-none-any.whl"
    assert names(find_paths([dist, wheel, f"{dist}/*.whl"])) == names(find_paths([dist]))


def test_two_files_with_one_name_are_refused(dist, tmp_path):
    make_wheel(tmp_path / "again", "sample", "1.0", payload=b"x")
    with pytest.raises(ConfigError, match="the same filename"):
        find_paths([dist, tmp_path / "again"])


@pytest.mark.parametrize("missing", ["nowhere", "nowhere/*.whl", "empty"])
def test_path_without_files_is_an_error(tmp_path, monkeypatch, missing):
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=missing.replace("*", r"\*")):
        find_paths([missing])


def test_other_file_is_refused_as_a_path(dist):
    (dist / "notes.txt").write_text("Hello.")
    with pytest.raises(InvalidFilename, match=r"notes\.txt"):
        find_paths([dist / "notes.txt"])


@pytest.mark.parametrize(
    "name", ["sample-2.0-whatever.whl", "SAMPLE-2.0-py3-none-any.WHL", "sample-x.tar.gz"]
)
def test_invalid_name_in_a_directory_is_a_finding(dist, name):
    (dist / name).write_bytes(b"PK")
    source = find_paths([dist])
    assert [(found.filename, found.check) for found in source.misnamed()] == [(name, "filename")]
    assert names(source) == names(find_paths([f"{dist}/*1.0*", f"{dist}/other*"]))


def test_broken_and_circular_links_are_findings(dist):
    (dist / "sample-2.0.tar.gz").symlink_to("gone.tar.gz")
    (dist / "loop-1.0.tar.gz").symlink_to("loop-1.0.tar.gz")
    source = find_paths([dist])
    assert sorted(found.filename for found in source.dangling()) == ["loop-1.0.tar.gz", "sample-2.0.tar.gz"]
    assert len(names(source)) == 3


def test_files_are_found_by_any_spelling_of_the_project(tmp_path):
    make_wheel(tmp_path, "Foo.Bar")
    make_wheel(tmp_path, "foo")
    assert names(find_paths([tmp_path]), "foo_bar") == ["foo_bar-1.0-py3-none-any.whl"]


def test_reads_companions_next_to_a_file(dist):
    (dist / "sample-1.0.tar.gz.asc").write_bytes(b"signature")
    source = find_paths([dist / "sample-1.0.tar.gz"])
    assert isinstance(source, SupportsCompanions)
    [file] = source.iter_files(None)
    assert file.companions == (".asc",)
    assert source.read_companion(file, ".asc") == b"signature"


def test_deleted_file_is_not_found(dist):
    source = find_paths([dist])
    assert isinstance(source, Source)
    assert isinstance(source, SupportsLocalPath)
    file = next(source.iter_files("other"))
    path = source.local_path(file)
    path.unlink()
    with pytest.raises(NotFound), source.open(file):
        pass
    with pytest.raises(NotFound):
        source.read_companion(file, ".asc")
    with pytest.raises(NotFound):
        list(source.iter_files("other"))


def test_unreadable_file_is_an_error_with_the_reason(dist):
    source = find_paths([dist])
    file = next(source.iter_files("other"))
    path = source.local_path(file)
    path.unlink()
    path.mkdir()
    with pytest.raises(BackendError, match="Is a directory"), source.open(file) as stream:
        stream.read(10)
    os.mkfifo(dist / "pipe-1.0-py3-none-any.whl")
    assert "pipe-1.0-py3-none-any.whl" not in names(find_paths([f"{dist}/*.whl"]))
