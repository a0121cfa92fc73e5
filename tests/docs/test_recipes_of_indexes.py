"""The recipes for private indexes work: each configuration is run against an imitation of its server."""

import json
import os
import sys
import tomllib
from urllib.parse import urlsplit

import pytest

import wheelrelay
from tests.docs.pages import blocks
from tests.servers.private_indexes import KINDS, LIMIT, run_private_index
from wheelrelay.backends.index import IndexConfig
from wheelrelay.cli.config_template import toml_value
from wheelrelay.config import load_config
from wheelrelay.errors import AlreadyExists, AuthenticationFailed, PermissionDenied, Rejected
from wheelrelay.testing import make_wheel, stage_path

TOKEN = "token-of-the-recipe"

COMMAND = f"""#!{sys.executable}
import json, sys
with open({{log!r}}, "a") as log:
    log.write(json.dumps(sys.argv[1:]) + "\\n")
print({TOKEN!r})
"""
"""A command that prints a token, and logs its arguments."""


class Recipe:
    """The remote of a recipe, with a server in place of the vendor's."""

    def __init__(self, kind, folder, monkeypatch):
        table = tomllib.loads(blocks(f"recipes/{kind}.md", "toml")[0])["remotes"]
        ((self.name, self.keys),) = table.items()
        self.folder, self.log = folder, folder / "commands.log"
        self.provide_password(monkeypatch)

    @property
    def login(self):
        return self.keys.get("username", "gitlab-ci-token"), TOKEN

    def path(self, key):
        return urlsplit(self.keys[key]).path

    def provide_password(self, monkeypatch):
        """Set the variable, or provide the command, that the recipe names."""
        password = self.keys.get("password", {"env": "CI_JOB_TOKEN"})
        if variable := password.get("env"):
            monkeypatch.setenv(variable, TOKEN)
            return
        (self.folder / "bin").mkdir()
        command = self.folder / "bin" / password["command"][0]
        command.write_text(COMMAND.format(log=str(self.log)))
        command.chmod(0o755)
        monkeypatch.setenv("PATH", f"{command.parent}{os.pathsep}{os.environ['PATH']}")

    def remote_at(self, server):
        """Return the remote with the server's address instead of the vendor's."""
        keys = dict(self.keys)
        for key in ("url", "upload_url"):
            keys[key] = server.url.rstrip("/") + urlsplit(keys[key]).path
        path = self.folder / "wheelrelay.toml"
        path.write_text(f"remotes.{self.name} = {toml_value(keys)}\n")
        remote = load_config(path).remote(self.name)
        assert isinstance(remote.config, IndexConfig)
        return remote


@pytest.fixture(params=KINDS)
def recipe(request, tmp_path, monkeypatch):
    return Recipe(request.param, tmp_path, monkeypatch)


@pytest.fixture
def kind(request):
    return request.node.callspec.params["recipe"]


@pytest.fixture
def server(recipe, kind, monkeypatch):
    paths = {"simple_path": recipe.path("url"), "upload_path": recipe.path("upload_url")}
    with run_private_index(kind, **paths, login=recipe.login) as server:
        monkeypatch.setenv("CI_API_V4_URL", f"{server.url}api/v4")
        yield server


@pytest.fixture
def index(recipe, server):
    with recipe.remote_at(server).open() as index:
        yield index


def staged(folder, *, version="1.0", payload=b"x = 1\n"):
    return stage_path(make_wheel(folder, "sample", version, payload=payload))


def test_new_file_is_published_and_read_back(index, server, tmp_path):
    file = staged(tmp_path / "dist")
    index.put(file)
    assert [found.sha256 for found in index.inventory("sample")] == [file.sha256]


def test_file_that_exists_with_the_same_bytes_is_no_error(index, server, tmp_path):
    file = staged(tmp_path / "dist")
    for _ in range(2):
        index.put(file)
    assert server.packages == {file.filename: file.path.read_bytes()}


def test_file_that_exists_with_other_bytes_is_an_error_and_stays(index, server, tmp_path):
    first = staged(tmp_path / "first")
    index.put(first)
    with pytest.raises(AlreadyExists):
        index.put(staged(tmp_path / "second", payload=b"y = 2\n"))
    assert server.packages == {first.filename: first.path.read_bytes()}


@pytest.mark.long
def test_file_that_the_index_refuses_is_an_error_with_its_message(index, server, tmp_path, kind):
    with pytest.raises((Rejected, PermissionDenied, AlreadyExists)) as refused:
        index.put(staged(tmp_path / "dist", version="1.0+refused"))
    if KINDS[kind].refused.status != 409:
        assert not isinstance(refused.value, AlreadyExists)
    message = KINDS[kind].refused.body.decode()
    assert any(word in str(refused.value) for word in ("valid", "policy", "excluded", "required")), message
    assert server.packages == {}


@pytest.mark.long
def test_file_that_is_too_large_is_an_error_with_advice(index, server, tmp_path):
    payload = os.urandom(LIMIT)
    with pytest.raises(Rejected, match="returned 413") as refused:
        index.put(staged(tmp_path / "dist", payload=payload))
    assert "does not accept files of this size" in refused.value.hint


@pytest.mark.long
def test_refused_credentials_are_an_error_without_the_token(recipe, server, tmp_path):
    server.login = ("other", "other")
    with recipe.remote_at(server).open() as index, pytest.raises(AuthenticationFailed) as refused:
        index.put(staged(tmp_path / "dist"))
    assert TOKEN not in str(refused.value)


@pytest.mark.long
def test_command_gets_the_arguments_of_the_recipe(recipe, server, tmp_path):
    command = recipe.keys.get("password", {}).get("command")
    receipt = wheelrelay.relay(
        wheelrelay.Route(source=str(staged(tmp_path / "dist").path.parent), sinks=[recipe.remote_at(server)])
    )
    assert receipt.is_complete
    if command:
        calls = [json.loads(line) for line in recipe.log.read_text().splitlines()]
        assert calls == [command[1:]]


@pytest.mark.long
def test_devpi_recipe_publishes_to_a_devpi_server(devpi_server, tmp_path, monkeypatch):
    server = devpi_server.new_index()
    recipe = Recipe("devpi", tmp_path, monkeypatch)
    monkeypatch.setenv("DEVPI_PASSWORD", server.password)
    ours = urlsplit(server.upload_url).path.strip("/")
    for key in ("url", "upload_url"):
        recipe.keys[key] = recipe.keys[key].replace("team/prod", ours)
    recipe.keys["username"] = server.username
    with recipe.remote_at(server).open() as index:
        file = staged(tmp_path / "dist")
        index.put(file)
        index.put(file)
        assert [found.sha256 for found in index.inventory("sample")] == [file.sha256]
        with pytest.raises(AlreadyExists):
            index.put(staged(tmp_path / "second", payload=b"y = 2\n"))
