"""Durations, URLs and paths are read as users write them."""

from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from wheelrelay.config import Duration, LocalPath, WebAddress


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("90s", timedelta(seconds=90)),
        ("20m", timedelta(minutes=20)),
        ("2h", timedelta(hours=2)),
        ("14d", timedelta(days=14)),
        ("3w", timedelta(weeks=3)),
        ("1h30m", timedelta(minutes=90)),
        (timedelta(seconds=5), timedelta(seconds=5)),
    ],
)
def test_parses_a_duration(text, length):
    assert TypeAdapter(Duration).validate_python(text) == length


@pytest.mark.parametrize("text", ["", "90", "h", "1.5h", "-1h", "1 h", "20min", 90, None])
def test_refuses_a_malformed_duration(text):
    with pytest.raises(ValidationError, match="is not a duration: write 90s, 20m, 2h or 14d"):
        TypeAdapter(Duration).validate_python(text)


@pytest.mark.parametrize("text", ["99999999999d", "9" * 400 + "w", "9" * 5_000 + "s", "36500d1s"])
def test_refuses_a_duration_over_the_limit(text):
    with pytest.raises(ValidationError, match="is too long: at most 36500d"):
        TypeAdapter(Duration).validate_python(text)


@pytest.mark.parametrize("url", ["https://example.org/simple/", "http://127.0.0.1:8080/", "http://[::1]/"])
def test_accepts_a_url_unchanged(url):
    assert TypeAdapter(WebAddress).validate_python(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "example.org",
        "ftp://example.org/",
        "https://",
        "file:///etc",
        "http://h:99999/",
        "http://h:x/",
        "http://[1",
    ],
)
def test_refuses_a_url_that_is_not_http(url):
    with pytest.raises(ValidationError):
        TypeAdapter(WebAddress).validate_python(url)


def test_resolves_paths_from_the_configuration_and_the_home_directory(home):
    read = TypeAdapter(LocalPath).validate_python
    assert read("wheels", context={"base": Path("/srv")}) == Path("/srv/wheels")
    assert read("/abs", context={"base": Path("/srv")}) == Path("/abs")
    assert read("~/wheels") == home / "wheels"
    assert read("wheels") == Path("wheels")


@pytest.mark.parametrize("text", ["90s", "20m", "2h", "14d"])
def test_shows_a_duration_as_it_was_written(text):
    adapter = TypeAdapter(Duration)
    assert adapter.dump_python(adapter.validate_python(text), mode="json") == text
