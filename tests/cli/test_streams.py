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
def dist(tmp_path: Path) -> Path:
    return make_wheel(tmp_path / "dist", "sample", "1.0").parent


def run(folder: Path, *words: str, out: str = ">/dev/null") -> "subprocess.CompletedProcess[str]":
    """Run the command line with standard output at ``out``, as a shell opens it."""
    command = ["/bin/sh", "-c", f'exec "$0" "$@" {out}', script("wheelrelay"), *words]
    return subprocess.run(
        command, cwd=folder, stderr=subprocess.PIPE, text=True, check=False, env=dict(os.environ)
    )


@pytest.mark.parametrize("words", [["--version"], ["list", "dist"], ["list", "dist", "--json"]])
def test_output_that_was_closed_beforehand_is_no_error(dist, tmp_path, words):
    ended = run(tmp_path, *(f"./{word}" if word == "dist" else word for word in words), out=">&-")
    assert (ended.returncode, ended.stderr) == (0, "")


@needs_full
def test_a_log_that_cannot_be_written_is_said_to_be_so_and_the_relay_goes_on(dist, tmp_path):
    ended = run(tmp_path, "relay", "--from", "./dist", "--to", "./there", "--yes", out=f">{FULL}")
    assert ended.returncode == 0
    assert "What is shown cannot be written: No space left on device." in ended.stderr
    assert len(list((tmp_path / "there").glob("*.whl"))) == 1


@needs_full
def test_a_program_that_cannot_be_given_the_receipt_learns_of_it(dist, tmp_path):
    relay = ["relay", "--from", "./dist", "--to", "./there", "--yes", "--json"]
    ended = run(tmp_path, *relay, out=f">{FULL}")
    assert ended.returncode == 4
    assert "The receipt cannot be written to standard output: No space left on device." in ended.stderr
    assert run(tmp_path, *relay).returncode == 0


@needs_full
def test_a_document_that_cannot_be_written_is_an_error_of_the_system(dist, tmp_path):
    ended = run(tmp_path, "list", "./dist", "--json", out=f">{FULL}")
    assert ended.returncode == 1
    assert ended.stderr == "error: The system does not let it go on: No space left on device.\n"
