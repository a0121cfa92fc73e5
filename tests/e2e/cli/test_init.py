"""``init`` writes a configuration that works as it stands and explains itself."""

import json
import re
import subprocess
import sys

import pytest
from tests.e2e.cli.screen import on_screen
from tests.servers.process import script

from wheelrelay.config import load_config
from wheelrelay.config.schema import effective

INIT = (sys.executable, "-m", "wheelrelay", "init")
EVERYTHING = (
    *("--from", "./wheels", "--to", "testpypi", "--to", "index+https://example.org/simple/"),
    *("--upload-url", "https://example.org/legacy/", "--project", "sample", "--project", "other>=2"),
    *("--expect", "cp{312,313}-*-manylinux*_x86_64", "--expect-no-sdist"),
)


def shown():
    """The configuration of the working directory as it takes effect."""
    return effective(load_config())


def test_default_route_is_dist_to_pypi(wheelrelay, here):
    ended = wheelrelay("init")
    assert ended.code == 0
    assert ended.out.splitlines()[:2] == ["Wrote wheelrelay.toml.", "Wrote wheelrelay.schema.json."]
    route = load_config().route("release")
    assert route.source.config.path == here / "dist"
    assert [sink.name for sink in route.sinks] == ["pypi"]
    assert not route.expect.model_fields_set


def test_commented_keys_can_be_uncommented(wheelrelay, here):
    assert wheelrelay("init").code == 0
    path = here / "wheelrelay.toml"
    for key, value in (("token", '{ env = "PYPI_TOKEN" }'), ("retention", "{ keep = 2 }"), ("count", "4")):
        text, changes = re.subn(rf"^# {key} =.*$", f"{key} = {value}", path.read_text(), flags=re.MULTILINE)
        assert changes == 1
        path.write_text(text)
    config = load_config()
    assert config.remote("pypi").config.token.env == "PYPI_TOKEN"
    assert config.remote("staging").config.retention.keep == 2
    assert config.route("release").expect.count == 4


def test_pypirc_section_is_used_without_a_table(wheelrelay, here, home):
    (home / ".pypirc").write_text(
        "[distutils]\nindex-servers = ours\n[ours]\nrepository = https://example.org/legacy/\n"
    )
    assert wheelrelay("init", "--to", "ours").code == 0
    assert "[remotes.ours]" not in (here / "wheelrelay.toml").read_text()
    assert wheelrelay("config", "check").code == 0
    assert load_config().route("release").sinks[0].config.upload_url == "https://example.org/legacy/"


def test_options_are_written(wheelrelay, here):
    assert wheelrelay("init", *EVERYTHING).code == 0
    route = load_config().route("release")
    assert route.source.config.path == here / "wheels"
    assert [sink.name for sink in route.sinks] == ["testpypi", "index"]
    assert route.sinks[1].config.upload_url == "https://example.org/legacy/"
    assert route.projects == ("sample", "other>=2")
    assert route.expect.wheels == ("cp{312,313}-*-manylinux*_x86_64",)
    assert route.expect.sdist is False


@pytest.mark.parametrize(
    "options",
    [
        (),
        EVERYTHING,
        ("--from", "pypi", "--to", "./mirror", "--to", "./other"),
        ("--from", "s3://bucket/wheels"),
        ("--from", "swift://wheels"),
        ("--from", "memory://wheels", "--to", "s3://bucket"),
        ("--from", "https://wheels.example.org/", "--to", "testpypi", "--to", "pypi"),
    ],
    ids=" ".join,
)
class TestTemplate:
    @pytest.fixture(autouse=True)
    def swift(self, monkeypatch):
        """What a swift:// address needs beside itself."""
        for name, value in (
            ("ST_AUTH", "http://127.0.0.1:9/auth/v1.0"),
            ("ST_USER", "test"),
            ("ST_KEY", "k"),
        ):
            monkeypatch.setenv(name, value)

    def test_file_is_valid(self, wheelrelay, here, options):
        assert wheelrelay("init", *options).code == 0
        assert wheelrelay("config", "check").code == 0
        for verb in ("lint", "format"):
            command = [script("taplo"), verb, *(["--check"] if verb == "format" else []), "wheelrelay.toml"]
            done = subprocess.run(command, cwd=here, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
        assert (here / "wheelrelay.toml").read_text().startswith("#:schema ./wheelrelay.schema.json\n")

    def test_every_key_has_its_description(self, wheelrelay, here, options):
        assert wheelrelay("init", *options).code == 0
        text = (here / "wheelrelay.toml").read_text()
        schema = json.loads((here / "wheelrelay.schema.json").read_text())
        for name, remote in shown()["remotes"].items():
            table = text.partition(f"[remotes.{name}]")[2].partition("\n\n\n")[0]
            assert keys_in(table) >= set(remote) - {"type"}
        route = text.partition("[routes.release]")[2].partition("\n\n\n")[0]
        unwrapped = " ".join(route.replace("\n# ", " ").split())
        for key, field in schema["$defs"]["Route"]["properties"].items():
            if key != "expect":
                assert field["description"] in unwrapped
                assert key in keys_in(route)

    def test_commented_values_are_the_defaults(self, wheelrelay, here, options):
        assert wheelrelay("init", *options).code == 0
        before, path = shown(), here / "wheelrelay.toml"
        default = re.compile(r"^# (?=\w+ = (?!\{ env)\S)", re.MULTILINE)
        text, changes = default.subn("", path.read_text())
        assert changes >= 10
        path.write_text(text)
        after = shown()
        assert after["routes"] == before["routes"]
        for name, remote in before["remotes"].items():
            assert after["remotes"][name] == remote


def keys_in(table):
    """The keys that a table has, commented out or not."""
    return set(re.findall(r"^(?:# )?(\w+) =", table, re.MULTILINE))


class TestExistingFiles:
    @pytest.mark.parametrize("name", ["wheelrelay.toml", "pyproject.toml"])
    def test_configuration_is_not_overwritten(self, wheelrelay, here, name):
        (here / name).write_text("[tool.wheelrelay]\n")
        ended = wheelrelay("init")
        assert ended.code == 2
        assert f"{name} already has a configuration" in ended.err
        assert [path.name for path in here.iterdir()] == [name]
        assert (here / name).read_text() == "[tool.wheelrelay]\n"

    def test_schema_is_not_overwritten(self, wheelrelay, here):
        (here / "wheelrelay.schema.json").write_text("{}")
        assert "already exists; unchanged." in wheelrelay("init").err
        assert (here / "wheelrelay.schema.json").read_text() == "{}"
        assert (here / "wheelrelay.toml").exists()

    def test_pyproject_without_wheelrelay_is_ignored(self, wheelrelay, here):
        (here / "pyproject.toml").write_text("[project]\nname = 'sample'\n")
        assert wheelrelay("init").code == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--from", "pypy"), "There is no remote 'pypy'"),
        (("--to", "listing+https://e.org/"), "listing+https://e.org/ is read-only"),
        (("--to", "index+https://e.org/"), "--upload-url"),
        (("--to", "index+https://e.org/", "--upload-url", "e.org"), "not an http or https URL"),
        (("--project", "a b"), "'a b'"),
        (("--expect", "cp312"), "'cp312' is not a tag pattern"),
        (("--from", "s3://user:hunter2@bucket"), "a password does not belong in an address"),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, tuple) else "",
)
def test_invalid_configuration_is_not_written(wheelrelay, here, options, said):
    ended = wheelrelay("init", *options)
    assert ended.code == 2
    assert said in ended.err
    assert "hunter2" not in ended.err
    assert list(here.iterdir()) == []


def test_terminal_prompts_for_missing_options(here):
    with on_screen([*INIT, "--to", "testpypi"], here, columns=120) as screen:
        screen.wait_for("[./dist]:")
        screen.press("./wheels\n")
        screen.wait_for("Projects, empty for all (separated by spaces):")
        screen.press("sample==1.0\n")
        screen.wait_for("Expected wheels")
        screen.press("cp312-*-win_amd64 cp313-*-win_amd64\n")
        assert screen.wait_for_end() == 0
        assert "Wrote wheelrelay.toml." in screen.text
    route = load_config(here / "wheelrelay.toml").route("release")
    assert route.source.config.path == here / "wheels"
    assert [sink.name for sink in route.sinks] == ["testpypi"]
    assert route.projects == ("sample==1.0",)
    assert route.expect.wheels == ("cp312-*-win_amd64", "cp313-*-win_amd64")


def test_terminal_asks_again_for_wrong_answers(here):
    with on_screen(INIT, here, columns=160) as screen:
        screen.wait_for("Publish files from")
        for answer, explanation in (
            ("dist", "There is no remote 'dist'. For a directory, write './dist'."),
            ("./dist", "Publish to, in order"),
            ("listing+https://e.org/", "listing+https://e.org/ is read-only and cannot be published to."),
            (
                "index+https://e.org/simple/",
                "index+https://e.org/simple/: upload_url (URL of the legacy upload API",
            ),
            ("e.org", "not an http or https URL"),
            ("https://e.org/legacy/", "Projects, empty for all"),
            ("a b<", "'b<' is not a requirement"),
            ("sample", "Expected wheels"),
            ("cp312", "'cp312' is not a tag pattern."),
        ):
            screen.press(f"{answer}\n")
            screen.wait_for(explanation)
        screen.press("cp312-*-win_amd64\n")
        assert screen.wait_for_end() == 0
    [sink] = load_config(here / "wheelrelay.toml").route("release").sinks
    assert sink.config.upload_url == "https://e.org/legacy/"


def test_terminal_asks_for_the_keys_of_a_type(here):
    with on_screen(INIT, here, columns=160) as screen:
        for question, answer in (
            ("Publish files from", "cloudfiles"),
            ("cloudfiles: container", "wheels"),
            ("cloudfiles: region", "IAD"),
            ("cloudfiles: username", ""),
            ("cloudfiles.username: this key is required.", "release"),
            ("environment variable with api_key", ""),
            ("Publish to, in order", "s3"),
            ("s3: bucket", "wheels"),
            ("Projects", ""),
            ("Expected wheels", ""),
        ):
            screen.wait_for(question)
            screen.press(f"{answer}\n")
        assert screen.wait_for_end() == 0, screen.text
    config = load_config(here / "wheelrelay.toml")
    assert config.remote("staging").config.api_key.env == "CLOUDFILES_API_KEY"
    assert config.remote("s3").config.bucket == "wheels"
