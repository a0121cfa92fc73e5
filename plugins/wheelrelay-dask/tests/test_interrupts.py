"""Ctrl-C with an engine ends as it does without one: what is being sent arrives, and nothing else begins."""

import json
import os
import signal
import subprocess
import sys

import pytest
from tests.servers.dask import acting_source, names_in

import wheelrelay
from wheelrelay.records import Outcome

CONFIG = """
[remotes.there]
type = "directory"
path = "out"
pages = true

[routes.copy]
source = "listing+{url}"
sinks = ["there"]
mode = "{mode}"

[engines.local]
type = "dask"
workers = 2
"""

INTERRUPTED_AT = 7


class Command:
    """The command in a group of processes of its own, as a terminal starts it."""

    def __init__(self, folder):
        arguments = [
            "relay",
            "copy",
            "--yes",
            "--engine",
            "local",
            "--jobs",
            "1",
            "--receipt",
            "receipt.json",
        ]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "wheelrelay", *arguments],
            cwd=folder,
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )

    def interrupt(self):
        """Press Ctrl-C: all processes of the group get the signal."""
        os.killpg(self._process.pid, signal.SIGINT)

    def end(self):
        """Return the exit code and the messages."""
        try:
            _, messages = self._process.communicate(timeout=120)
        finally:
            self._process.kill()
        return self._process.returncode, messages


def interrupted(dist, folder, mode):
    """Run a relay that is interrupted at a request, and return its exit code and its messages."""
    started = []
    with acting_source(dist, lambda: started[0].interrupt(), at=INTERRUPTED_AT) as source:
        for path in dist.iterdir():
            source.serve(f"/{path.name}", path, pause=0.4)
        (folder / "wheelrelay.toml").write_text(CONFIG.format(url=source.url, mode=mode))
        started.append(Command(folder))
        return started[0].end()


def test_interrupted_mirror_keeps_what_was_being_sent_and_a_second_run_completes_it(dist, tmp_path):
    out = tmp_path / "out"
    code, messages = interrupted(dist, tmp_path, "mirror")
    assert code == 4, messages
    assert "Interrupted: there has" in messages
    assert "Run the same command again" in messages
    assert "Traceback" not in messages
    assert 0 < len(names_in(out)) < len(names_in(dist))
    receipt = json.loads((tmp_path / "receipt.json").read_text())
    arrived = [
        file["filename"] for file in receipt["files"] if file["sinks"]["there"]["outcome"] == "published"
    ]
    assert arrived == names_in(out)
    assert wheelrelay.check_index(str(out)) == []
    lines = [
        f'source = "{dist}"' if line.startswith("source") else line
        for line in (tmp_path / "wheelrelay.toml").read_text().splitlines()
    ]
    (tmp_path / "wheelrelay.toml").write_text("\n".join(lines))
    again = wheelrelay.relay(wheelrelay.load_config(tmp_path / "wheelrelay.toml").route("copy"))
    assert again.count(Outcome.SKIPPED) == len(arrived)
    assert names_in(out) == names_in(dist)


@pytest.mark.long
def test_interrupt_while_workers_stage_publishes_nothing(dist, tmp_path):
    code, messages = interrupted(dist, tmp_path, "release")
    assert code == 130, messages
    assert "Interrupted; nothing was published." in messages
    assert "Traceback" not in messages
    assert not names_in(tmp_path / "out")
