"""What is shown may be shown to nobody: what a command does must not depend on it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.servers.process import script

from wheelrelay.testing import make_wheel

FULL = Path("/dev/full")
"""A disk that is full, as Linux has one for tests."""

needs_full = pytest.mark.skipif(sys.platform != "linux", reason="takes a device that Linux has")


@pytest.fixture
def dist(tmp_path):
    return make_wheel(tmp_path / "dist", "sample", "1.0").parent


def run(folder, *words, out=">/dev/null"):
    """Run the command line with standard output at ``out``, as a shell opens it."""
    command = ["/bin/sh", "-c", f'exec "$0" "$@" {out}', script("wheelrelay"), *words]
    return subprocess.run(
        command, cwd=folder, stderr=subprocess.PIPE, text=True, check=False, env=dict(os.environ)
    )


@pytest.mark.parametrize("words", [["--version"], ["list", "dist"], ["list", "dist", "--json"]])
def test_closed_standard_output_is_not_an_error(dist, tmp_path, words):
    ended = run(tmp_path, *(f"./{word}" if word == "dist" else word for word in words), out=">&-")
    assert (ended.returncode, ended.stderr) == (0, "")


@needs_full
def test_full_disk_for_log_does_not_fail_a_relay(dist, tmp_path):
    ended = run(tmp_path, "relay", "--from", "./dist", "--to", "./there", "--yes", out=f">{FULL}")
    assert ended.returncode == 0
    assert "Cannot write the receipt to standard output: No space left on device." in ended.stderr
    assert len(list((tmp_path / "there").glob("*.whl"))) == 1


@needs_full
def test_full_disk_for_json_receipt_exits_with_4(dist, tmp_path):
    relay = ["relay", "--from", "./dist", "--to", "./there", "--yes", "--json"]
    ended = run(tmp_path, *relay, out=f">{FULL}")
    assert ended.returncode == 4
    assert "Cannot write the receipt to standard output: No space left on device." in ended.stderr
    assert run(tmp_path, *relay).returncode == 0


@needs_full
def test_full_disk_for_json_receipt_exits_with_4_without_work(dist, tmp_path):
    push = ["push", "./dist", "--to", "./there", "--json"]
    assert run(tmp_path, *push).returncode == 0
    ended = run(tmp_path, *push, out=f">{FULL}")
    assert ended.returncode == 4
    assert "Cannot write the receipt to standard output: No space left on device." in ended.stderr


@needs_full
def test_refusal_is_reported_if_receipt_cannot_be_written(dist, tmp_path):
    make_wheel(tmp_path / "there", "sample", "1.0", payload=b"other")
    ended = run(tmp_path, "push", "./dist", "--to", "./there", "--json", out=f">{FULL}")
    assert ended.returncode == 3
    assert "other bytes" in ended.stderr


RESULTS = [
    ["list", "./dist"],
    ["list", "./dist", "--json"],
    ["list", "./dist", "--matrix"],
    ["list", "./dist", "--matrix", "--format", "markdown"],
    ["list", "./dist", "--matrix", "--format", "html"],
    ["plan", "--from", "./dist", "--to", "./there"],
    ["plan", "--from", "./dist", "--to", "./there", "--json"],
    ["verify", "./dist"],
    ["verify", "./dist", "--json"],
    ["check", "./dist"],
    ["check", "./dist", "--json"],
    ["index", "./dist"],
    ["remove", "./dist", "sample-1.0-py3-none-any.whl"],
    ["remove", "./dist", "sample-1.0-py3-none-any.whl", "--json"],
    ["backends"],
    ["backends", "--json"],
    ["config", "schema"],
    ["completion", "bash"],
    ["--version"],
    ["list", "--help"],
]


@needs_full
@pytest.mark.parametrize("words", RESULTS, ids=" ".join)
def test_full_disk_for_result_exits_with_4(dist, tmp_path, words):
    assert_result_is_not_written(run(tmp_path, *words, out=f">{FULL}"))


@needs_full
@pytest.mark.parametrize(
    "words", [["list", "./dist"], ["check", "./dist", "--json"], ["list", "--help"]], ids=" ".join
)
def test_full_disk_for_coloured_result_exits_with_4(dist, tmp_path, words, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert_result_is_not_written(run(tmp_path, *words, out=f">{FULL}"))


def assert_result_is_not_written(ended):
    assert ended.returncode == 4
    message = " ".join(ended.stderr.split())  # on a terminal, lines end at its width
    assert "Cannot write the result to standard output: No space left on device." in message
    assert "Free space on the disk." in message
