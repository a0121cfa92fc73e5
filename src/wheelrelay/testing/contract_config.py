"""What every backend's configuration class must do, as a pytest class."""

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
    """The cases that the configuration class of every backend passes.

    Derive a class from it, and give it one fixture:

    ``config``: a configuration that works, all its secrets given as references that lead somewhere. ::

        class TestMyConfig(ConfigContract):
            @pytest.fixture
            def config(self, my_server, monkeypatch):
                monkeypatch.setenv("MY_TOKEN", "s3cret")
                return MyConfig(url=my_server.url, token={"env": "MY_TOKEN"})
    """

    def test_its_type_is_one_literal(self, config: RemoteConfig) -> None:
        field = type(config).model_fields["type"]
        assert get_origin(field.annotation) is Literal
        assert get_args(field.annotation) == (field.default,)

    def test_unknown_keys_are_refused(self, config: RemoteConfig) -> None:
        with pytest.raises(ValidationError) as refused:
            type(config).model_validate({"no_such_key": True})
        assert ("no_such_key",) in [error["loc"] for error in refused.value.errors()]

    def test_it_cannot_be_changed(self, config: RemoteConfig) -> None:
        with pytest.raises(ValidationError):
            config.type = "other"  # type: ignore[misc]  # that it cannot be set is the point

    def test_every_key_is_described(self, config: RemoteConfig) -> None:
        fields = type(config).model_fields
        assert [name for name, field in fields.items() if name != "type" and not field.description] == []

    def test_it_has_a_schema(self, config: RemoteConfig) -> None:
        assert type(config).model_json_schema()["properties"]["type"]["const"] == config.type

    def test_it_opens_more_than_once(self, config: RemoteConfig) -> None:
        for _ in range(2):
            with config.open() as backend:
                assert isinstance(backend, (Source, Sink))

    def test_it_can_be_pickled_without_the_values_of_its_secrets(self, config: RemoteConfig) -> None:
        with config.open():
            pickled = pickle.dumps(config)
        assert pickle.loads(pickled) == config  # noqa: S301  (our own bytes)
        assert [value for value in _secrets_of(config) if value.encode() in pickled] == []

    def test_it_does_not_show_the_values_of_its_secrets(self, config: RemoteConfig) -> None:
        with config.open() as backend:
            shown = f"{config!r} {config} {config.model_dump_json()} {backend!r} {backend}"
        assert [value for value in _secrets_of(config) if value in shown] == []


def _secrets_of(config: RemoteConfig) -> Iterator[str]:
    """The values behind all references, which so must lead somewhere."""
    for name in type(config).model_fields:
        value = getattr(config, name)
        if isinstance(value, REFERENCES):
            yield value.resolve()
