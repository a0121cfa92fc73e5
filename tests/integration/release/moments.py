"""The moments at which a relay is killed: while a server holds it, or before a system call."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.integration.release.conftest import SDIST, WHEELS, Project
from tests.servers.pypi import PyPI
from tests.servers.pypi_troubles import Point, Trouble
from tests.servers.web import Reply, Web

import wheelrelay

HOOK = """
import atexit, os, re, signal, sys

pattern, at = re.compile(os.environ["KILLED_BEFORE"]), int(os.environ["KILLED_AT"])
by, seen = int(os.environ.get("KILLED_BY", signal.SIGKILL)), 0

def hook(event, args):
    global seen
    if event in ("open", "os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir"):
        if pattern.search(f"{event} {' '.join(map(str, args))}"):
            seen += 1
            if seen == at:
                os.kill(os.getpid(), by)

sys.addaudithook(hook)
if count := os.environ.get("COUNTED_IN"):
    atexit.register(lambda: open(count, "w").write(str(seen)))
"""

JOBS = 2
LARGE = WHEELS[1]
"""A wheel that is downloaded in several blocks."""


@dataclass(frozen=True, slots=True)
class World:
    """The servers, folders and processes of a test.

    Attributes:
        project: the release and its configuration.
        web: serves the release as a page of links.
        pypi: one kind of sink; the other is the directory ``box``, with pages.
        scratch: for temporary files.
        started: all relays.
    """

    project: Project
    web: Web
    pypi: PyPI
    scratch: Path
    started: "list[subprocess.Popen[bytes]]" = field(default_factory=list)

    def start(self, sink: str, **env: str) -> "subprocess.Popen[bytes]":
        """Start to relay the release to a sink."""
        words = [
            "--from",
            "listing",
            "--to",
            sink,
            "sample==1.0",
            "--yes",
            "--jobs",
            str(JOBS),
            "--receipt",
            "receipt.json",
        ]
        process = subprocess.Popen(
            [sys.executable, "-m", "wheelrelay", "relay", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **env},
        )
        self.started.append(process)
        return process

    def state(self, sink: str) -> dict[str, str]:
        """Return the sha256 of each file at the sink, by filename."""
        if sink != "box":
            return self.pypi.digests()
        box = self.project.folder / "box"
        if not box.exists():
            return {}
        try:
            return {
                file.filename: file.sha256 or ""
                for file in wheelrelay.list_files(str(box), with_digests=True)
            }
        except wheelrelay.NothingMatched:
            return {}


Kill = Callable[[World], "subprocess.Popen[bytes]"]
"""Starts a relay and kills it at some moment."""


def while_the_source_stalls(path: str, *, sink: str = "warehouse", **reply: float) -> Kill:
    """Kill while the relay waits for a response of the source, or for the rest of one."""

    def kill(world: World) -> "subprocess.Popen[bytes]":
        body = b"" if path.endswith("/") else world.project.dist / path.rpartition("/")[2]
        world.web.fail(path, Reply(body, **reply))
        process = world.start(sink)
        _await(lambda: path in world.web.paths())
        if "pause" in reply:
            _await(lambda: any(map(_size, world.scratch.rglob(".*.part"))))
        process.kill()
        return process

    return kill


def while_the_index_holds(
    point: Point, filename: str = "", *, number: int = 1, lost: bool = False, sink: str = "warehouse"
) -> Kill:
    """Kill while the index holds a request.

    Args:
        point: the state of the request.
        filename: the file of the request.
        number: the number of the request.
        lost: whether the index drops the request after the kill, instead of completing it.
        sink: the name of the remote.
    """

    def kill(world: World) -> "subprocess.Popen[bytes]":
        hold = world.pypi.hold(point, filename, number=number)
        process = world.start(sink)
        hold.await_reached()
        process.kill()
        process.wait()
        if lost:
            loss = Trouble(503) if point is Point.RECEIVED else Trouble(in_body=1_500)
            world.pypi.trouble("", *[loss] * JOBS)
        world.pypi.let_all_go()
        _await(lambda: all(upload.ended for upload in world.pypi.uploads))
        world.pypi.calm()
        return process

    return kill


def before(pattern: str, *, number: int = 1) -> Kill:
    """Kill before a system call whose name and arguments match."""

    def kill(world: World) -> "subprocess.Popen[bytes]":
        hook = str(world.project.folder / "hook")
        return world.start("box", PYTHONPATH=hook, KILLED_BEFORE=pattern, KILLED_AT=str(number))

    return kill


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment to kill a relay.

    Attributes:
        step: the step of the relay.
        kill: starts a relay and kills it.
        sink: the name of the remote.
        has: the minimum and maximum number of files at the sink.
    """

    step: str
    kill: Kill
    sink: str = "warehouse"
    has: tuple[int, int] = (0, 0)


STAGING, SENDING, CONFIRMING, FINALIZING = "staging", "sending", "confirming", "finalizing"

MOMENTS = {
    "the source is listed": Moment(STAGING, while_the_source_stalls("/files/", delay=60)),
    "a file is asked for": Moment(STAGING, while_the_source_stalls(f"/files/{WHEELS[0]}", delay=60)),
    "half a file has come": Moment(STAGING, while_the_source_stalls(f"/files/{LARGE}", pause=0.3)),
    "the last file is asked for": Moment(STAGING, while_the_source_stalls(f"/files/{SDIST}", delay=60)),
    "the first file is about to be written": Moment(STAGING, before(r"^open .*\.part x"), "box"),
    "a staged file is about to get its name": Moment(
        STAGING, before(r"^os.rename .*\.part ", number=3), "box"
    ),
    "an upload has begun": Moment(SENDING, while_the_index_holds(Point.ARRIVING, lost=True), has=(0, 3)),
    "an upload has begun and arrives later": Moment(
        SENDING, while_the_index_holds(Point.ARRIVING, number=2), has=(1, 3)
    ),
    "a file is sent and lost": Moment(
        SENDING, while_the_index_holds(Point.RECEIVED, LARGE, lost=True), has=(0, 3)
    ),
    "a file is sent and taken later": Moment(
        SENDING, while_the_index_holds(Point.RECEIVED, WHEELS[0]), has=(1, 4)
    ),
    "a file is taken and not answered": Moment(
        SENDING, while_the_index_holds(Point.TAKEN, WHEELS[0]), has=(1, 4)
    ),
    "the last wheel is taken and not answered": Moment(
        SENDING, while_the_index_holds(Point.TAKEN, WHEELS[3]), has=(3, 4)
    ),
    "the sdist is sent and lost": Moment(
        SENDING, while_the_index_holds(Point.RECEIVED, SDIST, lost=True), has=(4, 4)
    ),
    "the sdist is taken and not answered": Moment(
        SENDING, while_the_index_holds(Point.TAKEN, SDIST), has=(5, 5)
    ),
    "a file is about to be written": Moment(
        SENDING, before(r"^open .*/box/\.wheelrelay-[\w-]+ x", number=4), "box", (0, 3)
    ),
    "a file is about to get its name": Moment(
        SENDING, before(r"^os.link .*\.whl -1", number=2), "box", (1, 2)
    ),
    "a file has its name": Moment(
        SENDING, before(r"^os.remove .*/box/\.wheelrelay-", number=4), "box", (1, 3)
    ),
    "the wheels are read back": Moment(CONFIRMING, while_the_index_holds(Point.PAGE, number=3), has=(4, 4)),
    "the sdist is read back": Moment(CONFIRMING, while_the_index_holds(Point.PAGE, number=4), has=(5, 5)),
    "a wheel is fetched to compare": Moment(
        CONFIRMING, while_the_index_holds(Point.FILE, number=2, sink="careful"), "careful", (4, 4)
    ),
    "the sdist is fetched to compare": Moment(
        CONFIRMING, while_the_index_holds(Point.FILE, SDIST, sink="careful"), "careful", (5, 5)
    ),
    "all files are there": Moment(FINALIZING, before(r"^open .*/box/simple/index.json r"), "box", (5, 5)),
    "no page is written yet": Moment(FINALIZING, before(r"^os.mkdir .*/box/simple"), "box", (5, 5)),
    "the first page is about to get its name": Moment(
        FINALIZING, before(r"^os.rename .*/box/simple/sample/"), "box", (5, 5)
    ),
    "the project's pages are written": Moment(
        FINALIZING, before(r"^os.rename .*/box/simple/index.json"), "box", (5, 5)
    ),
    "the last page is about to get its name": Moment(
        FINALIZING, before(r"^os.rename .*/box/index.html"), "box", (5, 5)
    ),
}


def _size(path: Path) -> int:
    """Return the size of a file that may be removed at any time."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _await(condition: Callable[[], bool]) -> None:
    ends = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < ends, "it did not come about"
        time.sleep(0.005)
