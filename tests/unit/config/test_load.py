"""The configuration is validated; errors name the key, the problem and the fix."""

import os
import pickle
import subprocess
import sys
from collections.abc import Callable

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
def load(tmp_path):
    """Write ``wheelrelay.toml`` and load it."""

    def write_and_load(text):
        path = tmp_path / "wheelrelay.toml"
        path.write_text(text)
        return load_config(path)

    return write_and_load


class TestContent:
    def test_reads_remotes_and_routes(self, load):
        config = load(RELEASE)
        route = config.route("release")
        assert [remote.name for remote in (route.source, *route.sinks)] == ["staging", "testpypi", "company"]
        assert config.remote("company").config.url == "https://packages.example.org/simple/"
        assert config.route_names() == ["release"]

    def test_resolves_relative_paths_from_the_folder_of_the_file(self, load, tmp_path):
        assert load(RELEASE).remote("staging").config.path == tmp_path / "wheels"

    def test_presets_need_no_type_and_accept_other_keys(self, load):
        config = load('[remotes.pypi]\nusername = "me"\n')
        assert config.remote("pypi").config.username == "me"
        assert config.remote("testpypi").config.username is None
        assert config.remote("pypi").config.upload_url

    def test_routes_accept_addresses(self, load):
        route = load("[routes.r]\nsource = 'listing+https://example.org/'\nsinks = './out'\n").route("r")
        assert (route.source.config.type, route.sinks[0].config.type) == ("listing", "directory")

    def test_pickles_without_resolving_secrets(self, load, monkeypatch):
        monkeypatch.setenv("PASSWORD", "hunter2")
        config = load(
            RELEASE.replace('{ keyring = "packages.example.org", username = "ci" }', '{env="PASSWORD"}')
        )
        copy = pickle.loads(pickle.dumps(config))
        assert copy == config
        assert b"hunter2" not in pickle.dumps(config)
        assert "hunter2" not in repr(config)


class TestErrors:
    @pytest.mark.parametrize(
        ("text", "message"),
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
                "remotes.x: there is no key 'upload-url'. Known keys: allow_insecure, ca_cert, client_cert,",
            ),
            ("[remotes.x]\ntype='directory'\n", "wheelrelay.toml: remotes.x.path: this key is required."),
            ("[remotes.x]\npath='y'\n", "wheelrelay.toml: remotes.x.type: this key is required."),
            ("remotes = 3\n", "wheelrelay.toml: remotes is not a table. Write [remotes.NAME]."),
            ("[remotes]\nx = 3\n", "wheelrelay.toml: remotes.x is not a table. Write [remotes.NAME]."),
            (
                "[remotes.'./x']\ntype='directory'\npath='x'\n",
                "a remote must not contain a slash.",
            ),
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
    def test_error_names_the_key(self, load, text, message):
        with pytest.raises(ConfigError) as caught:
            load(text)
        assert message in str(caught.value)

    def test_reports_all_errors_of_a_table_together(self, load):
        with pytest.raises(ConfigError, match=r"remotes\.x\.url: .*remotes\.x: there is no key 'recursiv'"):
            load("[remotes.x]\ntype='listing'\nurl='nowhere'\nrecursiv=true\n")

    @pytest.mark.parametrize(
        "line",
        ["password = 'hunter2'", "token = 'hunter2'", "password = ['hunter2']", "password = {x='hunter2'}"],
    )
    def test_refuses_a_plain_text_secret_without_repeating_it(self, load, line):
        with pytest.raises(ConfigError, match=r'Write a reference: { env = "NAME" }') as caught:
            load(f"[remotes.pypi]\n{line}\n")
        assert "hunter2" not in f"{caught.value} {caught.value.__cause__}"

    def test_refuses_credentials_in_a_url_without_repeating_them(self, load):
        with pytest.raises(ConfigError, match="a URL must not contain credentials") as caught:
            load("[remotes.x]\ntype='listing'\nurl='https://me:hunter2@example.org/'\n")
        assert "hunter2" not in f"{caught.value} {caught.value.__cause__}"

    def test_unknown_route_suggests_the_nearest_name(self, load):
        with pytest.raises(ConfigError, match=r"no route 'relase'\. Did you mean: release"):
            load(RELEASE).route("relase")
        with pytest.raises(ConfigError, match=r"no route 'release'\. No route is configured"):
            load("").route("release")


class TestMissingBackends:
    """A missing backend is an error only for the remotes and routes that use it."""

    TEXT = RELEASE + '[remotes.far]\ntype = "carrier-pigeon"\n[routes.far]\nsource = "far"\nsinks = "pypi"\n'

    def test_other_remotes_and_routes_work(self, load):
        config = load(self.TEXT)
        assert config.route("release").source.name == "staging"
        assert config.route_names() == ["far", "release"]

    def test_using_the_remote_or_its_route_is_an_error(self, load):
        config = load(self.TEXT)
        for use in (config.remote, config.route):
            with pytest.raises(
                UnknownBackend, match=r"remotes\.far: There is no backend of type 'carrier-pigeon'"
            ):
                use("far")

    def test_a_backend_that_cannot_be_imported_is_an_error_on_use(self, tmp_path):
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


@pytest.mark.parametrize("name", ["pypi", "testpypi"])
def test_refuses_to_change_type_or_urls_of_a_preset(load, name):
    with pytest.raises(ConfigError, match=r"type and URLs cannot change\. Give this remote another"):
        load(f"[remotes.{name}]\ntype = 'index'\nurl = 'https://example.org/simple/'\n")
    for key in ("url", "upload_url"):
        with pytest.raises(ConfigError, match=f"{key} of {name} cannot be changed"):
            load(f"[remotes.{name}]\n{key} = 'https://example.org/simple/'\n")
