"""Run a program with limits on its time and its output, and end it with all its child processes."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from wheelrelay.lazy_dataclass import dataclass

MAX_OUTPUT = 16 << 10
"""Bytes of an output that are kept, from its end."""

MAX_REASON = 400
"""Characters of a reason."""

POLL = 0.2
"""Seconds between two looks at whether the run is to be stopped."""

PATIENCE = 5.0
"""Seconds to wait for the end of an output after the program was ended."""

_BLOCK = 4096


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended.

    Attributes:
        code: Its exit code, negative for a signal; ``None`` if it was ended because it took too long.
        output: The end of what it wrote to standard output and standard error.
    """

    code: int | None
    output: str

    @property
    def lines(self) -> list[str]:
        """The lines of the output that are not blank, with unprintable characters replaced."""
        stripped = (line.strip() for line in self.output.split("\n"))
        return ["".join(one if one.isprintable() else "?" for one in line) for line in stripped if line]

    @property
    def last_line(self) -> str:
        """The last line; empty if there is none."""
        return self.lines[-1] if self.lines else ""

    @property
    def reason(self) -> str:
        """Why the program failed: what follows ``error:``, without hints; or else the last line."""
        lines = self.lines
        start = next((number for number, line in enumerate(lines) if line.lower().startswith("error")), -1)
        if start < 0:
            return self.last_line
        text = " ".join(lines[start:]).partition("hint:")[0].strip()
        return text if len(text) <= MAX_REASON else f"{text[: MAX_REASON - 3]}..."


def run_limited(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    folder: Path,
    timeout: float,
    stdin: str = "",
    stopped: threading.Event | None = None,
) -> Ended:
    """Run a program, and end it with all its child processes, at the latest when the time is up.

    Args:
        command: The program and its arguments.
        environment: All its environment variables; see `clean_environment`.
        folder: Its working directory.
        timeout: Seconds that it may take.
        stdin: Its standard input.
        stopped: Set to end it early, as if the time were up.

    Raises:
        OSError: It cannot be started.
    """
    deadline = time.monotonic() + timeout
    process = subprocess.Popen(  # noqa: S603  (uv, pip, or what the configuration names)
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        cwd=folder,
        start_new_session=sys.platform != "win32",
    )
    assert process.stdin is not None
    assert process.stdout is not None
    tail = _Tail(process.stdout)
    tail.start()
    code: int | None = None
    try:
        with suppress(BrokenPipeError):
            process.stdin.write(stdin.encode())
            process.stdin.close()
        while code is None and time.monotonic() < deadline and not (stopped and stopped.is_set()):
            with suppress(subprocess.TimeoutExpired):
                code = process.wait(POLL)
    finally:
        _end(process)
        tail.join(PATIENCE)
    return Ended(code, tail.text())


class _Tail(threading.Thread):
    """Reads an output to its end, and keeps the last part of it."""

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__(name="output", daemon=True)
        self._stream = stream
        self._kept = bytearray()

    def run(self) -> None:
        """Read until all processes have closed the output."""
        with self._stream, suppress(OSError, ValueError):
            while block := os.read(self._stream.fileno(), _BLOCK):
                self._kept += block
                del self._kept[:-MAX_OUTPUT]

    def text(self) -> str:
        """Return the kept part."""
        return bytes(self._kept).decode("utf-8", "replace").replace("\r\n", "\n")


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a process and its children; those that left its process group are not found."""
    if sys.platform == "win32":
        with suppress(OSError):
            subprocess.run(  # noqa: S603
                ["taskkill", "/F", "/T", "/PID", str(process.pid)],  # noqa: S607
                capture_output=True,
                check=False,
            )
    else:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
