"""A server that accepts connections and never responds."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from tests.servers.process import HOST

SOON = 25.0
"""The limit for `soon` in seconds, on a busy machine: half of the default timeout."""


@contextmanager
def silent_server() -> Iterator[str]:
    """Yield the URL of the server, without a slash at the end."""
    with socket.create_server((HOST, 0)) as silent:
        yield f"http://{HOST}:{silent.getsockname()[1]}"


def in_time(call: Callable[[], object]) -> None:
    """Call a function, and assert that it ends soon, with or without an error."""
    began = monotonic()
    try:
        call()
    finally:
        assert monotonic() - began < SOON
