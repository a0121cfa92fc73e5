"""Run a program so that it and its children end when wheelrelay is interrupted."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress

GRACE_PERIOD = 5.0
"""Seconds that an interrupted program has to clean up before it is killed."""


def run_program(command: Sequence[str], env: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    """Run a program to its end and capture its output.

    If this is interrupted, the program and all its children are ended first.

    Args:
        command: the program and its arguments.
        env: its complete environment.

    Raises:
        OSError: The program cannot be started.
    """
    with subprocess.Popen(  # noqa: S603  (callers name the program)
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
            stdout, stderr = process.communicate()
        except BaseException:
            _end(process)
            raise
    return subprocess.CompletedProcess(command, process.returncode, stdout, stderr)


def _end(process: "subprocess.Popen[str]") -> None:
    """End a program and its children, which share its session, after a grace period."""
    if os.name == "nt":
        process.kill()
        return
    try:
        _signal(process, signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_PERIOD)
    finally:
        _signal(process, signal.SIGKILL)


def _signal(process: "subprocess.Popen[str]", number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
