"""``config``: a wrong key is named with its path, a right configuration is shown without its secrets."""

import json

import pytest
from jsonschema import Draft202012Validator

from wheelrelay.report.shapes import SHAPES


def test_a_valid_configuration_is_said_to_be_valid(wheelrelay, config):
    ended = wheelrelay("config", "check")
    assert ended.code == 0
    assert ended.out == f"{config}: 2 remotes and 1 route, all valid.\n"


def test_the_file_may_be_named(wheelrelay, config, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert wheelrelay("config", "check", "--config", config).code == 0
    monkeypatch.setenv("WHEELRELAY_CONFIG", str(config))
    assert wheelrelay("config", "check").code == 0


def test_without_a_configuration_there_is_nothing_to_check(wheelrelay, here):
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
def test_what_is_wrong_is_told_with_its_path(wheelrelay, here, text, said):
    (here / "wheelrelay.toml").write_text(text)
    ended = wheelrelay("config", "check")
    assert ended.code == 2
    assert said in ended.err
    assert "canary" not in ended.err


def test_it_is_shown_as_it_takes_effect_with_references_for_secrets(wheelrelay, here, monkeypatch):
    monkeypatch.setenv("TOKEN", "canary")
    (here / "wheelrelay.toml").write_text(
        '[remotes.x]\ntype = "index"\nurl = "https://example.org/simple/"\ntoken = { env = "TOKEN" }\n'
    )
    ended = wheelrelay("config", "show")
    assert json.loads(ended.out)["remotes"]["x"]["token"] == {"env": "TOKEN"}
    assert "canary" not in ended.out


def test_the_schema_is_one_that_editors_understand(wheelrelay, config):
    schema = json.loads(wheelrelay("config", "schema").out)
    Draft202012Validator.check_schema(schema)
    import tomllib

    Draft202012Validator(schema).validate(tomllib.loads(config.read_text()))
    assert list(Draft202012Validator(schema).iter_errors({"remotes": {"x": {"type": "index", "urll": 1}}}))


@pytest.mark.parametrize("document", sorted(SHAPES))
def test_every_document_has_a_schema(wheelrelay, document):
    Draft202012Validator.check_schema(json.loads(wheelrelay("config", "schema", document).out))
