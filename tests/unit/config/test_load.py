"""The configuration is found, read and validated; what is wrong is told by its key."""

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from wheelrelay.config import Config, load_config
from wheelrelay.errors import ConfigError, UnknownBackend

Write = Callable[[str], Config]

RELEASE = """
[remotes.staging]
type = "directory"
path = "wheels"

[remotes.company]
type = "index"
url = "https://packages.example.org/simple/"
upload_url = "https://packages.example.org/legacy/"
username = "ci"
password = { keyring = "packages.example.org", username = "ci" }

[routes.release]
source = "staging"
sinks = ["testpypi", "company"]
projects = ["astropy"]

[routes.release.expect]
wheels = ["cp{311,312}-*-manylinux*_x86_64"]
sdist = true
"""


@pytest.fixture
def load(tmp_path: Path) -> Write:
    """Write ``wheelrelay.toml`` and load it."""

    def write_and_load(text: str) -> Config:
        path = tmp_path / "wheelrelay.toml"
        path.write_text(text)
        return load_config(path)

    return write_and_load


class TestFinding:
    @pytest.fixture
    def deep(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """The working directory, some folders below ``tmp_path``."""
        folder = tmp_path / "a" / "b"
        folder.mkdir(parents=True)
        monkeypatch.chdir(folder)
        return folder

    def test_the_nearest_file_upward_is_taken(self, deep: Path, tmp_path: Path) -> None:
        (tmp_path / "wheelrelay.toml").write_text(RELEASE)
        (tmp_path / "a" / "wheelrelay.toml").write_text(RELEASE)
        assert load_config().path == tmp_path / "a" / "wheelrelay.toml"

    def test_a_pyproject_counts_if_it_has_the_table(self, deep: Path, tmp_path: Path) -> None:
        (deep / "pyproject.toml").write_text("[project]\nname = 'x'\n")
        (tmp_path / "pyproject.toml").write_text(
            "[tool.wheelrelay.routes.r]\nsource = './dist'\nsinks = 'pypi'\n"
        )
        found = load_config()
        assert (found.path, list(found.routes)) == (tmp_path / "pyproject.toml", ["r"])

    def test_a_file_of_its_own_wins_over_a_pyproject_beside_it(self, deep: Path) -> None:
        (deep / "pyproject.toml").write_text("[tool.wheelrelay]\n")
        (deep / "wheelrelay.toml").write_text("")
        assert load_config().path == deep / "wheelrelay.toml"

    def test_the_environment_names_the_file(
        self, deep: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (deep / "wheelrelay.toml").write_text("")
        (tmp_path / "other.toml").write_text(RELEASE)
        monkeypatch.setenv("WHEELRELAY_CONFIG", str(tmp_path / "other.toml"))
        assert load_config().path == tmp_path / "other.toml"
        assert load_config("wheelrelay.toml").path == Path("wheelrelay.toml")

    def test_none_at_all_is_an_empty_configuration(self, deep: Path) -> None:
        nothing = load_config()
        assert (nothing.path, nothing.remotes, nothing.routes) == (None, {}, {})
        assert nothing.remote("pypi").name == "pypi"

    def test_a_named_file_must_be_there(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match=r"gone\.toml cannot be read: No such file"):
            load_config(tmp_path / "gone.toml")

    def test_a_named_pyproject_must_have_the_table(self, tmp_path: Path) -> None:
        (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")
        with pytest.raises(ConfigError, match=r"has no \[tool.wheelrelay\] table"):
            load_config(tmp_path / "pyproject.toml")

    @pytest.mark.parametrize("content", [b"remotes = [", b'a = "\xff"'])
    def test_what_is_no_toml_is_refused(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "wheelrelay.toml").write_bytes(content)
        with pytest.raises(ConfigError, match=r"is not (valid TOML|UTF-8)"):
            load_config(tmp_path / "wheelrelay.toml")


class TestContent:
    def test_remotes_and_routes_are_read(self, load: Write) -> None:
        config = load(RELEASE)
        route = config.route("release")
        assert [remote.name for remote in (route.source, *route.sinks)] == ["staging", "testpypi", "company"]
        assert config.remote("company").config.url == "https://packages.example.org/simple/"
        assert config.route_names() == ["release"]

    def test_a_relative_path_counts_from_the_file(self, load: Write, tmp_path: Path) -> None:
        assert load(RELEASE).remote("staging").config.path == tmp_path / "wheels"

    def test_the_presets_need_no_type_and_can_be_changed(self, load: Write) -> None:
        config = load('[remotes.pypi]\nusername = "me"\n')
        assert config.remote("pypi").config.username == "me"
        assert config.remote("testpypi").config.username is None
        assert config.remote("pypi").config.upload_url

    def test_a_route_can_name_addresses(self, load: Write) -> None:
        route = load("[routes.r]\nsource = 'listing+https://example.org/'\nsinks = './out'\n").route("r")
        assert (route.source.config.type, route.sinks[0].config.type) == ("listing", "directory")

    def test_a_configuration_travels_with_its_secrets_unresolved(
        self, load: Write, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PASSWORD", "hunter2")
        config = load(
            RELEASE.replace('{ keyring = "packages.example.org", username = "ci" }', '{env="PASSWORD"}')
        )
        travelled = pickle.loads(pickle.dumps(config))
        assert travelled == config
        assert b"hunter2" not in pickle.dumps(config)
        assert "hunter2" not in repr(config)


class TestMistakes:
    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("[remote.x]\n", "wheelrelay.toml: there is no key 'remote'. Did you mean 'remotes'?"),
            (
                "[remotes.x]\ntype='index'\nurl='https://e.org/'\nuploadurl='https://e.org/'\n",
                "wheelrelay.toml: remotes.x: there is no key 'uploadurl'. Did you mean 'upload_url'?",
            ),
            (
                "[remotes.x]\ntype='index'\nurl='https://e.org/'\nupload-url='https://e.org/'\n",
                "remotes.x: there is no key 'upload-url'. Did you mean 'upload_url'?",
            ),
            (
                "[remotes.x]\ntype='listing'\nurl='https://e.org/'\nupload-url='https://e.org/'\n",
                "remotes.x: there is no key 'upload-url'. Known are: recursive, timeout, type, url.",
            ),
            ("[remotes.x]\ntype='directory'\n", "wheelrelay.toml: remotes.x.path: this key is required."),
            ("[remotes.x]\npath='y'\n", "wheelrelay.toml: remotes.x.type: this key is required."),
            ("remotes = 3\n", "wheelrelay.toml: remotes: 'remotes' is not a table."),
            ("[remotes]\nx = 3\n", "wheelrelay.toml: remotes: 'x' is not a table. Write [remotes.NAME]."),
            ("[remotes.'./x']\ntype='directory'\npath='x'\n", "a name cannot look like an address."),
            ("[routes.r]\nsinks=['pypi']\n", "wheelrelay.toml: routes.r.source: this key is required."),
            ("[routes.r]\nsource='./d'\nsinks=[]\n", "wheelrelay.toml: routes.r.sinks: "),
            ("[routes.r]\nsource='stagin'\nsinks='pypi'\n", "routes.r.source: there is no remote 'stagin'."),
            ("[routes.r]\nsource='./d'\nsinks='pypi'\nwheel=[]\n", "Did you mean 'wheels'?"),
            (
                "[routes.r]\nsource='./d'\nsinks='pypi'\nwheels=['cp312']\n",
                "routes.r.wheels.0: 'cp312' is not",
            ),
            (
                "[routes.r]\nsource='./d'\nsinks='pypi'\nprojects=['a b']\n",
                "routes.r.projects.0: 'a b' is not",
            ),
            ("[routes.r]\nsource='./d'\nsinks='pypi'\nmode='copy'\n", "routes.r.mode: input should be"),
            (
                "[routes.r]\nsource='./d'\nsinks='pypi'\nexpect={whels=[]}\n",
                "wheelrelay.toml: routes.r.expect: there is no key 'whels'. Did you mean 'wheels'?",
            ),
            (
                "[remotes.pypi]\npassword={keyring='x', user='me'}\n",
                "remotes.pypi.password: there is no key 'user'. Did you mean 'username'?",
            ),
            (
                "[remotes.pypi]\npassword={keyring='x'}\n",
                "remotes.pypi.password.username: this key is required.",
            ),
            ("[remotes.pypi]\ntoken={env=3}\n", "remotes.pypi.token.env: input should be a valid string."),
            (
                "[remotes.x]\ntype='listing'\nurl='ftp://e.org/'\n",
                "remotes.x.url: this is not an http or https",
            ),
        ],
    )
    def test_each_is_told_by_the_path_of_its_key(self, load: Write, text: str, told: str) -> None:
        with pytest.raises(ConfigError) as caught:
            load(text)
        assert told in str(caught.value)

    def test_all_of_a_table_are_told_at_once(self, load: Write) -> None:
        with pytest.raises(ConfigError, match=r"remotes\.x\.url: .*remotes\.x: there is no key 'recursiv'"):
            load("[remotes.x]\ntype='listing'\nurl='nowhere'\nrecursiv=true\n")

    @pytest.mark.parametrize(
        "line",
        ["password = 'hunter2'", "token = 'hunter2'", "password = ['hunter2']", "password = {x='hunter2'}"],
    )
    def test_a_secret_in_plain_text_is_refused_and_not_repeated(self, load: Write, line: str) -> None:
        with pytest.raises(ConfigError, match=r'Refer to it: { env = "NAME" }') as caught:
            load(f"[remotes.pypi]\n{line}\n")
        assert "hunter2" not in f"{caught.value} {caught.value.__cause__}"

    def test_credentials_in_an_address_are_refused_and_not_repeated(self, load: Write) -> None:
        with pytest.raises(ConfigError, match="credentials do not belong in an address") as caught:
            load("[remotes.x]\ntype='listing'\nurl='https://me:hunter2@example.org/'\n")
        assert "hunter2" not in f"{caught.value} {caught.value.__cause__}"

    def test_an_unknown_route_is_answered_with_the_nearest(self, load: Write) -> None:
        with pytest.raises(ConfigError, match=r"no route 'relase'\. Did you mean: release"):
            load(RELEASE).route("relase")
        with pytest.raises(ConfigError, match=r"no route 'release'\. None is configured"):
            load("").route("release")


class TestMissingBackends:
    """A machine that does not need a remote need not have its backend."""

    TEXT = RELEASE + '[remotes.far]\ntype = "carrier-pigeon"\n[routes.far]\nsource = "far"\nsinks = "pypi"\n'

    def test_the_rest_can_be_used(self, load: Write) -> None:
        config = load(self.TEXT)
        assert config.route("release").source.name == "staging"
        assert config.route_names() == ["far", "release"]

    def test_whoever_uses_one_is_told(self, load: Write) -> None:
        config = load(self.TEXT)
        for use in (config.remote, config.route):
            with pytest.raises(
                UnknownBackend, match=r"remotes\.far: There is no backend of type 'carrier-pigeon'"
            ):
                use("far")

    def test_one_that_is_broken_is_told_when_it_is_used(self, tmp_path: Path) -> None:
        info = tmp_path / "pigeon-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: pigeon\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[wheelrelay.backends]\ncarrier-pigeon = pigeon:Config\n")
        (tmp_path / "pigeon.py").write_text("import no_such_module\n")
        (tmp_path / "wheelrelay.toml").write_text(self.TEXT)
        code = (
            "from wheelrelay.config import load_config\n"
            "config = load_config()\n"
            "print(config.route('release').mode.value)\n"
            "config.route('far')\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout == "release\n"
        assert (
            "'carrier-pigeon' from pigeon 1.0 cannot be loaded: No module named 'no_such_module'"
            in done.stderr
        )


class TestWhatOthersCanWrite:
    """A file that is found runs commands and directs secrets, so nobody else may have written it."""

    COMMAND = (
        "[remotes.x]\ntype = 'index'\nurl = 'https://example.org/'\ntoken = {command = ['touch', 'ran']}\n"
    )

    @pytest.fixture
    def work(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """The working directory, two folders below ``tmp_path``."""
        folder = tmp_path / "theirs" / "mine"
        folder.mkdir(parents=True)
        monkeypatch.chdir(folder)
        return folder

    @pytest.fixture
    def above(self, work: Path) -> Path:
        """A configuration in the folder above it."""
        path = work.parent / "wheelrelay.toml"
        path.write_text(self.COMMAND)
        return path

    @pytest.mark.parametrize("mode", [0o666, 0o646])
    def test_a_file_that_others_may_write_is_refused(self, above: Path, mode: int) -> None:
        above.chmod(mode)
        with pytest.raises(ConfigError, match=r"other users may write it\. Run chmod go-w .*--config"):
            load_config()

    def test_a_folder_in_which_others_may_replace_it_is_refused(self, above: Path) -> None:
        above.parent.chmod(0o777)
        with pytest.raises(ConfigError, match=r"other users may write to .*theirs\. Run chmod go-w"):
            load_config()
        above.parent.chmod(0o1777)  # as /tmp: only the owner of a file can replace it
        assert load_config().path == above

    def test_a_link_to_where_others_may_replace_a_file_is_refused(self, above: Path) -> None:
        shared = above.parent.parent / "shared"
        shared.mkdir()
        above.symlink_to(above.rename(shared / "real.toml"))
        assert load_config().path == above
        shared.chmod(0o777)
        with pytest.raises(ConfigError, match=r"other users may write to .*shared\. Run chmod go-w"):
            load_config()

    def test_what_is_no_regular_file_is_not_read(self, work: Path) -> None:
        for name in ("wheelrelay.toml", "pyproject.toml"):
            os.mkfifo(work / name)
        (work.parent / "pyproject.toml").symlink_to("/dev/zero")
        code = "from wheelrelay import load_config; print(load_config().path)"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=True)
        assert done.stdout == b"None\n"

    def test_a_file_of_any_size_takes_little_memory(self, work: Path) -> None:
        project = work / "pyproject.toml"
        project.write_text("[tool.wheelrelay]\n")
        os.truncate(project, 1 << 40)
        with pytest.raises(ConfigError, match=r"pyproject\.toml is too large: over 64 MiB"):
            load_config()

    @pytest.mark.skipif(os.geteuid() != 0, reason="needs root to give a file away")
    class TestOfAnotherUser:
        @pytest.fixture
        def theirs(self, above: Path) -> Path:
            os.chown(above, 4321, 4321)
            return above

        def test_one_that_a_shared_group_may_write_is_refused(self, above: Path) -> None:
            os.chown(above, -1, 4321)
            above.chmod(0o664)
            with pytest.raises(ConfigError, match="other users may write it"):
                load_config()

        def test_it_is_refused(self, theirs: Path) -> None:
            with pytest.raises(ConfigError, match=r"belongs to the user 4321\. Name it with --config"):
                load_config()

        def test_so_is_one_of_mine_in_their_folder(self, above: Path) -> None:
            os.chown(above.parent, 4321, 4321)
            with pytest.raises(ConfigError, match=r"theirs belongs to the user 4321\. Name it with --config"):
                load_config()

        def test_so_is_a_link_of_theirs_to_a_file_of_mine(self, above: Path) -> None:
            mine = above.rename(above.with_name("mine.toml"))
            above.symlink_to(mine)
            os.chown(above, 4321, 4321, follow_symlinks=False)
            with pytest.raises(ConfigError, match="belongs to the user 4321"):
                load_config()

        def test_so_is_a_pyproject_with_the_table(self, theirs: Path) -> None:
            project = theirs.rename(theirs.with_name("pyproject.toml"))
            project.write_text("[tool.wheelrelay]\n")
            with pytest.raises(ConfigError, match="belongs to the user 4321"):
                load_config()
            project.write_text("[tool.black]\n")
            assert load_config().path is None

        def test_one_that_is_named_is_trusted(self, theirs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
            assert load_config("../wheelrelay.toml").remotes
            monkeypatch.setenv("WHEELRELAY_CONFIG", "../wheelrelay.toml")
            assert load_config().remotes

        def test_under_sudo_the_caller_s_counts(self, theirs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
            monkeypatch.setenv("SUDO_UID", "4321")
            assert load_config().path == theirs

    @pytest.mark.parametrize("git", ["folder", "file"])
    def test_the_search_ends_at_the_root_of_the_repository(self, above: Path, work: Path, git: str) -> None:
        (work / ".git").mkdir() if git == "folder" else (work / ".git").write_text("gitdir: elsewhere\n")
        assert load_config().path is None
        (work / "wheelrelay.toml").write_text("")
        assert load_config().path == work / "wheelrelay.toml"

    def test_the_search_ends_at_the_home_folder(
        self, above: Path, work: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HOME", str(work))
        assert load_config().path is None
        monkeypatch.setenv("HOME", str(work.parent))
        assert load_config().path == above


class TestProjectsOfOtherTools:
    @pytest.fixture(autouse=True)
    def work(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        (tmp_path / "deep").mkdir()
        monkeypatch.chdir(tmp_path / "deep")
        return tmp_path

    @pytest.mark.parametrize(
        "content", [b"[tool.black\n", b"\xff\xfe[\0", b"tool = 3\n", b"[tool.x]\na = 'wheelrelay\n"]
    )
    def test_a_broken_pyproject_of_another_tool_stops_nothing(self, work: Path, content: bytes) -> None:
        (work / "pyproject.toml").write_bytes(content)
        assert load_config().path is None

    def test_one_with_our_table_does(self, work: Path) -> None:
        (work / "pyproject.toml").write_text("[tool.wheelrelay]\nremotes = [\n")
        with pytest.raises(ConfigError, match="is not valid TOML"):
            load_config()

    def test_a_byte_order_mark_does_no_harm(self, work: Path) -> None:
        (work / "wheelrelay.toml").write_text(RELEASE, encoding="utf-8-sig")
        assert load_config().route_names() == ["release"]


@pytest.mark.parametrize("name", ["pypi", "testpypi"])
def test_a_preset_keeps_its_type_and_its_addresses(load: Write, name: str) -> None:
    with pytest.raises(ConfigError, match=r"whose type and addresses stay\. Give this remote another name"):
        load(f"[remotes.{name}]\ntype = 'index'\nurl = 'https://example.org/simple/'\n")
    for key in ("url", "upload_url"):
        with pytest.raises(ConfigError, match=f"the addresses of {name} stay: for another {key}"):
            load(f"[remotes.{name}]\n{key} = 'https://example.org/simple/'\n")
