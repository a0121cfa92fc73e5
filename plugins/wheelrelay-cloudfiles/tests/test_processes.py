"""Many processes push into one container of Swift at the same time, and one is killed within a page."""

import signal
import subprocess
import sys

import pytest

from wheelrelay.testing import make_wheel, stage_path

PUSH = """
import os, signal, socket, sys, threading
from pathlib import Path
from urllib.parse import urlsplit
from wheelrelay.errors import NotFound
from wheelrelay.http import HttpClient
from wheelrelay.transfer.retry import RetryPolicy, Retrier
from wheelrelay.testing import stage_path
from wheelrelay_cloudfiles.config import SwiftConfig
from wheelrelay_cloudfiles.objects import SwiftObjects
from wheelrelay_cloudfiles.store import SwiftStore

class DiesWhileWritingAPage(SwiftObjects):
    def open_object(self, name):
        if name == "simple/sample/index.html":  # so that it writes, though others may have been faster
            raise NotFound(name)
        return super().open_object(name)

    def replace_object(self, name, content, **options):
        if name != "simple/sample/index.html":
            return super().replace_object(name, content, **options)
        address, token = urlsplit(self.address_of(name)), self._account.access().token
        head = f"PUT {address.path} HTTP/1.1\\r\\nHost: {address.netloc}\\r\\nX-Auth-Token: {token}\\r\\n"
        half = content[: len(content) // 2]
        wire = socket.create_connection((address.hostname, address.port))
        wire.sendall(f"{head}Content-Length: {len(content)}\\r\\n\\r\\n".encode() + half)
        os.kill(os.getpid(), signal.SIGKILL)

config, wheel, dies = SwiftConfig.model_validate_json(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] == "dies"
account = config._account()
objects = (DiesWhileWritingAPage if dies else SwiftObjects)(account, HttpClient(), config.container)
store = SwiftStore(account, objects, pages=True)
staged = stage_path(wheel)
relay = Retrier(RetryPolicy(), lambda event: None, threading.Event())  # a small cluster is late now and then
print("ready", flush=True)
sys.stdin.read(1)
relay.call("put", lambda: store.put(staged))
relay.call("finalize", lambda: store.finalize({staged.file.project}))
"""


def start(config, wheel, *, dies):
    keys = config.model_dump_json(exclude_defaults=True)
    return subprocess.Popen(
        [sys.executable, "-c", PUSH, keys, str(wheel), "dies" if dies else "lives"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


@pytest.mark.long
def test_twenty_processes_leave_correct_pages_although_one_is_killed(swift, config_for, tmp_path):
    config = config_for(swift)
    wheels = [make_wheel(tmp_path, "sample", f"{n}.0") for n in range(20)]
    pushes = [start(config, wheel, dies=n == 7) for n, wheel in enumerate(wheels)]
    for push in pushes:
        assert push.stdout is not None
        assert push.stdout.readline() == b"ready\n"
    for push in pushes:
        assert push.stdin is not None
        push.stdin.write(b"!")
        push.stdin.flush()
    for push in pushes:
        push.communicate(timeout=100)
    assert [push.returncode for push in pushes] == [0] * 7 + [-signal.SIGKILL] + [0] * 12
    with config.open() as store:
        assert store.check_pages() == []
        digests = {file.filename: file.sha256 for file in store.iter_files("sample")}
    assert digests == {wheel.name: stage_path(wheel).sha256 for wheel in wheels}
