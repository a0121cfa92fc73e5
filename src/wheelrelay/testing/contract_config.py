"""The contract of configuration classes, as a pytest class."""

import pickle
from collections.abc import Iterator
from typing import Literal, get_args, get_origin

import pytest
from pydantic import ValidationError

from wheelrelay.config import RemoteConfig
from wheelrelay.config.secrets import CommandSecret, EnvSecret, FileSecret, KeyringSecret
from wheelrelay.protocols import Sink, Source

REFERENCES = (EnvSecret, FileSecret, KeyringSecret, CommandSecret)


class ConfigContract:
    """The cases that the configuration class of every backend must pass.

    Derive a class from it, and define one fixture:

    ``config``: a working configuration, whose secrets are references to existing values. ::

        class TestMyConfig(ConfigContract):
            @pytest.fixture
            def config(self, my_server, monkeypatch):
                monkeypatch.setenv("MY_TOKEN", "s3cret")
                return MyConfig(url=my_server.url, token={"env": "MY_TOKEN"})
    """

    def test_type_is_one_literal(self, config: RemoteConfig) -> None:
        field = type(config).model_fields["type"]
        assert get_origin(field.annotation) is Literal
        assert get_args(field.annotation) == (field.default,)

    def test_refuses_unknown_keys(self, config: RemoteConfig) -> None:
        with pytest.raises(ValidationError) as refused:
            type(config).model_validate({"no_such_key": True})
        assert ("no_such_key",) in [error["loc"] for error in refused.value.errors()]

    def test_is_immutable(self, config: RemoteConfig) -> None:
        with pytest.raises(ValidationError):
            config.type = "other"  # type: ignore[misc]  # it must be read-only

    def test_describes_every_key(self, config: RemoteConfig) -> None:
        fields = type(config).model_fields
        assert [name for name, field in fields.items() if name != "type" and not field.description] == []

    def test_has_a_json_schema(self, config: RemoteConfig) -> None:
        assert type(config).model_json_schema()["properties"]["type"]["const"] == config.type

    def test_opens_more_than_once(self, config: RemoteConfig) -> None:
        for _ in range(2):
            with config.open() as backend:
                assert isinstance(backend, (Source, Sink))

    def test_is_pickled_without_secret_values(self, config: RemoteConfig) -> None:
        with config.open():
            pickled = pickle.dumps(config)
        assert pickle.loads(pickled) == config  # noqa: S301  (bytes of this test)
        assert [value for value in _secrets_of(config) if value.encode() in pickled] == []

    def test_does_not_show_secret_values(self, config: RemoteConfig) -> None:
        with config.open() as backend:
            shown = f"{config!r} {config} {config.model_dump_json()} {backend!r} {backend}"
        assert [value for value in _secrets_of(config) if value in shown] == []


def _secrets_of(config: RemoteConfig) -> Iterator[str]:
    """Yield the values of all secrets."""
    for name in type(config).model_fields:
        value = getattr(config, name)
        if isinstance(value, REFERENCES):
            yield value.resolve()
