"""A relay that is killed at any moment is completed by the next run.

Servers hold the relay at a moment, and the test kills it; where no server takes part, an audit hook within
the killed process ends it just before a system call.
"""

import json
import os
import shutil
import signal
import subprocess
import sys

import jsonschema
import pytest
from tests.integration.release.conftest import index_table
from tests.integration.release.moments import (
    CONFIRMING,
    FINALIZING,
    HOOK,
    LARGE,
    MOMENTS,
    SENDING,
    STAGING,
    World,
    before,
)

from wheelrelay.documents import document_schema
from wheelrelay.testing import make_wheel


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
    world = World(project, web, pypi, scratch)
    yield world
    for process in world.started:
        process.kill()
        process.communicate()


SHORT = {
    "half a file has come",
    "a file is taken and not answered",
    "the wheels are read back",
    "the first page is about to get its name",
}
"""One moment of each step; the others are tested with the long tests."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in SHORT else [pytest.mark.long]) for name in MOMENTS]
)
def test_next_run_completes_killed_relay(name, world):
    moment, release = MOMENTS[name], world.project.digests()
    process = moment.kill(world)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, output.decode()

    state = world.state(moment.sink)
    print(f"{moment.step}: killed when {name}; the sink has {len(state)} files: {sorted(state)}")
    least, most = moment.has
    assert least <= len(state) <= most
    assert state.items() <= release.items(), "something else than whole files of the release is there"
    assert_true(world.project.folder / "receipt.json", state)
    spoil(world.scratch)
    world.pypi.uploads.clear()

    process = world.start(moment.sink)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output.decode()
    assert world.state(moment.sink) == release
    assert not set(world.pypi.sent()) & set(state), "a file that was there was sent again"
    if moment.sink == "box":
        assert pages_are_true(world.project.folder / "box", release)


ANYWHERE = r"/(box|scratch|receipt\.json)|\.receipt\.json"
"""Matches the system calls of a whole relay into the directory."""

KILLS = 40


@pytest.fixture(scope="module")
def counted():
    """The number of such system calls of a whole run, once it is known."""
    return []


@pytest.mark.long
@pytest.mark.parametrize("number", range(1, KILLS + 1))
def test_next_run_completes_relay_killed_at_any_system_call(number, world, counted):
    """The kills are spread evenly over all system calls of the run."""
    release = world.project.digests()
    if not counted:
        counted.append(count_of(world))
    at = max(1, counted[0] * number // KILLS)
    process = before(ANYWHERE, number=at)(world)
    output, _ = process.communicate(timeout=60)
    assert process.returncode in (-signal.SIGKILL, 0), (
        output.decode()
    )  # threads may take fewer calls this time

    state = world.state("box")
    print(f"killed before system call {at} of {counted[0]}; the sink has {len(state)} files")
    assert state.items() <= release.items(), "something else than whole files of the release is there"
    if process.returncode:
        assert_true(world.project.folder / "receipt.json", state)
    process = world.start("box")
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output.decode()
    assert world.state("box") == release
    assert pages_are_true(world.project.folder / "box", release)


def count_of(world):
    """Return the number of matching system calls of a whole run, and remove its results."""
    result = world.project.folder / "count"
    process = world.start(
        "box",
        PYTHONPATH=str(world.project.folder / "hook"),
        KILLED_BEFORE=ANYWHERE,
        KILLED_AT="0",
        COUNTED_IN=str(result),
    )
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output.decode()
    shutil.rmtree(world.project.folder / "box")
    (world.project.folder / "receipt.json").unlink()
    return int(result.read_text())


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    "last",
    [r"^os\.(rmdir|remove) .*/scratch/wheelrelay-", r"^os\.rename .*/\.receipt\.json\S* .*/receipt\.json"],
)
def test_interrupt_after_the_last_file_changes_nothing(last, sign, world):
    """The last receipt is written and temporary files are removed after the work is done."""
    result = world.project.folder / "count"
    hook = {"PYTHONPATH": str(world.project.folder / "hook"), "KILLED_BEFORE": last, "KILLED_AT": "0"}
    process = world.start("box", COUNTED_IN=str(result), **hook)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output.decode()
    shutil.rmtree(world.project.folder / "box")

    process = world.start("box", **hook | {"KILLED_AT": result.read_text(), "KILLED_BY": str(int(sign))})
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output.decode()
    assert b"nothing was published" not in output
    assert world.state("box") == world.project.digests()
    receipt = json.loads((world.project.folder / "receipt.json").read_text())
    assert receipt["complete"]


def test_each_step_has_at_least_three_moments():
    steps = [moment.step for moment in MOMENTS.values()]
    assert len(steps) >= 20
    assert all(steps.count(step) >= 3 for step in (STAGING, SENDING, CONFIRMING, FINALIZING))


def assert_true(path, state):
    """Assert that the receipt of a killed run is complete, and agrees with the files at the sink."""
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


def spoil(scratch):
    """Damage the staged files that the killed run left."""
    for path in scratch.rglob("*"):
        if path.is_file():
            with path.open("ab") as stream:
                stream.write(b"damage")


def pages_are_true(box, release):
    """Return whether the pages of a directory list exactly the files of the release."""
    files = json.loads((box / "simple" / "sample" / "index.json").read_text())["files"]
    done = subprocess.run(
        [sys.executable, "-m", "wheelrelay", "index", "box", "--check"],
        cwd=box.parent,
        capture_output=True,
        check=False,
    )
    shown = {file["filename"]: file["hashes"]["sha256"] for file in files}
    return done.returncode == 0 and shown == release
