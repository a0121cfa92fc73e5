"""Start a server as a process of its own, wait until it answers, and end it whatever happens."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

HOST = "127.0.0.1"
PATIENCE = 60.0
"""Seconds that a server may take to start, on a machine that is busy with other tests."""


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.create_server((HOST, 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def script(name: str) -> str:
    """The path of a console script beside the running interpreter."""
    return str(Path(sys.executable).parent / name)


def answers(url: str) -> bool:
    """Whether a web server answers at ``url``, with whatever status."""
    try:
        urllib.request.urlopen(url, timeout=5).close()
    except urllib.error.HTTPError as error:
        error.close()
    except OSError:
        return False
    return True


@contextmanager
def running(
    command: Sequence[str],
    *,
    log: Path,
    ready: Callable[[], bool],
    env: Mapping[str, str] | None = None,
    grace: float = 5.0,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run ``command`` from the moment that it is ready until the end of the context.

    Args:
        command: the program with its arguments.
        log: a file that takes its output.
        ready: asked again and again until it says yes.
        env: environment variables beyond those of this process.
        grace: seconds that it has to end by itself.

    Raises:
        RuntimeError: it ended, or was not ready in time; shows the end of its output.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})},
            start_new_session=True,
        )
    try:
        _await(process, log, ready)
        yield process
    finally:
        end(process, grace)


def end(process: subprocess.Popen[bytes], grace: float) -> None:
    """End a process, and what it started; ask politely first."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            os.killpg(process.pid, sign)
            try:
                process.wait(grace)
            except subprocess.TimeoutExpired:
                continue


def _await(process: subprocess.Popen[bytes], log: Path, ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            state = "ended" if process.poll() is not None else "does not answer"
            said = log.read_text(encoding="utf-8", errors="replace")[-4000:]
            raise RuntimeError(f"{process.args!r} {state}; its output:\n{said}")
        time.sleep(0.05)
