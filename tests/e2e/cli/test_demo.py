"""``demo``: the main job on this machine, with nothing left behind."""

import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from importlib.metadata import requires
from urllib.parse import urlsplit

import pytest
from tests.e2e.cli.conftest import end_of

from wheelrelay.cli.demo import SERVER, running_index

pytestmark = pytest.mark.long

OFFLINE = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9")
"""Lead all connections to places elsewhere to where nobody listens."""

AT_HOME = {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}


@pytest.fixture
def scratch(tmp_path, monkeypatch):
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


def is_stopped(said):
    """Whether the index that a demo spoke of has stopped."""
    port = int(re.search(r"127\.0\.0\.1:(\d+)", said.replace("127.0.0.1:9", ""))[1])
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def test_samples_replace_unreachable_pypi(wheelrelay, scratch, monkeypatch):
    for name, value in {**OFFLINE, **AT_HOME, "TMPDIR": str(scratch)}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(tempfile, "tempdir", None)
    ended = wheelrelay("demo")
    assert ended.code == 0, ended.err
    assert "PyPI cannot be reached; using sample wheels instead." in ended.out
    assert "2 published" in ended.out
    assert "Successfully installed sample-1.0" in ended.out
    assert "2 skipped" in ended.out
    assert "The index is stopped." in ended.out
    assert is_stopped(ended.out)
    assert list(scratch.iterdir()) == []


def test_required_pypi_must_be_reachable(wheelrelay, scratch):
    ended = wheelrelay.apart("demo", WHEELRELAY_DEMO_REQUIRE_PYPI="1", **OFFLINE, **AT_HOME)
    assert ended.code == 1
    assert "Cannot connect to" in ended.err
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    ("heading", "made"),
    [("1. Relay", "*"), ("2. Install it with pip", "**/venv/lib/*/site-packages/pip/_vendor")],
)
def test_interrupt_stops_all_processes(wheelrelay, scratch, heading, made, sign):
    process = wheelrelay.start("demo", **OFFLINE, **AT_HOME)
    said = ""
    while heading not in said:
        line = process.stdout.readline()
        assert line, process.stderr.read()
        said += line
    while not any(scratch.glob(made)):
        assert process.poll() is None
        time.sleep(0.005)
    process.send_signal(sign)
    ended = end_of(process)
    assert ended.code in (4, 130)
    assert "Traceback" not in ended.err
    assert "Done." not in ended.out
    assert is_stopped(said)
    assert list(scratch.iterdir()) == []


def test_interrupt_ends_grandchildren(tmp_path):
    """Also one that does not tidy up when it is told to."""
    beats = tmp_path / "beats"
    child = f"""if True:
        import signal, time
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        while True:
            open({str(beats)!r}, "a").write("x")
            time.sleep(0.01)"""
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    code = f"""if True:
        import os, sys
        from wheelrelay.cli import demo
        demo.GRACE_PERIOD = 0.2
        demo.run_program([sys.executable, "-c", {parent!r}], dict(os.environ))"""
    process = subprocess.Popen(
        [sys.executable, "-c", code], stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        while not beats.exists():
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        process.wait(60)
    finally:
        process.kill()
    time.sleep(0.1)
    heard = beats.stat().st_size
    time.sleep(0.2)
    assert beats.stat().st_size == heard


def test_index_serves_64_parallel_connections(tmp_path):
    """Without a server named, pypiserver takes whichever is installed, and wsgiref where none is."""
    assert any(SERVER in each and "demo" in each for each in requires("wheelrelay"))
    with ExitStack() as stack:
        index = stack.enter_context(running_index(tmp_path))
        address = urlsplit(index.config.url)
        clients = [
            stack.enter_context(socket.create_connection((address.hostname, address.port), 30))
            for _ in range(64)
        ]
        for client in clients:
            client.sendall(b"GET /simple/ HTTP/1.0\r\n\r\n")
        answers = [client.makefile("rb").read() for client in clients]
    assert all(answer.startswith(b"HTTP/1.0 200") for answer in answers)
    assert all(b"Server: waitress" in answer for answer in answers)


def test_folder_to_keep_must_be_empty(wheelrelay, tmp_path):
    (tmp_path / "file").write_text("mine")
    ended = wheelrelay("demo", "--keep", str(tmp_path))
    assert ended.code == 2
    assert "is not empty. Name a folder that does not exist yet." in ended.err
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_kept_folder_has_an_incomplete_release(wheelrelay, tmp_path):
    ended = wheelrelay("demo", "--keep", str(tmp_path / "tour"))
    assert ended.code == 0
    assert "wheelrelay relay release sample==1.0" in ended.out
    assert len(list((tmp_path / "tour" / "staging").iterdir())) == 5
    assert len(list((tmp_path / "tour" / "rebuilt").iterdir())) == 2
