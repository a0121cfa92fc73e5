"""The gateway to an emulator of Google Cloud Storage as a process of its own, for tests that measure memory.

``python -m tests.servers.gcs_gateway URL FILE`` writes the address of the gateway to a file when it is ready.
"""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.gcs import GcsServer, run_gcs
from tests.servers.process import running


@contextmanager
def run_gcs_in_process(server: GcsServer, root: Path) -> Iterator[GcsServer]:
    """Run a gateway that makes ``server`` as strict as Google; it accepts every token.

    Args:
        server: The emulator.
        root: An empty folder, for the log.
    """
    address = root / "address"
    command = [sys.executable, "-m", "tests.servers.gcs_gateway", server.url, str(address)]
    with running(command, log=root / "gateway.log", ready=address.exists):
        yield GcsServer(address.read_text())


def _serve(emulator: str, address: Path) -> None:
    with run_gcs(GcsServer(emulator)) as gateway:
        part = address.with_suffix(".part")
        part.write_text(gateway.server.url)
        part.replace(address)
        signal.sigwait({signal.SIGTERM, signal.SIGINT})


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})  # inherited by all threads
    _serve(sys.argv[1], Path(sys.argv[2]))
