"""The JSON Schema says what the loader says, and the effective configuration shows no secret."""

import json
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from wheelrelay.config import load_config
from wheelrelay.config.schema import effective, installed_types, json_schema

EXAMPLE = """
[remotes.staging]
type = "directory"
path = "wheels"

[remotes.company]
type = "index"
url = "https://packages.example.org/simple/"
upload_url = "https://packages.example.org/legacy/"
username = "ci"
password = { keyring = "packages.example.org", username = "ci" }
confirm = "download"

[remotes.pypi]
token = { env = "PYPI_TOKEN" }

[routes.release]
source = "staging"
sinks = ["testpypi", "pypi"]
projects = ["astropy"]
wheels = ["cp3*-*-*"]
mode = "release"

[routes.release.expect]
wheels = ["cp{311,312,313,314}-*-manylinux*_x86_64", "cp314-cp314t-win_amd64"]
sdist = true
count = 12
"""


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return json_schema()


def test_the_schema_is_one(schema: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(schema)
    json.dumps(schema)


def test_what_the_loader_takes_the_schema_takes(schema: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "wheelrelay.toml").write_text(EXAMPLE)
    assert load_config(tmp_path / "wheelrelay.toml").route_names() == ["release"]
    jsonschema.validate(tomllib.loads(EXAMPLE), schema)


@pytest.mark.parametrize(
    "text",
    [
        "[remote.x]\n",
        "[remotes.x]\npath='y'\n",
        "[remotes.x]\ntype='directory'\npth='y'\n",
        "[remotes.x]\ntype='carrier-pigeon'\n",
        "[remotes.pypi]\npassword='hunter2'\n",
        "[routes.r]\nsource='./dist'\n",
        "[routes.r]\nsource='./dist'\nsinks=['pypi']\nmode='copy'\n",
        "[routes.r]\nsource='./dist'\nsinks=['pypi']\nexpect={count='many'}\n",
    ],
)
def test_what_the_loader_refuses_the_schema_refuses(schema: dict[str, Any], text: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(tomllib.loads(text), schema)


def test_every_key_is_described(schema: dict[str, Any]) -> None:
    undescribed = [
        f"{name}.{key}"
        for name, table in schema["$defs"].items()
        for key, field in table.get("properties", {}).items()
        if key != "type" and "description" not in field and name != "Remotes"
    ]
    assert undescribed == []


def test_the_effective_configuration_has_its_defaults_and_only_references_to_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYPI_TOKEN", "hunter2")
    (tmp_path / "wheelrelay.toml").write_text(EXAMPLE)
    shown = effective(load_config(tmp_path / "wheelrelay.toml"))
    assert shown["path"] == str(tmp_path / "wheelrelay.toml")
    assert shown["remotes"]["pypi"]["token"] == {"env": "PYPI_TOKEN"}
    assert shown["remotes"]["pypi"]["confirm"] == "index"
    assert shown["remotes"]["staging"]["path"] == str(tmp_path / "wheels")
    assert shown["routes"]["release"]["source"] == "staging"
    assert shown["routes"]["release"]["sinks"] == ["testpypi", "pypi"]
    assert "hunter2" not in json.dumps(shown)


def test_the_installed_types_tell_their_package_and_roles() -> None:
    types = {one.type: one for one in installed_types() if one.package == "wheelrelay"}
    assert types["directory"].roles == ("source", "sink")
    assert types["listing"].roles == ("source",)
    assert {one.problem for one in types.values()} == {None}
