"""Fixtures for the engine: relays between stores in memory, with short pauses."""

import pytest
from tests.servers.faulty_store import FaultyStore, staged_files

from wheelrelay.engine import run
from wheelrelay.engine.context import ConnectedSink, ConnectedSource, RelayOptions, RelayRequest
from wheelrelay.engine.recording import ReceiptRecorder
from wheelrelay.expect import Expected
from wheelrelay.model import Confirm, Mode
from wheelrelay.select import Selection, parse_requirement
from wheelrelay.transfer.retry import RetryPolicy

QUICK = RetryPolicy(attempts=3, first_pause=0.001)
WHEELS = tuple(f"sample-1.0-py3-none-manylinux_2_{number}_x86_64.whl" for number in range(4))
SDIST = "sample-1.0.tar.gz"
ALL = sorted([*WHEELS, SDIST])


def request_between(
    source,
    *sinks,
    requirement="sample",
    expected=Expected(),  # noqa: B008  (frozen)
    confirm=Confirm.INDEX,
    confirm_timeout=0.5,
    lock=None,
    **options,
):
    """Return a request to relay from the source ``here`` to the sinks ``there``, ``there2`` ..."""
    names = ["there", *(f"there{number}" for number in range(2, len(sinks) + 1))][: len(sinks)]
    return RelayRequest(
        ConnectedSource("here", source),
        tuple(
            ConnectedSink(name, sink, confirm, confirm_timeout=confirm_timeout)
            for name, sink in zip(names, sinks, strict=True)
        ),
        Selection(requirements=(parse_requirement(requirement),), lock=lock),
        expected,
        options=RelayOptions(**{"retry_policy": QUICK, "jobs": 4, **options}),
    )


def recorder_for(request, mode, save):
    """Return an empty record of a relay."""
    return ReceiptRecorder(request.source.name, [sink.name for sink in request.sinks], mode, save=save)


def outcomes(receipt, sink="there"):
    """Return the outcome of each file of a receipt by filename."""
    return {file.filename: file.sinks[sink].outcome for file in receipt.files}


def release(*places, save=None, **options):
    """Relay all files or none."""
    request = request_between(*places, **options)
    return run.release(request, recorder_for(request, Mode.RELEASE, save))


def mirror(*places, save=None, **options):
    """Relay each file on its own."""
    request = request_between(*places, **options)
    return run.mirror(request, recorder_for(request, Mode.MIRROR, save))


@pytest.fixture
def files(tmp_path):
    """Four wheels and an sdist."""
    return staged_files(tmp_path / "files", *WHEELS, SDIST)


@pytest.fixture
def source(files):
    """A source with the files of a release."""
    return FaultyStore(files)


@pytest.fixture
def sink():
    """An empty sink."""
    return FaultyStore()


@pytest.fixture
def other(tmp_path):
    """Return a function that creates a store with files of these names and other bytes."""
    return lambda *names: FaultyStore(staged_files(tmp_path / "other", *names, seed=1))
