"""Run commands and say how long they took and how much memory a process of theirs had at most.

``python measure.py RESULT COMMANDS`` writes the result as JSON; so are the commands written. This small
process stands between, because a process that starts another passes its own memory on to the other's peak.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

KIB = 1 if sys.platform == "darwin" else 1024
"""Unit of the kernel's peak."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What one run took.

    Attributes:
        seconds: by the clock.
        peak: most resident memory of any of its processes, in bytes.
        cpu: seconds of all its processes on a processor.
        read: bytes that its processes read from the disk (Linux; else 0), not from the file cache.
    """

    seconds: float
    peak: int
    cpu: float = 0.0
    read: int = 0


def spread(seconds: Sequence[float]) -> float:
    """Return how far the runs of one side differ, by their median: 0.2 is a fifth.

    Of eight runs or more, the fastest and the slowest quarter do not count.
    """
    ordered = sorted(seconds)
    dropped = len(ordered) // 4 if len(ordered) >= 8 else 0
    kept = ordered[dropped : len(ordered) - dropped]
    return (kept[-1] - kept[0]) / median(ordered) if ordered else 0.0


def measure(commands: Sequence[Sequence[str]], *, env: Mapping[str, str], folder: Path) -> Measured:
    """Run commands, one after the other, in ``folder``, which takes their output too.

    Raises:
        RuntimeError: one failed; shows the end of its output.
    """
    result, log = folder / "measured.json", folder / "log"
    with log.open("wb") as output:
        done = subprocess.run(
            [sys.executable, "-I", __file__, str(result), json.dumps(commands)],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            check=False,
        )
    if done.returncode:
        said = log.read_text(errors="replace")[-4000:]
        raise RuntimeError(f"One of {commands} failed:\n{said}")
    return Measured(**json.loads(result.read_text()))


def _read_bytes() -> int:
    """Return the bytes that this process and its ended children have read from the disk (Linux)."""
    try:
        lines = Path("/proc/self/io").read_text().splitlines()
    except OSError:
        return 0
    return int(next(line.partition(":")[2] for line in lines if line.startswith("read_bytes")))


def _main(result: Path, commands: list[list[str]]) -> int:
    started, read = time.perf_counter(), _read_bytes()
    for command in commands:
        if code := subprocess.run(command, check=False).returncode:
            return code
    seconds = time.perf_counter() - started
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = usage.ru_utime + usage.ru_stime
    read = _read_bytes() - read
    result.write_text(
        json.dumps({"seconds": seconds, "peak": usage.ru_maxrss * KIB, "cpu": cpu, "read": read})
    )
    return 0


if __name__ == "__main__":
    sys.exit(_main(Path(sys.argv[1]), json.loads(sys.argv[2])))
