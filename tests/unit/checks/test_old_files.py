"""Old and unusual files of PyPI can be copied, although most of them violate today's rules."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.servers.installers import pip_download
from tests.unit.checks.real_files import real_files

import wheelrelay
from wheelrelay import Remote, Route
from wheelrelay.backends.index import IndexConfig
from wheelrelay.backends.local.directory import DirectoryConfig
from wheelrelay.backends.web.listing import ListingConfig
from wheelrelay.checks import ChecksConfig, Profile, check_files
from wheelrelay.filenames import parse_filename
from wheelrelay.records import Severity

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

INSTALLERS = ("setuptools-0.6c11-py2.7.egg", "setuptools-0.6c11.win32-py2.7.exe", "setuptools-0.6c11.rpm")
"""Other files on old pages, which are neither wheels nor sdists."""


class Old(NamedTuple):
    """A row of the table."""

    oddity: str
    project: str
    filename: str
    sha256: str


TABLE = Path(__file__).with_name("old_files.txt").read_text(encoding="utf-8").splitlines()
FILES = [Old(*map(str.strip, row.split("|"))) for row in TABLE if not row.startswith("#")]
SHA256S = {file.filename: file.sha256 for file in FILES}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with all files of the table."""
    folder = tmp_path_factory.mktemp("old")
    with real_files() as pypi, ThreadPoolExecutor(4) as pool:
        pages = pool.map(pypi.of, sorted({file.project for file in FILES}))
        on_pypi = {(file.filename, file.sha256): file for page in pages for file in page}
        files = [on_pypi[file.filename, file.sha256] for file in FILES]
        for path in pool.map(pypi.fetch, files):
            (folder / path.name).symlink_to(path)
    return folder


def arrived(folder):
    return {file.filename: file.sha256 for file in wheelrelay.list_files(str(folder), with_digests=True)}


def serve_index(web, container):
    """Serve a container with its pages; return the URL of its Simple API."""
    web.serve_folder(container)
    for page in (container / "simple").rglob("index.html"):
        web.serve(f"/{page.parent.relative_to(container).as_posix()}/", page.read_text(encoding="utf-8"))
    return f"{web.url}simple/"


def test_table_has_enough_files_and_oddities():
    assert len(FILES) >= 60
    assert len({file.oddity for file in FILES}) >= 12


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.oddity}-{file.filename}")
def test_profile_storage_accepts_old_file(file, folder):
    stored = check_files([folder / file.filename], ChecksConfig(profile=Profile.STORAGE).policy())
    assert [finding for finding in stored if finding.severity is Severity.ERROR] == []


def test_old_files_are_pushed_mirrored_and_downloaded(folder, tmp_path, web):
    container = Remote("container", DirectoryConfig(path=tmp_path / "container", pages=True))
    wheelrelay.push([folder], container)
    assert arrived(tmp_path / "container") == SHA256S

    index = Remote("index", IndexConfig(url=serve_index(web, tmp_path / "container")))
    mirror = Route(source=index, sinks=[str(tmp_path / "mirror")], mode="mirror")
    assert wheelrelay.relay(mirror).is_complete
    assert arrived(tmp_path / "mirror") == SHA256S

    for name, version in sorted({parse_filename(name)[:2] for name in SHA256S}):
        wheelrelay.relay(Route(source=index, sinks=[str(tmp_path / "wheelhouse")]), [f"{name}==={version}"])
    assert arrived(tmp_path / "wheelhouse") == SHA256S


def test_pip_downloads_old_files_from_a_container(folder, tmp_path, web):
    """Only universal wheels, since pip would build sdists."""
    wheelrelay.push([folder], Remote("container", DirectoryConfig(path=tmp_path / "container", pages=True)))
    universal = [file for file in FILES if file.filename.endswith("py3-none-any.whl")]
    fitting = {
        parse_filename(file.filename).project: file.filename
        for file in universal
        if "requirement" not in file.oddity  # which pip refuses since 24.1
    }
    requirements = [f"{project}==={parse_filename(name).version}" for project, name in fitting.items()]
    address = serve_index(web, tmp_path / "container")
    options = ("--index-url", address, "--no-deps", "--ignore-requires-python")
    assert set(pip_download(tmp_path / "downloaded", *options, *requirements)) == set(fitting.values())


def test_old_files_are_relayed_from_a_listing_with_other_files(folder, tmp_path, web):
    page = "".join(f'<a href="../{name}">{name}</a>\n' for name in (*SHA256S, *INSTALLERS))
    web.serve_folder(folder)
    listing = ListingConfig(url=web.serve("/page/", page))
    route = Route(source=Remote("listing", listing), sinks=[str(tmp_path / "mirror")], mode="mirror")
    assert wheelrelay.relay(route).is_complete
    assert arrived(tmp_path / "mirror") == SHA256S


def test_old_files_with_metadata_are_uploaded_to_an_index(folder, tmp_path, pypiserver, monkeypatch):
    """An upload needs a name and a version; pypiserver accepts everything else."""
    monkeypatch.setenv("INDEX_PASSWORD", pypiserver.password)
    index = IndexConfig(
        url=pypiserver.simple_url,
        upload_url=pypiserver.upload_url,
        username=pypiserver.username,
        password={"env": "INDEX_PASSWORD"},
    )
    without = {file.filename for file in FILES if "PKG-INFO" in file.oddity}
    paths = [path for path in folder.iterdir() if path.name not in without]
    wheelrelay.push(paths, Remote("company", index))
    assert arrived(pypiserver.folder) == {path.name: SHA256S[path.name] for path in paths}
