"""Read receipts that earlier relays wrote."""

import os
from pathlib import Path

from wheelrelay.backends.local.paths import Pathlike
from wheelrelay.documents import parse_receipt
from wheelrelay.errors import ConfigError
from wheelrelay.records import Receipt


def read_receipt(path: Pathlike) -> Receipt:
    """Read the JSON receipt that a relay wrote.

    Args:
        path: The file that was the ``receipt`` of `relay` or `push`.

    Raises:
        ConfigError: The file cannot be read, is damaged, or was written by a later version of wheelrelay.
    """
    file = Path(os.fspath(path))
    try:
        return parse_receipt(file.read_bytes())
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}.") from error
    except ConfigError as error:
        raise error.at(str(file)) from error.__cause__
