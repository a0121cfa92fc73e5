"""The options of `wheel-uploader`, one by one."""

import importlib.metadata
import os
import pty
import shlex
import subprocess
from pathlib import Path

import pytest
from tests.servers.process import script

from wheelrelay.checks import Profile
from wheelrelay.compat.upload import pypirc_remote
from wheelrelay.config import pypi_urls
from wheelrelay.errors import ConfigError
from wheelrelay.model import Confirm
from wheelrelay.testing import make_sdist, make_wheel

MAC = "sample-1.0-cp36-cp36m-macosx_10_6_intel.whl"


@pytest.fixture
def page(web, tmp_path):
    """The address of a page with a macOS wheel, without a slash at its end."""
    make_wheel(tmp_path / "container", "sample", "1.0", "cp36-cp36m-macosx_10_6_intel")
    return web.serve_folder(tmp_path / "container", at="/wheels/").rstrip("/")


@pytest.mark.parametrize("words", [(), ("sample",), ("sample", "1.0", "more")], ids=len)
def test_wrong_number_of_arguments_prints_help(wheel_uploader, words):
    ended = wheel_uploader(*words)
    assert ended.code == 1
    assert ended.out.startswith("Usage: wheel-uploader [OPTIONS] PACKAGE_NAME VERSION")


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_has_every_option_and_the_new_command(wheel_uploader, option):
    ended = wheel_uploader(option)
    assert ended.code == 0
    options = (
        *("-u, --wheel-url-dir", "-w, --wheel-dir", "-t, --wheel-type", "-c, --clobber", "-n, --no-twine"),
        *("-s, --sign", "-r, --repository", "-v, --verbose", "--version", "-h, --help"),
    )
    assert [option for option in options if option not in ended.out] == []
    assert "wheelrelay relay --from listing+URL" in ended.out


def test_new_command_in_help_downloads_the_same_files(wheel_uploader, web, tmp_path):
    for tag in (
        "cp36-cp36m-macosx_10_6_intel",
        "py3-none-any",
        "cp36-cp36m-win32",
        "cp36-cp36m-manylinux1_i686",
        "cp313-cp313t-macosx_11_0_arm64",
    ):
        make_wheel(tmp_path / "container", "sample", "1.0", tag)
    make_sdist(tmp_path / "container", "sample", "1.0")
    page = web.serve_folder(tmp_path / "container", at="/wheels/")
    assert wheel_uploader("-n", "-u", page, "-w", tmp_path / "old", "-t", "macosx", "sample", "1.0").code == 0

    told = wheel_uploader("-h").out.partition("  wheelrelay relay ")[2].partition("\n  If SECTION")[0]
    words = shlex.split(
        told.replace("\\\n", " ").replace("URL", page).replace("SECTION", str(tmp_path / "new"))
    )
    words = ["sample==1.0" if word == "NAME==VERSION" else word for word in words if word != "--sign"]
    subprocess.run([script("wheelrelay"), "relay", *words, "--yes"], check=True, capture_output=True)
    old, new = ({path.name for path in (tmp_path / way).glob("*.*")} for way in ("old", "new"))
    assert old == new == {MAC, "sample-1.0-py3-none-any.whl", "sample-1.0-cp313-cp313t-macosx_11_0_arm64.whl"}


def test_missing_key_downloads_nothing(wheel_uploader, web, tmp_path, pypirc):
    make_wheel(tmp_path / "container", "sample", "1.0", "py3-none-any")
    page = web.serve_folder(tmp_path / "container", at="/wheels/")
    ended = wheel_uploader("-r", "warehouse", "-s", "-u", page, "-w", tmp_path / "to", "sample", "1.0")
    assert ended.code == 2
    assert web.paths() == []


def test_version(wheel_uploader):
    assert importlib.metadata.version("wheelrelay") in wheel_uploader("--version").out


def test_defaults_are_macos_and_working_directory(wheel_uploader, page):
    assert wheel_uploader("-n", "-u", page, "sample", "1.0").code == 0
    assert [path.name for path in Path.cwd().iterdir()] == [MAC]


def test_wheel_dir_expands_home_and_is_created(wheel_uploader, page, home):
    ended = wheel_uploader("-n", "-u", f"{page}/", "-w", "~/new/wheelhouse", "sample", "1.0")
    assert ended.code == 0
    assert [path.name for path in (home / "new" / "wheelhouse").iterdir()] == [MAC]


def test_verbose_prints_more(wheel_uploader, page, pypirc):
    ended = wheel_uploader("-v", "-r", "warehouse", "-u", page, "sample", "1.0")
    assert "INFO Credentials for 'warehouse'" in ended.err


def test_page_may_be_a_file(wheel_uploader, web, page):
    index = web.serve("/wheels/index.html", f'<a href="{MAC}">x</a>')
    assert wheel_uploader("-n", "-u", index, "sample", "1.0").code == 0


def test_missing_page_exits_with_2(wheel_uploader):
    ended = wheel_uploader("sample", "1.0")
    assert ended.code == 2
    assert "-u" in ended.err


@pytest.mark.parametrize("name", ["darwin", "windows", "manylinux*", "osx", ""])
def test_unknown_type_is_refused(wheel_uploader, page, name):
    ended = wheel_uploader("-n", "-u", page, "-t", name, "sample", "1.0")
    assert ended.code == 2
    assert "manylinux2014" in ended.err


def test_unknown_version_exits_with_1(wheel_uploader, page):
    ended = wheel_uploader("-n", "-u", page, "sample", "2.0")
    assert ended.code == 1
    assert "Available versions of sample: 1.0" in ended.err


def test_no_wheel_of_the_type_lists_platforms(wheel_uploader, page):
    ended = wheel_uploader("-n", "-u", page, "-t", "win", "sample", "1.0")
    assert ended.code == 1
    assert "no wheel for win." in ended.err
    assert "macosx_10_6_intel" in ended.err


def test_no_wheels_are_reported(wheel_uploader, web):
    page = web.serve("/wheels/", '<a href="sample-1.0.tar.gz">x</a>')
    assert "It has no wheels." in wheel_uploader("-n", "-u", page, "sample", "1.0").err


def test_refusal_of_the_index_is_printed(wheel_uploader, page, pypirc):
    pypirc.write_text(pypirc.read_text().replace("password: ", "password: not"))
    ended = wheel_uploader("-r", "warehouse", "-u", page, "sample", "1.0")
    assert ended.code == 1
    assert "failed" in ended.out
    assert "401" in ended.err or "403" in ended.err


def test_never_prompts(page, pypirc, pypiserver, tmp_path):
    controller, terminal = pty.openpty()
    try:
        command = [script("wheel-uploader"), "-r", "warehouse", "-u", page, "-w", str(tmp_path), "sample"]
        done = subprocess.run([*command, "1.0"], stdin=terminal, stdout=terminal, stderr=terminal, timeout=60)
    finally:
        os.close(terminal)
        os.close(controller)
    assert done.returncode == 0
    assert (pypiserver.folder / MAC).exists()


class TestSections:
    """Where ``-r`` leads; nothing is sent."""

    @pytest.fixture
    def written(self, home):
        """A ``~/.pypirc`` with one section ``there`` of some address."""

        def write(repository, name="there"):
            line = "" if repository is None else f"repository = {repository}\n"
            (home / ".pypirc").write_text(f"[distutils]\nindex-servers = {name}\n\n[{name}]\n{line}")

        return write

    @pytest.mark.parametrize(
        ("upload", "simple"),
        [
            (pypi_urls.PYPI_UPLOAD, pypi_urls.PYPI_SIMPLE),
            (pypi_urls.TESTPYPI_UPLOAD, pypi_urls.TESTPYPI_SIMPLE),
            ("https://upload.pypi.io/legacy/", pypi_urls.PYPI_SIMPLE),
            ("https://pypi.python.org/pypi", pypi_urls.PYPI_SIMPLE),
            ("https://testpypi.python.org/pypi", pypi_urls.TESTPYPI_SIMPLE),
        ],
    )
    def test_pypi_sections_have_a_simple_api(self, written, upload, simple):
        written(upload)
        said = []
        remote = pypirc_remote("there", said.append)
        assert (remote.config.upload_url, remote.config.url) == (upload, simple)
        assert remote.confirm is Confirm.INDEX
        assert remote.checks.profile is Profile.PYPI
        assert said == []

    def test_other_sections_are_not_confirmed(self, written):
        written("https://packages.example.org/legacy/")
        said = []
        remote = pypirc_remote("there", said.append)
        assert (remote.config.url, remote.confirm) == (None, Confirm.NONE)
        assert remote.checks.profile is Profile.INDEX
        assert "neither compared with existing files nor confirmed" in said[0]

    def test_section_named_pypi_uses_its_repository(self, written):
        written("https://packages.example.org/legacy/", name="pypi")
        assert pypirc_remote("pypi", print).config.upload_url == "https://packages.example.org/legacy/"

    def test_pypi_needs_no_section(self):
        assert pypirc_remote("pypi", print).config.upload_url == pypi_urls.PYPI_UPLOAD

    def test_missing_section_is_named(self, written):
        written("https://packages.example.org/legacy/")
        with pytest.raises(ConfigError, match=r"no section \[three\].*there"):
            pypirc_remote("three", print)

    def test_section_without_repository_is_named(self, written):
        written(None)
        with pytest.raises(ConfigError, match=r"\[there\]"):
            pypirc_remote("there", print)
