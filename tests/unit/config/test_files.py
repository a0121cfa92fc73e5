"""Configuration files are found safely, and text files are read as editors and shells save them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from wheelrelay.config import load_config
from wheelrelay.config.files import read_text
from wheelrelay.errors import ConfigError

RELEASE = """
[routes.release]
source = "./dist"
sinks = "pypi"
"""

CONFIG = '[remotes.staging]\r\ntype = "directory"\r\npath = "dist"\r\n'
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16"]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_reads_text_that_editors_and_powershell_write(tmp_path, encoding):
    (tmp_path / "sums.txt").write_bytes("größe\r\n".encode(encoding))
    assert read_text(tmp_path / "sums.txt") == "größe\r\n"


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_reads_a_configuration_in_any_of_these_encodings(tmp_path, encoding):
    (tmp_path / "wheelrelay.toml").write_bytes(CONFIG.encode(encoding))
    assert load_config(tmp_path / "wheelrelay.toml").remote("staging").name == "staging"


@pytest.mark.parametrize("content", [b"gr\xf6\xdfe", b"\xff\xfe\x00", b"\xff\xfe\x00\xd8"])
def test_refuses_other_encodings(tmp_path, content):
    (tmp_path / "sums.txt").write_bytes(content)
    with pytest.raises(ConfigError, match=r"sums\.txt is not UTF-8 text\. Save it as UTF-8"):
        read_text(tmp_path / "sums.txt")


def test_reports_a_file_that_cannot_be_read(tmp_path):
    with pytest.raises(ConfigError, match=r"missing\.txt cannot be read: No such file"):
        read_text(tmp_path / "missing.txt")


class TestFinding:
    @pytest.fixture
    def deep(self, tmp_path, monkeypatch):
        """The working directory, some folders below ``tmp_path``."""
        folder = tmp_path / "a" / "b"
        folder.mkdir(parents=True)
        monkeypatch.chdir(folder)
        return folder

    def test_finds_the_nearest_file_upward(self, deep, tmp_path):
        (tmp_path / "wheelrelay.toml").write_text(RELEASE)
        (tmp_path / "a" / "wheelrelay.toml").write_text(RELEASE)
        assert load_config().path == tmp_path / "a" / "wheelrelay.toml"

    def test_finds_a_pyproject_with_the_table(self, deep, tmp_path):
        (deep / "pyproject.toml").write_text("[project]\nname = 'x'\n")
        (tmp_path / "pyproject.toml").write_text(
            "[tool.wheelrelay.routes.r]\nsource = './dist'\nsinks = 'pypi'\n"
        )
        config = load_config()
        assert (config.path, list(config.routes)) == (tmp_path / "pyproject.toml", ["r"])

    def test_prefers_wheelrelay_toml_to_pyproject_in_one_folder(self, deep):
        (deep / "pyproject.toml").write_text("[tool.wheelrelay]\n")
        (deep / "wheelrelay.toml").write_text("")
        assert load_config().path == deep / "wheelrelay.toml"

    def test_environment_variable_overrides_the_search(self, deep, tmp_path, monkeypatch):
        (deep / "wheelrelay.toml").write_text("")
        (tmp_path / "other.toml").write_text(RELEASE)
        monkeypatch.setenv("WHEELRELAY_CONFIG", str(tmp_path / "other.toml"))
        assert load_config().path == tmp_path / "other.toml"
        assert load_config("wheelrelay.toml").path == Path("wheelrelay.toml")

    def test_no_file_is_an_empty_configuration(self, deep):
        config = load_config()
        assert (config.path, config.remotes, config.routes) == (None, {}, {})
        assert config.remote("pypi").name == "pypi"

    def test_a_named_file_must_exist(self, tmp_path):
        with pytest.raises(ConfigError, match=r"gone\.toml cannot be read: No such file"):
            load_config(tmp_path / "gone.toml")

    def test_a_named_pyproject_must_have_the_table(self, tmp_path):
        (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")
        with pytest.raises(ConfigError, match=r"has no \[tool.wheelrelay\] table"):
            load_config(tmp_path / "pyproject.toml")

    @pytest.mark.parametrize("content", [b"remotes = [", b'a = "\xff"'])
    def test_refuses_a_file_that_is_not_toml(self, tmp_path, content):
        (tmp_path / "wheelrelay.toml").write_bytes(content)
        with pytest.raises(ConfigError, match=r"is not (valid TOML|UTF-8)"):
            load_config(tmp_path / "wheelrelay.toml")


class TestFilesWritableByOthers:
    """A configuration runs commands and receives secrets, so only this user may be able to write it."""

    COMMAND = (
        "[remotes.x]\ntype = 'index'\nurl = 'https://example.org/'\ntoken = {command = ['touch', 'ran']}\n"
    )

    @pytest.fixture
    def work(self, tmp_path, monkeypatch):
        """The working directory, two folders below ``tmp_path``."""
        folder = tmp_path / "theirs" / "mine"
        folder.mkdir(parents=True)
        monkeypatch.chdir(folder)
        return folder

    @pytest.fixture
    def above(self, work):
        """A configuration in the folder above it."""
        path = work.parent / "wheelrelay.toml"
        path.write_text(self.COMMAND)
        return path

    @pytest.mark.parametrize("mode", [0o666, 0o646])
    def test_refuses_a_file_that_others_can_write(self, above, mode):
        above.chmod(mode)
        with pytest.raises(ConfigError, match=r"other users can write to it\. Run chmod go-w .*_CONFIG="):
            load_config()

    def test_refuses_a_file_in_a_folder_that_others_can_write(self, above):
        above.parent.chmod(0o777)
        with pytest.raises(ConfigError, match=r"other users can write to .*theirs\. Run chmod go-w"):
            load_config()
        above.parent.chmod(0o1777)  # like /tmp: only the owner of a file can replace it
        assert load_config().path == above

    def test_refuses_a_link_into_a_folder_that_others_can_write(self, above):
        shared = above.parent.parent / "shared"
        shared.mkdir()
        above.symlink_to(above.rename(shared / "real.toml"))
        assert load_config().path == above
        shared.chmod(0o777)
        with pytest.raises(ConfigError, match=r"other users can write to .*shared\. Run chmod go-w"):
            load_config()

    def test_ignores_pipes_and_devices(self, work):
        for name in ("wheelrelay.toml", "pyproject.toml"):
            os.mkfifo(work / name)
        (work.parent / "pyproject.toml").symlink_to("/dev/zero")
        code = "from wheelrelay import load_config; print(load_config().path)"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=True)
        assert done.stdout == b"None\n"

    def test_refuses_a_huge_file_without_reading_it(self, work):
        project = work / "pyproject.toml"
        project.write_text("[tool.wheelrelay]\n")
        os.truncate(project, 1 << 40)
        with pytest.raises(ConfigError, match=r"pyproject\.toml is larger than 64 MiB"):
            load_config()

    @pytest.mark.skipif(os.geteuid() != 0, reason="needs root to give a file away")
    class TestFilesOfAnotherUser:
        @pytest.fixture
        def theirs(self, above):
            os.chown(above, 4321, 4321)
            return above

        def test_refuses_a_file_that_a_shared_group_can_write(self, above):
            os.chown(above, -1, 4321)
            above.chmod(0o664)
            with pytest.raises(ConfigError, match="other users can write to it"):
                load_config()

        def test_refuses_their_file(self, theirs):
            with pytest.raises(ConfigError, match=r"belongs to the user 4321\. If you trust it"):
                load_config()

        def test_refuses_my_file_in_their_folder(self, above):
            os.chown(above.parent, 4321, 4321)
            with pytest.raises(
                ConfigError,
                match=r"theirs belongs to the user 4321\. If you trust it",
            ):
                load_config()

        def test_refuses_their_link_to_my_file(self, above):
            mine = above.rename(above.with_name("mine.toml"))
            above.symlink_to(mine)
            os.chown(above, 4321, 4321, follow_symlinks=False)
            with pytest.raises(ConfigError, match="belongs to the user 4321"):
                load_config()

        def test_refuses_their_pyproject_with_the_table(self, theirs):
            project = theirs.rename(theirs.with_name("pyproject.toml"))
            project.write_text("[tool.wheelrelay]\n")
            with pytest.raises(ConfigError, match="belongs to the user 4321"):
                load_config()
            project.write_text("[tool.black]\n")
            assert load_config().path is None

        def test_trusts_a_named_file(self, theirs, monkeypatch):
            assert load_config("../wheelrelay.toml").remotes
            monkeypatch.setenv("WHEELRELAY_CONFIG", "../wheelrelay.toml")
            assert load_config().remotes

        def test_trusts_files_of_the_sudo_caller(self, theirs, monkeypatch):
            monkeypatch.setenv("SUDO_UID", "4321")
            assert load_config().path == theirs

    @pytest.mark.parametrize("git", ["folder", "file"])
    def test_search_ends_at_the_repository_root(self, above, work, git):
        (work / ".git").mkdir() if git == "folder" else (work / ".git").write_text("gitdir: elsewhere\n")
        assert load_config().path is None
        (work / "wheelrelay.toml").write_text("")
        assert load_config().path == work / "wheelrelay.toml"

    def test_search_ends_at_the_home_directory(self, above, work, monkeypatch):
        monkeypatch.setenv("HOME", str(work))
        assert load_config().path is None
        monkeypatch.setenv("HOME", str(work.parent))
        assert load_config().path == above


class TestPyprojectOfOtherTools:
    @pytest.fixture(autouse=True)
    def work(self, tmp_path, monkeypatch):
        (tmp_path / "deep").mkdir()
        monkeypatch.chdir(tmp_path / "deep")
        return tmp_path

    @pytest.mark.parametrize(
        "content", [b"[tool.black\n", b"\xff\xfe[\0", b"tool = 3\n", b"[tool.x]\na = 'wheelrelay\n"]
    )
    def test_ignores_a_broken_pyproject_of_another_tool(self, work, content):
        (work / "pyproject.toml").write_bytes(content)
        assert load_config().path is None

    def test_reports_a_broken_pyproject_with_our_table(self, work):
        (work / "pyproject.toml").write_text("[tool.wheelrelay]\nremotes = [\n")
        with pytest.raises(ConfigError, match="is not valid TOML"):
            load_config()

    def test_accepts_a_byte_order_mark(self, work):
        (work / "wheelrelay.toml").write_text(RELEASE, encoding="utf-8-sig")
        assert load_config().route_names() == ["release"]
