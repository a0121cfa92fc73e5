"""Kinds of values that several configuration models share: paths, web addresses, durations."""

import math
import os
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, ValidationInfo, WithJsonSchema

from wheelrelay.durations import parse_duration, written_duration


def _from_config_file(path: Path, info: ValidationInfo) -> Path:
    """A relative path counts from the folder of the file that it stands in, as readers expect."""
    base = (info.context or {}).get("base", Path())
    return Path(base) / os.path.expanduser(path)


LocalPath = Annotated[Path, AfterValidator(_from_config_file)]
"""A path on this machine: ``~`` is the home folder, and a relative one counts from the configuration file."""


def _web_address(url: str) -> str:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # its message repeats a part of the address
        usable = False
    if not usable:
        raise ValueError("this is not an http or https address")
    if parts.username or parts.password:
        raise ValueError("credentials do not belong in an address: give username and password on their own")
    return url


WebAddress = Annotated[str, AfterValidator(_web_address)]
"""An http or https address without credentials in it."""


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(written_duration, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^(\d+[smhdw])+$"}),
]
"""A length of time, written as ``90s``, ``20m``, ``14d``."""


def parse_timeout(value: Any) -> float:
    """Read a timeout: a number of seconds, or a duration such as ``90s``.

    Raises:
        ValueError: it is neither, or not between 0.1 and 86400 seconds.

    >>> parse_timeout(30), parse_timeout("2.5"), parse_timeout("2m")
    (30.0, 2.5, 120.0)
    """
    from wheelrelay.http.limits import validate_timeout  # most runs read no timeout, and need no HTTP

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
"""Seconds, as a number or written as a duration."""
