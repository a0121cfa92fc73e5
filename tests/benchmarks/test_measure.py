"""Time and memory are those of the commands."""

import os
import sys

import pytest

from tests.benchmarks.measure import measure

MB = 1_000_000


def python(code):
    return [sys.executable, "-c", code]


def test_commands_run_one_after_the_other_and_their_times_add_up(tmp_path):
    steps = [python("import time; time.sleep(0.3); open('made', 'w')"), python("open('made').read()")]
    measured = measure(steps, env=os.environ, folder=tmp_path)
    assert 0.3 <= measured.seconds < 5


def test_the_peak_is_that_of_the_largest_process(tmp_path):
    steps = [python("pass"), python(f"bytearray(b'x') * {200 * MB}"), python("pass")]
    assert 200 * MB < measure(steps, env=os.environ, folder=tmp_path).peak < 300 * MB
    assert measure([python("pass")], env=os.environ, folder=tmp_path).peak < 100 * MB


def test_a_command_that_fails_ends_it_and_is_quoted(tmp_path):
    steps = [python("import sys; sys.exit('no such luck')"), python("open('made', 'w')")]
    with pytest.raises(RuntimeError, match="no such luck"):
        measure(steps, env=os.environ, folder=tmp_path)
    assert not (tmp_path / "made").exists()
