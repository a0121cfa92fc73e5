"""Ctrl-C with an engine ends as it does without one: what is being sent arrives, and nothing else begins."""

import json
import os
import signal
import subprocess
import sys

import pytest
from tests.servers.dask import ActingPyPI, acting_source, names_in

import wheelrelay
from wheelrelay.records import Outcome
from wheelrelay.testing import make_sdist, make_wheel

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

INDEX_CONFIG = """
[remotes.there]
type = "index"
url = "{index.simple_url}"
upload_url = "{index.upload_url}"
token = {{ file = "token.txt" }}

[routes.copy]
source = "listing+{source.url}"
sinks = ["there"]

[engines.local]
type = "dask"
workers = 2
"""

INTERRUPTED_AT = 7
WHEELS = 16


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


@pytest.fixture
def release(tmp_path):
    """A folder with the files of a release, and the token of the index."""
    for minor in range(10, 10 + WHEELS):
        make_wheel(tmp_path / "dist", "sample", tag=f"cp3{minor}-cp3{minor}-manylinux_2_28_x86_64")
    make_sdist(tmp_path / "dist")
    (tmp_path / "token.txt").write_text("pypi-open-sesame")
    return tmp_path


@pytest.mark.long
def test_interrupt_while_workers_publish_begins_no_further_file_and_a_second_run_completes(release):
    """The interrupt comes with the third upload; those that have begun arrive, and the receipt lists them."""
    started = []
    interrupted_at = 1 + (WHEELS + 1) + 1 + 3 * len(("arriving", "received", "taken"))
    with (
        ActingPyPI.run(lambda: started[0].interrupt(), at=interrupted_at) as index,
        acting_source(release / "dist", index.count, at=0) as source,
    ):
        source.act_always = True
        index.slowness = 0.5
        (release / "wheelrelay.toml").write_text(INDEX_CONFIG.format(index=index, source=source))
        started.append(Command(release))
        code, messages = started[0].end()
        assert code == 4, messages
        assert "Interrupted: there has" in messages
        assert "Run the same command again" in messages
        assert "Traceback" not in messages
        assert 3 <= len(index.files) <= WHEELS // 2
        assert not [name for name in index.sent() if name.endswith(".tar.gz")]
        assert outcomes(release, "published") == sorted(index.files)
        assert outcomes(release, "unconfirmed") == outcomes(release, "failed") == []
        index.slowness = 0.0
        started[0] = Command(release)
        code, messages = started[0].end()
        assert code == 0, messages
        assert sorted(index.files) == names_in(release / "dist")
        assert sorted(index.sent()) == names_in(release / "dist")


def outcomes(folder, outcome):
    """Return the files with an outcome in the receipt."""
    receipt = json.loads((folder / "receipt.json").read_text())
    return sorted(
        file["filename"] for file in receipt["files"] if file["sinks"]["there"]["outcome"] == outcome
    )
