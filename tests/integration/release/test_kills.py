"""A relay that is killed at any moment leaves nothing that the next run cannot complete.

Servers hold the relay at a moment, and the test kills it; where no server takes part, an audit hook within
the killed process ends it just before a system call.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import jsonschema
import pytest
from tests.integration.release.conftest import SDIST, WHEELS, Project, index_table
from tests.servers.pypi import PyPI
from tests.servers.pypi_troubles import Point, Trouble
from tests.servers.web import Reply, Web

import wheelrelay
from wheelrelay.documents import document_schema
from wheelrelay.testing import make_wheel

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
"""The wheel that comes in several blocks."""


@dataclass(frozen=True, slots=True)
class World:
    """All that takes part.

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
        """Begin to relay the release into a sink."""
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
        """The sha256 of what the sink has, by filename."""
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


@pytest.fixture
def world(project, web, pypi, tmp_path, monkeypatch):
    make_wheel(
        project.dist,
        "sample",
        "1.0",
        LARGE.removeprefix("sample-1.0-").removesuffix(".whl"),
        payload=os.urandom(2_500_000),
    )
    page = web.serve_folder(project.dist, "/files/")
    boxed = '[remotes.box]\ntype = "directory"\npath = "box"\npages = true\n'
    listing = f'[remotes.listing]\ntype = "listing"\nurl = "{page}"\n'
    careful = index_table(pypi, "careful", keys='confirm = "download"')
    project.configure("warehouse", remotes=index_table(pypi) + careful + boxed + listing)
    monkeypatch.setenv("CAREFUL_TOKEN", os.environ["WAREHOUSE_TOKEN"])
    scratch, hook = tmp_path / "scratch", tmp_path / "hook"
    scratch.mkdir()
    hook.mkdir()
    (hook / "sitecustomize.py").write_text(HOOK)
    monkeypatch.setenv("TMPDIR", str(scratch))
    made = World(project, web, pypi, scratch)
    yield made
    for process in made.started:
        process.kill()
        process.communicate()


Kill = Callable[[World], "subprocess.Popen[bytes]"]
"""Begins a relay, and kills it at a moment."""


def while_the_source_stalls(path: str, *, sink: str = "warehouse", **reply: float) -> Kill:
    """Kill while the source keeps the relay waiting for an answer, or for the rest of one."""

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
        point: where on the request's way.
        filename: of which file.
        number: which request.
        lost: the index never gets to the end of the request; otherwise it goes on with it after the kill.
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
    """Kill before a system call of which the name and the arguments match."""

    def kill(world: World) -> "subprocess.Popen[bytes]":
        hook = str(world.project.folder / "hook")
        return world.start("box", PYTHONPATH=hook, KILLED_BEFORE=pattern, KILLED_AT=str(number))

    return kill


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment to kill a relay.

    Attributes:
        step: what the relay is about then.
        kill: begins a relay, and kills it.
        sink: where to.
        has: how many files the sink has then, at least and at most.
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
    "the sdist is about to be hashed": Moment(CONFIRMING, before(rf"^open .*/box/{SDIST} r"), "box", (5, 5)),
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

SHORT = {
    "half a file has come",
    "a file is taken and not answered",
    "the wheels are read back",
    "the first page is about to get its name",
}
"""One for each step; the others take long together."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in SHORT else [pytest.mark.long]) for name in MOMENTS]
)
def test_a_killed_relay_is_completed_by_the_next(name, world):
    moment, release = MOMENTS[name], world.project.digests()
    process = moment.kill(world)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, said.decode()

    state = world.state(moment.sink)
    print(f"{moment.step}: killed when {name}; the sink has {len(state)} files: {sorted(state)}")
    least, most = moment.has
    assert least <= len(state) <= most
    assert state.items() <= release.items(), "something else than whole files of the release is there"
    assert_true(world.project.folder / "receipt.json", state)
    spoil(world.scratch)
    world.pypi.uploads.clear()

    process = world.start(moment.sink)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said.decode()
    assert world.state(moment.sink) == release
    assert not set(world.pypi.sent()) & set(state), "a file that was there was sent again"
    if moment.sink == "box":
        assert pages_are_true(world.project.folder / "box", release)


ANYWHERE = r"/(box|scratch|receipt\.json)|\.receipt\.json"
"""What system calls are about that a relay into the directory makes in the whole of its run."""

KILLS = 40


@pytest.fixture(scope="module")
def counted() -> list[int]:
    """How many such system calls a whole run makes, once that is known."""
    return []


@pytest.mark.long
@pytest.mark.parametrize("number", range(1, KILLS + 1))
def test_a_relay_is_completed_that_was_killed_anywhere_in_its_run(number, world, counted):
    """The kills are spread evenly from before the first system call to after the last file and page."""
    release = world.project.digests()
    if not counted:
        counted.append(count_of(world))
    at = max(1, counted[0] * number // KILLS)
    process = before(ANYWHERE, number=at)(world)
    said, _ = process.communicate(timeout=60)
    assert process.returncode in (-signal.SIGKILL, 0), said.decode()  # threads may take fewer calls this time

    state = world.state("box")
    print(f"killed before system call {at} of {counted[0]}; the sink has {len(state)} files")
    assert state.items() <= release.items(), "something else than whole files of the release is there"
    if process.returncode:
        assert_true(world.project.folder / "receipt.json", state)
    process = world.start("box")
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said.decode()
    assert world.state("box") == release
    assert pages_are_true(world.project.folder / "box", release)


def count_of(world: World) -> int:
    """How many of the system calls that are counted a whole run makes; it leaves nothing behind."""
    result = world.project.folder / "count"
    process = world.start(
        "box",
        PYTHONPATH=str(world.project.folder / "hook"),
        KILLED_BEFORE=ANYWHERE,
        KILLED_AT="0",
        COUNTED_IN=str(result),
    )
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said.decode()
    shutil.rmtree(world.project.folder / "box")
    (world.project.folder / "receipt.json").unlink()
    return int(result.read_text())


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    "last",
    [r"^os\.(rmdir|remove) .*/scratch/wheelrelay-", r"^os\.rename .*/\.receipt\.json\S* .*/receipt\.json"],
)
def test_an_interrupt_after_the_last_file_changes_nothing(last, sign, world):
    """The receipt's last word and the removal of temporary files come after the work."""
    result = world.project.folder / "count"
    hook = {"PYTHONPATH": str(world.project.folder / "hook"), "KILLED_BEFORE": last, "KILLED_AT": "0"}
    process = world.start("box", COUNTED_IN=str(result), **hook)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said.decode()
    shutil.rmtree(world.project.folder / "box")

    process = world.start("box", **hook | {"KILLED_AT": result.read_text(), "KILLED_BY": str(int(sign))})
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said.decode()
    assert b"nothing was published" not in said
    assert world.state("box") == world.project.digests()
    receipt = json.loads((world.project.folder / "receipt.json").read_text())
    assert receipt["complete"]


def test_each_step_has_at_least_three_moments():
    steps = [moment.step for moment in MOMENTS.values()]
    assert len(steps) >= 20
    assert all(steps.count(step) >= 3 for step in (STAGING, SENDING, CONFIRMING, FINALIZING))


def assert_true(path: Path, state: dict[str, str]) -> None:
    """The receipt of a killed run is whole, and says of no file that it was not sent which is there."""
    if not path.exists():
        assert state == {}
        return
    receipt = json.loads(path.read_text())
    jsonschema.validate(receipt, document_schema("receipt"))
    for file in receipt["files"]:
        for delivery in file["sinks"].values():
            if file["filename"] in state:
                assert delivery["outcome"] in ("published", "unconfirmed")
            else:
                assert delivery["outcome"] in ("pending", "unconfirmed", "failed")


def spoil(scratch: Path) -> None:
    """Damage what the killed run left of the files that it had staged."""
    for path in scratch.rglob("*"):
        if path.is_file():
            with path.open("ab") as stream:
                stream.write(b"damage")


def pages_are_true(box: Path, release: dict[str, str]) -> bool:
    """Whether the pages in a directory show just the files of the release."""
    files = json.loads((box / "simple" / "sample" / "index.json").read_text())["files"]
    done = subprocess.run(
        [sys.executable, "-m", "wheelrelay", "index", "box", "--check"],
        cwd=box.parent,
        capture_output=True,
        check=False,
    )
    shown = {file["filename"]: file["hashes"]["sha256"] for file in files}
    return done.returncode == 0 and shown == release


def _size(path: Path) -> int:
    """The bytes of a file that may be gone meanwhile."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _await(condition: Callable[[], bool]) -> None:
    ends = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < ends, "it did not come about"
        time.sleep(0.005)
