"""``config``: a wrong key is named with its path, a right configuration is shown without its secrets."""

import json

import pytest
from jsonschema import Draft202012Validator

from wheelrelay.documents import DOCUMENT_TYPES


def test_valid_configuration_is_reported(wheelrelay, config):
    ended = wheelrelay("config", "check")
    assert ended.code == 0
    assert ended.out == f"{config} is valid: 2 remotes, 1 route.\n"


def test_config_file_can_be_named(wheelrelay, config, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert wheelrelay("config", "check", "--config", config).code == 0
    monkeypatch.setenv("WHEELRELAY_CONFIG", str(config))
    assert wheelrelay("config", "check").code == 0


def test_check_without_configuration_fails(wheelrelay, here):
    ended = wheelrelay("config", "check")
    assert ended.code == 2
    assert "--config" in ended.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[remotes.x]\ntype = "index"\nurll = "https://example.org"', "remotes.x: there is no key 'urll'"),
        ('[remotes.x]\ntype = "indx"', "Did you mean 'index'?"),
        ('[routes.x]\nsource = "pypi"', "routes.x.sinks: this key is required"),
        ("[remotes.x", "not valid TOML"),
        ('[remotes.x]\ntype = "index"\nurl = "https://e.org/"\npassword = "canary"', "in plain text"),
    ],
    ids=["key", "type", "missing", "TOML", "secret"],
)
def test_problems_are_reported_with_their_key(wheelrelay, here, text, said):
    (here / "wheelrelay.toml").write_text(text)
    ended = wheelrelay("config", "check")
    assert ended.code == 2
    assert said in ended.out + ended.err
    assert "canary" not in ended.out + ended.err


WRONG = """\
# remotes
[remotes.staging]
type = "directory"

pth = "dist"
public_url = \"\"\"
not a URL\"\"\"
[remotes.x]
type = "indx"
[routes.release]
source = "stagin"
sinks = ["x",
  "staging"]
wheels = [
  "cp312",
]
[routes.release.expect]
cont = 3
[rotes.other]
"""


def test_each_problem_is_one_line_with_its_file_and_line(wheelrelay, here):
    (here / "wheelrelay.toml").write_text(WRONG)
    ended = wheelrelay("config", "check", "--config", "wheelrelay.toml")
    assert ended.code == 2
    starts = [
        "wheelrelay.toml:2: remotes.staging.path: this key is required.",
        "wheelrelay.toml:5: remotes.staging: there is no key 'pth'. Did you mean 'path'?",
        "wheelrelay.toml:6: remotes.staging.public_url: ",
        "wheelrelay.toml:9: remotes.x: There is no backend of type 'indx'. Did you mean 'index'?",
        "wheelrelay.toml:11: routes.release.source: there is no remote 'stagin'.",
        "wheelrelay.toml:14: routes.release.wheels.0: 'cp312' is not a tag pattern.",
        "wheelrelay.toml:18: routes.release.expect: there is no key 'cont'. Did you mean 'count'?",
        "wheelrelay.toml:19: there is no key 'rotes'. Did you mean 'routes'?",
    ]
    lines = ended.out.splitlines()
    assert len(lines) == len(starts)
    for line, start in zip(lines, starts, strict=True):
        assert line.startswith(start)
        assert line.endswith((".", "?"))
    assert ended.err == "wheelrelay.toml has 8 problems.\n"


def test_lines_of_pyproject_are_those_of_the_file(wheelrelay, here):
    (here / "pyproject.toml").write_text(
        "[project]\nname = 'x'\n[tool.wheelrelay]\nremotes.x = { type = 'index', urll = 'x' }\n"
    )
    ended = wheelrelay("config", "check", "--json")
    assert ended.code == 2
    problems = json.loads(ended.out)
    assert {problem["line"] for problem in problems} == {4}
    assert any("'urll'" in problem["message"] for problem in problems)


def test_valid_configuration_has_no_problems_as_json(wheelrelay, config):
    ended = wheelrelay("config", "check", "--json")
    assert (ended.code, json.loads(ended.out)) == (0, [])


def test_show_prints_effective_values_without_secrets(wheelrelay, here, monkeypatch):
    monkeypatch.setenv("TOKEN", "canary")
    (here / "wheelrelay.toml").write_text(
        '[remotes.x]\ntype = "index"\nurl = "https://example.org/simple/"\ntoken = { env = "TOKEN" }\n'
    )
    ended = wheelrelay("config", "show")
    assert json.loads(ended.out)["remotes"]["x"]["token"] == {"env": "TOKEN"}
    assert "canary" not in ended.out


def test_schema_is_valid_json_schema(wheelrelay, config):
    schema = json.loads(wheelrelay("config", "schema").out)
    Draft202012Validator.check_schema(schema)
    import tomllib

    Draft202012Validator(schema).validate(tomllib.loads(config.read_text()))
    assert list(Draft202012Validator(schema).iter_errors({"remotes": {"x": {"type": "index", "urll": 1}}}))


@pytest.mark.parametrize("document", sorted(DOCUMENT_TYPES))
def test_every_document_has_a_schema(wheelrelay, document):
    Draft202012Validator.check_schema(json.loads(wheelrelay("config", "schema", document).out))


def test_show_sources_reads_no_secrets(wheelrelay, here, home, monkeypatch):
    path = here / "wheelrelay.toml"
    path.write_text(
        '[remotes.x]\ntype = "index"\nupload_url = "https://x.example.org/"\nchecks.profile = "pypi"\n'
        'token = { command = ["touch", "ran"] }\n'
        '[remotes.y]\ntype = "index"\nupload_url = "https://y.example.org/"\n'
        '[remotes.z]\ntype = "index"\nupload_url = "https://z.example.org/"\n'
        '[remotes.l]\ntype = "listing"\nurl = "https://l.example.org/"\n'
        '[routes.r]\nsource = "./dist"\nsinks = ["x"]\n'
    )
    monkeypatch.setenv("WHEELRELAY_Y_PASSWORD", "canary-1")
    monkeypatch.setenv("WHEELRELAY_L_TOKEN", "canary-4")
    monkeypatch.setenv("TWINE_PASSWORD", "canary-2")
    (home / ".pypirc").write_text(
        "[distutils]\nindex-servers = z\n[z]\nrepository = https://z.example.org/\npassword = canary-3\n"
    )
    (home / ".pypirc").chmod(0o600)
    ended = wheelrelay("config", "show", "--sources")
    told = json.loads(ended.out)["sources"]
    assert {key: told.get(key) for key in told if "password" in key or "token" in key} == {
        "remotes.x.token": f"{path}, which refers to command = 'touch'",
        "remotes.x.password": "default",
        "remotes.y.token": "default",
        "remotes.y.password": "the variable WHEELRELAY_Y_PASSWORD",
        "remotes.z.token": "default",
        "remotes.z.password": "section [z] of ~/.pypirc",
        "remotes.l.token": "default",
        "remotes.l.password": "the variable WHEELRELAY_L_TOKEN",
        "remotes.pypi.password": "the variable TWINE_PASSWORD",
    }
    assert told["path"] == "found by searching upward"
    assert (told["remotes.x.checks.profile"], told["remotes.x.confirm"]) == (str(path), "default")
    assert (told["routes.r.source"], told["routes.r.order"]) == (str(path), "default")
    assert "canary" not in ended.out + ended.err
    assert not (here / "ran").exists()


def test_show_sources_names_how_the_file_was_found(wheelrelay, config, monkeypatch):
    for named, told in ((("--config", config), "--config"), ((), "the variable WHEELRELAY_CONFIG")):
        monkeypatch.setenv("WHEELRELAY_CONFIG", str(config))
        assert json.loads(wheelrelay("config", "show", "--sources", *named).out)["sources"]["path"] == told
