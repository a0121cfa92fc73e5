"""Start a server as a subprocess, wait until it answers, and stop it in every case."""

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
"""Seconds that a server may take to start on a busy machine."""


def free_port() -> int:
    """Return an unused port of the loopback interface."""
    with socket.create_server((HOST, 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def script(name: str) -> str:
    """Return the path of a console script of the running environment."""
    return str(Path(sys.executable).parent / name)


def answers(url: str) -> bool:
    """Return whether a web server answers at ``url``, with any status."""
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
    """Run ``command``; enter the context when it is ready and stop it at the end.

    Args:
        command: The program with its arguments.
        log: The file for its output.
        ready: Called until it returns ``True``.
        env: Additional environment variables.
        grace: Seconds between SIGTERM and SIGKILL.

    Raises:
        RuntimeError: The process ended or was not ready in time; the message contains the end of its output.
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
    """Stop a process and its children: SIGTERM first, SIGKILL after ``grace`` seconds."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(grace)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()  # on a busy machine this takes longer than the grace


def _await(process: subprocess.Popen[bytes], log: Path, ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            state = "ended" if process.poll() is not None else "does not answer"
            output = log.read_text(encoding="utf-8", errors="replace")[-4000:]
            raise RuntimeError(f"{process.args!r} {state}; its output:\n{output}")
        time.sleep(0.05)
