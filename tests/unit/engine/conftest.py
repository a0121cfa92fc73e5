"""Fixtures for the steps: relays between places in memory, quick to try again and slow to be believed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from tests.servers.places import MoodyStore, staged_files

from wheelrelay.engine import run
from wheelrelay.engine.context import ConnectedSink, ConnectedSource, RelayContext, RelayOptions
from wheelrelay.engine.findings import ReleasePolicy
from wheelrelay.expect import Expected
from wheelrelay.model import Confirm
from wheelrelay.records import Receipt
from wheelrelay.select import Selection, parse_requirement
from wheelrelay.transfer.retry import RetryPolicy

QUICK = RetryPolicy(attempts=3, first_pause=0.001)
WHEELS = tuple(f"sample-1.0-py3-none-manylinux_2_{number}_x86_64.whl" for number in range(4))
SDIST = "sample-1.0.tar.gz"


@contextmanager
def journey_between(
    source: object,
    *sinks: object,
    requirement: str = "sample",
    expected: Expected = Expected(),  # noqa: B008  (frozen)
    confirm: Confirm = Confirm.INDEX,
    confirm_timeout: float = 0.5,
    **settings: object,
) -> Iterator[RelayContext]:
    """A journey from the source ``here`` to the sinks ``there``, ``there2`` ..."""
    names = ["there", *(f"there{number}" for number in range(2, len(sinks) + 1))][: len(sinks)]
    destinations = [
        ConnectedSink(name, sink, confirm, confirm_timeout=confirm_timeout)
        for name, sink in zip(names, sinks, strict=True)
    ]
    selection = Selection(requirements=(parse_requirement(requirement),))
    options = RelayOptions(**{"retry_policy": QUICK, "jobs": 4, **settings})
    context = RelayContext(
        ConnectedSource("here", source), destinations, selection, expected, ReleasePolicy(), options
    )
    try:
        yield context
    finally:
        context.close()


def release(*places: object, **options: object) -> Receipt:
    """Relay everything, or nothing."""
    with journey_between(*places, **options) as context:
        return run.release(context)


def mirror(*places: object, **options: object) -> Receipt:
    """Relay each file by itself."""
    with journey_between(*places, **options) as context:
        return run.mirror(context)


@pytest.fixture
def files(tmp_path):
    """Four wheels and an sdist."""
    return staged_files(tmp_path / "files", *WHEELS, SDIST)


@pytest.fixture
def source(files):
    """A source with the files of a release."""
    return MoodyStore(files)


@pytest.fixture
def sink():
    """An empty sink."""
    return MoodyStore()


@pytest.fixture
def other(tmp_path) -> Callable[..., MoodyStore]:
    """Gives a store that has files of these names with other bytes."""
    return lambda *names: MoodyStore(staged_files(tmp_path / "other", *names, seed=1))
