"""Servers that start once in each test process and serve all its tests."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from tests.servers.swift import Swift, run_cluster

Server = TypeVar("Server")

RUNNING = pytest.StashKey[dict[str, object]]()

FIXTURES = {
    "devpi": {"devpi", "devpi_server"},
    "seaweed": {"seaweed"},
    "swift": {"swift", "swift_proxy", "cluster"},
    "moto": {"moto"},
}
"""The fixtures of each server that takes seconds to start."""


def shared(request: pytest.FixtureRequest, run: Callable[[Path], AbstractContextManager[Server]]) -> Server:
    """Return the server that ``run`` starts in an empty folder; it runs until the end of the process.

    Fixtures of several conftest files share one server by calling this with the same function.
    """
    config = request.config
    running = config.stash.setdefault(RUNNING, {})
    if run.__name__ not in running:
        folder = request.getfixturevalue("tmp_path_factory").mktemp(run.__name__)
        stack = ExitStack()
        config.add_cleanup(stack.close)
        running[run.__name__] = stack.enter_context(run(folder))
    return running[run.__name__]  # type: ignore[return-value]


def shared_swift(request: pytest.FixtureRequest) -> Swift:
    """Return the usual proxy of the shared Swift cluster."""
    cluster = shared(request, run_cluster)

    @contextmanager
    def run_proxy(_: Path) -> Iterator[Swift]:
        with cluster.proxy() as proxy:
            yield proxy

    return shared(request, run_proxy)


def group_by_server(items: Iterable[pytest.Item]) -> None:
    """Mark the tests of each slow server as one group, which pytest-xdist runs in one process."""
    for item in items:
        used = set(getattr(item, "fixturenames", ()))
        if callspec := getattr(item, "callspec", None):
            used |= {value for value in callspec.params.values() if isinstance(value, str)}
        server = next((name for name, fixtures in FIXTURES.items() if used & fixtures), None)
        if server:
            item.add_marker(pytest.mark.xdist_group(server))
