"""Programs with limits on time and output."""

import os
import sys
import threading

import pytest

from wheelrelay.tools import clean_environment, foreign_environment, run_limited
from wheelrelay.tools.processes import MAX_OUTPUT


@pytest.fixture
def run(tmp_path):
    """A function that runs Python code with limits."""

    def run_code(code, *arguments, timeout=60.0, **options):
        command = [sys.executable, "-I", "-c", code, *map(str, arguments)]
        return run_limited(
            command, environment=clean_environment(), folder=tmp_path, timeout=timeout, **options
        )

    return run_code


def test_returns_the_exit_code_and_the_output(run):
    ended = run("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)")

    assert ended.code == 3
    assert sorted(ended.lines) == ["err", "out"]


def test_passes_standard_input(run):
    assert run("print(input())", stdin="numpy==2.0\n").last_line == "numpy==2.0"


def test_keeps_the_end_of_a_long_output(run):
    ended = run("for number in range(100_000): print(number)")

    assert len(ended.output) <= MAX_OUTPUT
    assert ended.last_line == "99999"


@pytest.mark.skipif(os.name == "nt", reason="named pipes")
def test_ends_child_processes_when_the_time_is_up(run, tmp_path):
    """The child has the only writing end of a pipe, which is closed when the child ends."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    child = "import sys, time; stream = open(sys.argv[1], 'w'); print('open', flush=True); time.sleep(600)"
    parent = (
        "import subprocess, sys, time; "
        "subprocess.Popen([sys.executable, '-c', sys.argv[1], sys.argv[2]]); time.sleep(600)"
    )
    read = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    ended = run(parent, child, pipe, timeout=3.0)
    reader.join(60)

    assert ended.code is None
    assert read == [""]


@pytest.mark.skipif(os.name == "nt", reason="named pipes")
def test_does_not_wait_for_a_child_that_outlives_its_parent(run):
    code = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])"

    assert run(code).code == 0


def test_stops_early(run):
    stopped = threading.Event()
    stopped.set()

    assert run("import time; time.sleep(600)", stopped=stopped).code is None


def test_the_reason_is_the_error_of_uv_without_hints(run):
    ended = run("print('warning: a\\nerror: No solution\\n  cause: Because b.\\n\\nhint: try c')")

    assert ended.reason == "error: No solution cause: Because b."


def test_the_reason_is_else_the_last_line(run):
    assert run("raise ValueError('broken')").reason == "ValueError: broken"


def test_installers_get_no_secrets(monkeypatch):
    for name in (
        "TWINE_PASSWORD",
        "UV_PUBLISH_TOKEN",
        "UV_INDEX_URL",
        "GITHUB_TOKEN",
        "WHEELRELAY_X",
        "PIP_INDEX_URL",
    ):
        monkeypatch.setenv(name, "secret")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.org")

    environment = clean_environment(ADDED="1")
    assert "secret" not in environment.values()
    assert environment["ADDED"] == "1"
    assert environment["HTTPS_PROXY"] == "http://proxy.example.org"


def test_foreign_programs_get_neither_proxies_nor_the_home_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("HTTPS_PROXY", "http://user:password@proxy.example.org")
    monkeypatch.setenv("HOME", "/somewhere")

    environment = foreign_environment(tmp_path)
    assert "HTTPS_PROXY" not in environment
    assert environment["HOME"] == environment["TMPDIR"] == str(tmp_path)
