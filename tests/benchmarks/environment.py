"""Where the runs take place: folders, environment, certificates, servers, and turns taken fairly."""

import os
import re
import socket
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.measure import Measured, measure, spread
from tests.benchmarks.peers import ours
from tests.servers.process import HOST, running, script

ROOT = Path(__file__).parents[2]

LEADS_ELSEWHERE = re.compile(r"(AWS|OS|RCLONE|ST|TWINE|UV|WHEELRELAY)_|.*_proxy$", re.IGNORECASE)
"""Variables that would tell a tool of other servers, or how to reach them."""

MAX_SPREAD = 0.2
"""If the runs of a side differ by more than a fifth, all sides run again."""

ROUNDS = 2
"""How often they run at most; the calmer round counts."""

Contender = Callable[[], Measured]
"""Runs one side once."""


@dataclass(frozen=True, slots=True)
class Environment:
    """What all lines share.

    Attributes:
        root: a folder for whatever they write.
        runs: how often each side runs.
        small: whether sizes are such that all takes seconds.
    """

    root: Path
    runs: int = 3
    small: bool = False

    def folder(self, name: str) -> Path:
        """A folder of its own for a line, or a part of one."""
        made = self.root / name
        made.mkdir(parents=True, exist_ok=True)
        return made

    def wheelrelay(self, *words: str) -> list[str]:
        """Ours, as it is installed by its users; small runs take what is at hand."""
        return [script("wheelrelay") if self.small else ours(), *words]

    def measure(self, folder: Path, *commands: Sequence[str], **env: str) -> Measured:
        """Run commands, one after the other, in ``folder``, with an empty home and further variables.

        Raises:
            RuntimeError: one failed; shows the end of its output.
        """
        usual = {name: value for name, value in os.environ.items() if not LEADS_ELSEWHERE.match(name)}
        usual.pop("PYTHONDONTWRITEBYTECODE", None)  # what is installed has its bytecode, and so have we
        return measure(commands, env={**usual, "HOME": str(self.folder("home")), **env}, folder=folder)

    def compete(
        self, contenders: Mapping[str, Contender], *, warm: Iterable[str] = (), turns: int = 0
    ) -> dict[str, list[Measured]]:
        """Let all run in turn, again and again, so that a busy minute of the machine meets everybody.

        Args:
            contenders: by name.
            warm: who runs once before, uncounted, so that the file cache and bytecode are there.
            turns: how often, if not as often as usual.
        """
        for name in warm:
            contenders[name]()
        rounds = []
        for _ in range(1 if self.small else ROUNDS):
            rounds.append(_take_turns(contenders, turns or self.runs))
            if _worst_spread(rounds[-1]) <= MAX_SPREAD:
                break
        return min(rounds, key=_worst_spread)


def _take_turns(contenders: Mapping[str, Contender], turns: int) -> dict[str, list[Measured]]:
    measured: dict[str, list[Measured]] = {name: [] for name in contenders}
    for _ in range(turns):
        for name, run in contenders.items():
            measured[name].append(run())
    return measured


def _worst_spread(measured: Mapping[str, Sequence[Measured]]) -> float:
    return max(spread([run.seconds for run in runs]) for runs in measured.values())


@contextmanager
def module(name: str, *words: str, log: Path, port: int) -> Iterator[int]:
    """Run a server of `tests.benchmarks.servers`, which listens on ``port``; gives the process's number."""
    command = [sys.executable, "-m", f"tests.benchmarks.servers.{name}", *words]
    with running(command, log=log, ready=lambda: _listens(port), env={"PYTHONPATH": str(ROOT)}) as process:
        yield process.pid


def _listens(port: int) -> bool:
    try:
        socket.create_connection((HOST, port)).close()
    except OSError:
        return False
    return True
