"""The JSON Schema agrees with the loader, and the effective configuration contains no secret."""

import json
import re
import subprocess
import tomllib

import jsonschema
import pytest
from tests.servers.process import script

from wheelrelay.config import load_config
from wheelrelay.config.schema import effective, installed_types, json_schema, pyproject_schema

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
def schema():
    return json_schema()


def test_schema_is_valid(schema):
    jsonschema.Draft202012Validator.check_schema(schema)
    json.dumps(schema)


def test_schema_accepts_a_valid_configuration(schema, tmp_path):
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
def test_schema_refuses_an_invalid_configuration(schema, text):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(tomllib.loads(text), schema)


def test_every_key_has_a_description(schema):
    undescribed = [
        f"{name}.{key}"
        for name, table in schema["$defs"].items()
        for key, field in table.get("properties", {}).items()
        if "description" not in field and name != "Remotes"
    ]
    assert undescribed == []


def test_defaults_have_the_form_that_users_write(schema):
    defaults = [field for field in described(schema) if "default" in field]
    assert len(defaults) > 20
    for field in defaults:
        with_definitions = {"$defs": schema["$defs"], **field}
        jsonschema.Draft202012Validator(with_definitions).validate(field["default"])
    assert schema["$defs"]["DirectoryConfig"]["properties"]["cdn_lag"]["default"] == "15m"


def test_enum_key_has_its_description_and_values(schema):
    mode = schema["$defs"]["Route"]["properties"]["mode"]
    assert mode["enum"] == ["release", "mirror"]
    assert "all files or none" in mode["description"]
    assert [field for field in described(schema) if "$ref" in field and "description" in field] == []


def test_schema_has_no_null(schema):
    assert "null" not in json.dumps(schema)


def test_schema_has_no_doctests(schema):
    assert ">>>" not in json.dumps(schema)


def described(part):
    """Yield every object within a schema."""
    if isinstance(part, dict):
        yield part
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from described(inner)


class TestTaplo:
    """The language server of the TOML extensions of editors accepts and applies the schema."""

    @pytest.fixture
    def lint(self, tmp_path, schema):
        """Lint a file that names its schema; return the errors as (line, message)."""

        def lint(name, text):
            (tmp_path / "config.schema.json").write_text(json.dumps(schema))
            (tmp_path / "pyproject.schema.json").write_text(json.dumps(pyproject_schema()))
            kind = "pyproject" if name == "pyproject.toml" else "config"
            (tmp_path / name).write_text(f"#:schema ./{kind}.schema.json\n{text}")
            command = [script("taplo"), "lint", "--colors", "never", name]
            done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
            wrong = re.findall(rf"^error: (.*)\n.*{name}:(\d+):", done.stderr, re.MULTILINE)
            assert bool(done.returncode) == bool(wrong), done.stderr
            return [(int(line), words) for words, line in wrong]

        return lint

    def test_accepts_a_valid_file(self, lint):
        assert lint("wheelrelay.toml", EXAMPLE) == []

    def test_reports_the_line_of_an_error(self, lint):
        text = "[routes.r]\nsource = './dist'\nsinks = ['pypi']\nmode = 'copy'\n"
        assert (5, '"copy" is not one of ["release","mirror"]') in lint("wheelrelay.toml", text)
        unknown = lint("wheelrelay.toml", "[remotes.x]\ntype = 'directory'\npth = 'dist'\n")
        assert {line for line, _ in unknown} >= {2, 4}

    def test_checks_only_our_table_in_pyproject(self, lint):
        others = "[project]\nname = 'x'\nversion = '1'\n[tool.ruff]\nline-length = 100\n"
        table = re.sub(r"^\[", "[tool.wheelrelay.", EXAMPLE, flags=re.MULTILINE)
        assert lint("pyproject.toml", others + table) == []
        assert lint("pyproject.toml", others + table.replace("'release'", "'r'").replace('"release"', '"r"'))


def test_effective_configuration_has_defaults_and_references_to_secrets(tmp_path, monkeypatch):
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


def test_installed_types_have_package_and_roles():
    types = {one.type: one for one in installed_types() if one.package == "wheelrelay"}
    assert types["directory"].roles == ("source", "sink")
    assert types["listing"].roles == ("source",)
    assert {one.problem for one in types.values()} == {None}
