"""``demo``: the main job on this machine, with nothing left behind."""

import re
import signal
import socket
import tempfile
import time

import pytest
from tests.cli.conftest import end_of

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


def nobody_listens(said):
    """Whether the index that a demo spoke of has stopped."""
    port = int(re.search(r"127\.0\.0\.1:(\d+)", said.replace("127.0.0.1:9", ""))[1])
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def test_without_pypi_it_takes_samples_and_says_so(wheelrelay, scratch, monkeypatch):
    for name, value in {**OFFLINE, **AT_HOME, "TMPDIR": str(scratch)}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(tempfile, "tempdir", None)
    ended = wheelrelay("demo")
    assert ended.code == 0, ended.err
    assert "PyPI cannot be reached, so sample wheels take its place." in ended.out
    assert "2 published" in ended.out
    assert "Successfully installed sample-1.0" in ended.out
    assert "2 skipped" in ended.out
    assert "Everything that the demo started is stopped." in ended.out
    assert nobody_listens(ended.out)
    assert list(scratch.iterdir()) == []


def test_where_pypi_is_required_its_absence_is_an_error(wheelrelay, scratch):
    ended = wheelrelay.apart("demo", WHEELRELAY_DEMO_REQUIRE_PYPI="1", **OFFLINE, **AT_HOME)
    assert ended.code == 1
    assert "cannot be reached" in ended.err
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_stops_what_it_started(wheelrelay, scratch, sign):
    process = wheelrelay.start("demo", **OFFLINE, **AT_HOME)
    said = ""
    while "1. Relay" not in said:
        line = process.stdout.readline()
        assert line, process.stderr.read()
        said += line
    time.sleep(0.1)
    process.send_signal(sign)
    ended = end_of(process)
    assert ended.code in (4, 130)
    assert "Traceback" not in ended.err
    assert nobody_listens(said)
    assert list(scratch.iterdir()) == []
