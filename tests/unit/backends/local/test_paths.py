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


def test_a_path_names_one_file(dist):
    assert names(find_paths([dist / "sample-1.0.tar.gz"])) == ["sample-1.0.tar.gz"]


def test_a_directory_stands_for_the_distributions_directly_in_it(dist):
    (dist / "README.txt").write_text("Hello.")
    make_wheel(dist / "below", "third")
    make_wheel(dist, "hidden", filename=".hidden-1.0-py3-none-any.whl")
    assert names(find_paths([str(dist)])) == [
        "other-2.0-py3-none-any.whl",
        "sample-1.0-py3-none-any.whl",
        "sample-1.0.tar.gz",
    ]


def test_a_pattern_stands_for_what_it_matches(dist, monkeypatch):
    assert names(find_paths([f"{dist}/sample*.whl"])) == ["sample-1.0-py3-none-any.whl"]
    monkeypatch.chdir(dist.parent)
    assert names(find_paths(["**/*.tar.gz"])) == ["sample-1.0.tar.gz"]


def test_a_path_with_the_characters_of_a_pattern_is_a_path(tmp_path):
    make_wheel(tmp_path / "build[1]")
    assert names(find_paths([tmp_path / "build[1]"])) == ["sample-1.0-py3-none-any.whl"]
    assert names(find_paths([tmp_path / "build[1]" / "sample-1.0-py3-none-any.whl"])) != []


def test_the_home_folder_may_be_written_as_a_tilde(home):
    make_wheel(home / "dist")
    assert names(find_paths(["~/dist"])) == ["sample-1.0-py3-none-any.whl"]


def test_a_file_that_is_named_twice_counts_once(dist):
    wheel = dist / "sample-1.0-py3-none-any.whl"
    assert names(find_paths([dist, wheel, f"{dist}/*.whl"])) == names(find_paths([dist]))


def test_two_files_of_one_name_are_refused(dist, tmp_path):
    make_wheel(tmp_path / "again", "sample", "1.0", payload=b"x")
    with pytest.raises(ConfigError, match="the same filename"):
        find_paths([dist, tmp_path / "again"])


@pytest.mark.parametrize("missing", ["nowhere", "nowhere/*.whl", "empty"])
def test_what_leads_to_nothing_is_an_error(tmp_path, monkeypatch, missing):
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=missing.replace("*", r"\*")):
        find_paths([missing])


def test_a_file_that_is_no_distribution_is_refused_when_it_is_named(dist):
    (dist / "notes.txt").write_text("Hello.")
    with pytest.raises(InvalidFilename, match=r"notes\.txt"):
        find_paths([dist / "notes.txt"])


@pytest.mark.parametrize(
    "name", ["sample-2.0-whatever.whl", "SAMPLE-2.0-py3-none-any.WHL", "sample-x.tar.gz"]
)
def test_a_misnamed_file_in_a_directory_is_a_finding_and_no_file(dist, name):
    (dist / name).write_bytes(b"PK")
    source = find_paths([dist])
    assert [(found.filename, found.check) for found in source.misnamed()] == [(name, "filename")]
    assert names(source) == names(find_paths([f"{dist}/*1.0*", f"{dist}/other*"]))


def test_links_to_nothing_and_to_themselves_are_findings(dist):
    (dist / "sample-2.0.tar.gz").symlink_to("gone.tar.gz")
    (dist / "loop-1.0.tar.gz").symlink_to("loop-1.0.tar.gz")
    source = find_paths([dist])
    assert sorted(found.filename for found in source.dangling()) == ["loop-1.0.tar.gz", "sample-2.0.tar.gz"]
    assert len(names(source)) == 3


def test_files_are_told_by_project_in_any_spelling(tmp_path):
    make_wheel(tmp_path, "Foo.Bar")
    make_wheel(tmp_path, "foo")
    assert names(find_paths([tmp_path]), "foo_bar") == ["foo_bar-1.0-py3-none-any.whl"]


def test_companions_beside_a_file_belong_to_it(dist):
    (dist / "sample-1.0.tar.gz.asc").write_bytes(b"signature")
    source = find_paths([dist / "sample-1.0.tar.gz"])
    assert isinstance(source, SupportsCompanions)
    [file] = source.iter_files(None)
    assert file.companions == (".asc",)
    assert source.read_companion(file, ".asc") == b"signature"


def test_what_went_away_is_not_found(dist):
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


def test_what_cannot_be_read_says_why(dist):
    source = find_paths([dist])
    file = next(source.iter_files("other"))
    path = source.local_path(file)
    path.unlink()
    path.mkdir()
    with pytest.raises(BackendError, match="Is a directory"), source.open(file) as stream:
        stream.read(10)
    os.mkfifo(dist / "pipe-1.0-py3-none-any.whl")
    assert "pipe-1.0-py3-none-any.whl" not in names(find_paths([f"{dist}/*.whl"]))
