"""A server that takes connections and never answers."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from tests.servers.process import HOST

SOON = 25.0
"""Seconds that count as soon on a busy machine: half of the default timeout."""


@contextmanager
def silent_server() -> Iterator[str]:
    """The address of such a server, without a slash at the end."""
    with socket.create_server((HOST, 0)) as silent:
        yield f"http://{HOST}:{silent.getsockname()[1]}"


def in_time(call: Callable[[], object]) -> None:
    """Call, and demand that it ends soon, by an error or without one."""
    began = monotonic()
    try:
        call()
    finally:
        assert monotonic() - began < SOON
