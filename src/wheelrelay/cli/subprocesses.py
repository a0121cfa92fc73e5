"""Run other programs so that nothing of them goes on when this one is interrupted meanwhile."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress

GRACE = 5.0
"""Seconds that an interrupted program has to tidy up before it is ended."""


def run_whole(command: Sequence[str], env: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    """Run a program to its end; if this is interrupted, the program and all that it started end first.

    Args:
        command: the program and its arguments.
        env: all of its environment.

    Returns:
        Its exit code, and what it said.

    Raises:
        OSError: it cannot be started.
    """
    with subprocess.Popen(  # noqa: S603  (callers name it)
        command,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as process:
        try:
            out, err = process.communicate()
        except BaseException:
            _end(process)
            raise
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def _end(process: "subprocess.Popen[str]") -> None:
    """End a program with all that it started, which shares its session; it may tidy up for a while."""
    if os.name == "nt":
        process.kill()
        return
    try:
        _signal(process, signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)
    finally:
        _signal(process, signal.SIGKILL)


def _signal(process: "subprocess.Popen[str]", number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
