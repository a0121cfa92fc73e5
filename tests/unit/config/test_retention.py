"""What a container keeps is said, and not guessed from an empty table."""

from datetime import timedelta

import pytest

from wheelrelay.config.base import Retention
from wheelrelay.config.remote_types import make_config
from wheelrelay.errors import ConfigError


def retention_of(**keys):
    return make_config("directory", {"path": "wheels", "retention": keys}, where="remotes.nightly").retention


def test_each_key_may_stand_alone():
    assert retention_of(keep=3) == Retention(keep=3)
    assert retention_of(max_age="14d") == Retention(keep=1, max_age=timedelta(days=14))


@pytest.mark.parametrize(
    ("keys", "reason"),
    [({}, "say what to keep"), ({"keep": 0}, "retention.keep"), ({"max_age": "old"}, "retention.max_age")],
)
def test_a_table_that_would_take_everything_is_refused(keys, reason):
    with pytest.raises(ConfigError, match=reason):
        retention_of(**keys)
