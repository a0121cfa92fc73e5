"""Retention rules must be stated explicitly."""

from datetime import timedelta

import pytest

from wheelrelay.config.base import Retention
from wheelrelay.config.remote_types import make_config
from wheelrelay.errors import ConfigError


def retention_of(**keys):
    return make_config("directory", {"path": "wheels", "retention": keys}, where="remotes.nightly").retention


def test_each_key_is_optional():
    assert retention_of(keep=3) == Retention(keep=3)
    assert retention_of(max_age="14d") == Retention(keep=1, max_age=timedelta(days=14))


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({}, "max_age or both"),
        ({"keep": 0}, "retention.keep"),
        ({"max_age": "old"}, "retention.max_age"),
    ],
)
def test_refuses_rules_that_would_remove_everything(keys, reason):
    with pytest.raises(ConfigError, match=reason):
        retention_of(**keys)
