"""Run a command and say how long it took and how much memory its process had at most.

``python -m tests.benchmarks.measure RESULT COMMAND...`` writes the result as JSON. This small process stands
between, because a process that starts another passes its own memory on to the other's peak.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

KIB = 1 if sys.platform == "darwin" else 1024
"""Unit of the kernel's peak."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What one run took: seconds by the clock, and the peak resident memory in bytes."""

    seconds: float
    peak: int


def measure(command: Sequence[str], *, env: Mapping[str, str], folder: Path) -> Measured:
    """Run a command in ``folder``, which takes its output too.

    Raises:
        RuntimeError: it failed; shows the end of its output.
    """
    result, log = folder / "measured.json", folder / "log"
    with log.open("wb") as output:
        done = subprocess.run(
            [sys.executable, __file__, str(result), *command],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            check=False,
        )
    if done.returncode:
        raise RuntimeError(f"{command} failed:\n{log.read_text(errors='replace')[-4000:]}")
    return Measured(**json.loads(result.read_text()))


if __name__ == "__main__":
    started = time.perf_counter()
    code = subprocess.run(sys.argv[2:], check=False).returncode
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * KIB
    Path(sys.argv[1]).write_text(json.dumps({"seconds": seconds, "peak": peak}))
    sys.exit(code)
