"""Types of values that several configuration classes share: paths, URLs, durations, timeouts."""

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, ValidationInfo, WithJsonSchema

from wheelrelay.durations import format_duration, parse_duration
from wheelrelay.errors import ConfigError


@contextmanager
def as_value_error() -> Iterator[None]:
    """Turn a `ConfigError` into a `ValueError`, which pydantic collects together with other errors."""
    try:
        yield
    except ConfigError as error:
        raise ValueError(str(error)) from error


def _resolve_path(path: Path, info: ValidationInfo) -> Path:
    """Make a path relative to the folder of its configuration file, as users expect."""
    base = (info.context or {}).get("base", Path())
    return Path(base) / os.path.expanduser(path)


LocalPath = Annotated[Path, AfterValidator(_resolve_path)]
"""A local path. ``~`` is the home directory; other paths are relative to the configuration file."""


def _validate_web_address(url: str) -> str:
    try:
        parts = urlsplit(url)
        is_web = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # its message would repeat a part of the URL, which may be a secret
        is_web = False
    if not is_web:
        raise ValueError("this is not an http or https URL")
    if parts.username or parts.password:
        raise ValueError("a URL must not contain credentials: use the keys username and password")
    return url


WebAddress = Annotated[str, AfterValidator(_validate_web_address)]
"""An http or https URL without credentials."""


def _validate_folder(prefix: str) -> str:
    prefix = prefix.strip("/")
    if prefix and {"", ".", ".."} & set(prefix.split("/")):
        raise ValueError("a prefix is a folder such as nightly/wheels, without empty, . or .. parts")
    return prefix


FolderPrefix = Annotated[str, AfterValidator(_validate_folder)]
"""A folder in object storage, without slashes around it; empty for the top level."""


def _validate_bucket(name: str) -> str:
    if "/" in name or not name.strip():
        raise ValueError("the name is not empty and contains no slash; put a folder into prefix")
    return name


BucketName = Annotated[str, AfterValidator(_validate_bucket)]
"""The name of a bucket or container in object storage."""


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^(\d+[smhdw])+$"}),
]
"""A length of time, written as ``90s``, ``20m`` or ``14d``."""


def parse_timeout(value: Any) -> float:
    """Parse a timeout: a number of seconds, or a duration such as ``90s``.

    Raises:
        ValueError: It is neither, or not between 0.1 and 86400 seconds.

    >>> parse_timeout(30), parse_timeout("2.5"), parse_timeout("2m")
    (30.0, 2.5, 120.0)
    """
    from wheelrelay.http.limits import validate_timeout  # most runs parse no timeout, and need no HTTP

    if isinstance(value, int | float) and not isinstance(value, bool):
        return validate_timeout(float(value))
    try:
        seconds = float(value) if isinstance(value, str) else math.nan
    except ValueError:
        seconds = parse_duration(value).total_seconds()
    return validate_timeout(seconds)


Timeout = Annotated[
    float,
    BeforeValidator(parse_timeout),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": 0.1, "maximum": 86400},
                {"type": "string", "pattern": r"^(\d+[smhdw])+$"},
            ]
        }
    ),
]
"""Seconds: a number, or a duration such as ``90s``."""
