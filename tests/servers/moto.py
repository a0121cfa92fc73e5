"""moto as an S3 server: it supports keys that end in a slash, but verifies no credentials and digests."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.process import HOST, answers, free_port, running
from tests.servers.s3 import S3Server


@contextmanager
def run_moto(root: Path) -> Iterator[S3Server]:
    """Run moto.

    Args:
        root: an empty folder, for its log.
    """
    port = free_port()
    url = f"http://{HOST}:{port}"
    command = [sys.executable, "-m", "tests.servers.moto_server", str(port)]
    ready = f"{url}/moto-api/"
    with running(command, log=root / "moto.log", ready=lambda: answers(ready), grace=1.0):
        yield S3Server(url, "anybody", "anything")
