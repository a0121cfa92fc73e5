"""The server of the tests is true to GitLab: python-gitlab, a client that others wrote, works with it."""

import gitlab as python_gitlab
import pytest
from tests.servers.gitlab_packages import PROJECT, TOKEN

from wheelrelay.testing import make_wheel, stage_path

WHEEL = "sample-1.0-py3-none-any.whl"


@pytest.fixture
def project(gitlab):
    with python_gitlab.Gitlab(gitlab.url.rstrip("/"), private_token=TOKEN) as client:
        yield client.projects.get(PROJECT, lazy=True)


def test_client_downloads_what_was_uploaded_here(project, store, tmp_path):
    file = stage_path(make_wheel(tmp_path, "sample", "1.0"))
    store.put(file)
    [package] = project.packages.list(package_type="generic", package_name="sample", get_all=True)
    assert (package.name, package.version) == ("sample", "1.0")
    [listed] = package.package_files.list(get_all=True)
    assert (listed.file_name, listed.file_sha256) == (WHEEL, file.sha256)
    content = project.generic_packages.download("sample", "1.0", WHEEL)
    assert content == file.path.read_bytes()


def test_files_that_the_client_uploads_are_listed_here(project, store, tmp_path):
    path = make_wheel(tmp_path, "sample", "1.0")
    uploaded = project.generic_packages.upload("sample", "1.0", WHEEL, path=path, select="package_file")
    assert uploaded.file_sha256 == stage_path(path).sha256
    [file] = store.iter_files("sample")
    assert (file.filename, file.sha256) == (WHEEL, stage_path(path).sha256)


def test_lists_of_the_client_are_complete(project, gitlab):
    gitlab.page_size = 2
    for number in range(5):
        gitlab.add("sample", f"1.{number}", f"sample-1.{number}-py3-none-any.whl", b"x")
    assert len(project.packages.list(get_all=True)) == 5


def test_files_that_the_client_deletes_are_gone_here(project, store, tmp_path):
    store.put(stage_path(make_wheel(tmp_path, "sample", "1.0")))
    [package] = project.packages.list(get_all=True)
    [file] = package.package_files.list(get_all=True)
    file.delete()
    assert list(store.iter_files("sample")) == []
