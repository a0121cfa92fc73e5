"""Ctrl-C, SIGTERM and SIGKILL: what was published is known, and the same command completes it."""

import json
import os
import signal
import time

import pytest
from tests.e2e.cli.conftest import SDIST, WHEEL, end_of

from wheelrelay.testing import make_sdist, make_wheel

NAMES = [f"sample-1.0-py3-none-manylinux_2_{number}_x86_64.whl" for number in range(4)]
STOP = (signal.SIGINT, signal.SIGTERM)


def wait_for(condition, within=30):
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "It did not come to this in time."
        time.sleep(0.005)


@pytest.fixture
def scratch(tmp_path, monkeypatch):
    """The folder for temporary files."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


@pytest.fixture
def release(here):
    """Four wheels and an sdist in ``./dist``."""
    for name in NAMES:
        make_wheel(here / "dist", tag="-".join(name.removesuffix(".whl").split("-")[2:]))
    make_sdist(here / "dist")
    return here / "dist"


@pytest.fixture
def slow_listing(web, release):
    """The release on a page of links, each file of which takes its time."""
    for path in release.iterdir():
        web.serve(f"/files/{path.name}", path, pause=0.3)
    links = "".join(f'<a href="{path.name}">{path.name}</a>' for path in release.iterdir())
    return f"listing+{web.serve('/files/', links)}"


@pytest.fixture
def stalled_listing(web, here):
    """A page with a file of which the first bytes come, and no more."""
    make_wheel(here / "dist", payload=os.urandom(600_000))
    web.serve(f"/files/{WHEEL}", here / "dist" / WHEEL, pause=40.0)
    return f"listing+{web.serve('/files/', f'<a href={WHEEL!r}>{WHEEL}</a>')}"


@pytest.mark.parametrize("sign", STOP)
def test_interrupt_while_staging_publishes_and_leaves_nothing(
    wheelrelay, web, slow_listing, scratch, here, sign
):
    process = wheelrelay.start("relay", "--from", slow_listing, "--to", "./out", "--jobs", "2")
    wait_for(lambda: any(path.endswith(".whl") for path in web.paths()))
    process.send_signal(sign)
    ended = end_of(process)
    assert ended.code == 130
    assert "Interrupted; nothing was published." in ended.err
    assert "Traceback" not in ended.err
    assert not (here / "out").exists()
    assert list(scratch.iterdir()) == []


def test_interrupt_does_not_wait_for_a_stalled_source(wheelrelay, web, stalled_listing, scratch, here):
    process = wheelrelay.start("relay", "--from", stalled_listing, "--to", "./out")
    wait_for(lambda: f"/files/{WHEEL}" in web.paths())
    time.sleep(0.2)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    ended = end_of(process)
    assert time.monotonic() - began < 10
    assert ended.code == 130
    assert not (here / "out").exists()
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("sign", STOP)
def test_second_run_completes_after_interrupt_while_publishing(
    wheelrelay, config, proxy, release, scratch, here, open_pypiserver, sign
):
    proxy.latency = 0.3
    process = wheelrelay.start("relay", "release", "--jobs", "1", "--receipt", "receipt.json")
    wait_for(lambda: proxy.uploads())
    process.send_signal(sign)
    ended = end_of(process)
    assert ended.code == 4
    assert "Interrupted: index has" in ended.err
    assert "Run the same command again" in ended.err
    assert list(scratch.iterdir()) == []
    receipt = json.loads((here / "receipt.json").read_text())
    in_place = [
        file["filename"] for file in receipt["files"] if file["sinks"]["index"]["outcome"] == "published"
    ]
    there = sorted(path.name for path in open_pypiserver.folder.iterdir())
    assert set(in_place) <= set(there) < {*NAMES, SDIST}
    proxy.latency = 0.0
    assert wheelrelay("relay", "release").code == 0
    assert sorted(path.name for path in open_pypiserver.folder.iterdir()) == sorted([*NAMES, SDIST])
    assert len(set(proxy.uploads())) == len(proxy.uploads()) == 5


def test_interrupt_while_confirming_lists_unconfirmed_files(wheelrelay, config, proxy, release, here):
    from tests.servers.proxy import Fault
    from tests.servers.web import Reply

    proxy.fail_page(*[Fault(Reply(b"", 404))] * 10_000)
    process = wheelrelay.start("relay", "release", "--receipt", "receipt.json")
    wait_for(lambda: len(proxy.uploads()) == 4 and proxy.paths()[-1] == "/simple/sample/")
    process.send_signal(signal.SIGINT)
    ended = end_of(process)
    assert ended.code == 4
    receipt = json.loads((here / "receipt.json").read_text())
    outcomes = {file["filename"]: file["sinks"]["index"]["outcome"] for file in receipt["files"]}
    assert outcomes == {**dict.fromkeys(NAMES, "unconfirmed"), SDIST: "pending"}


@pytest.mark.parametrize("moment", ["staging", "publishing"])
def test_second_run_completes_after_kill(
    wheelrelay, config, proxy, web, slow_listing, here, open_pypiserver, moment
):
    proxy.latency = 0.3
    process = wheelrelay.start("relay", "--from", slow_listing, "--to", "index", "--jobs", "1")
    wait_for(lambda: proxy.uploads() if moment == "publishing" else len(web.paths()) > 2)
    process.kill()
    assert end_of(process).code == -signal.SIGKILL
    assert len(list(open_pypiserver.folder.iterdir())) < 5
    proxy.latency = 0.0
    assert wheelrelay("relay", "--from", slow_listing, "--to", "index").code == 0
    there = {path.name: path.read_bytes() for path in open_pypiserver.folder.iterdir()}
    assert there == {path.name: path.read_bytes() for path in (here / "dist").iterdir()}


def test_kill_leaves_a_receipt_of_published_files(wheelrelay, config, proxy, release, here):
    proxy.latency = 0.4
    process = wheelrelay.start("relay", "release", "--jobs", "1", "--receipt", "receipt.json")
    wait_for(lambda: len(proxy.uploads()) == 2)
    process.kill()
    end_of(process)
    receipt = json.loads((here / "receipt.json").read_text())
    outcomes = {file["filename"]: file["sinks"]["index"]["outcome"] for file in receipt["files"]}
    assert outcomes[NAMES[0]] in ("published", "unconfirmed")
    assert receipt["complete"] is False
