"""The command line as a whole: it starts at once, explains itself, and ends with a sentence and a code."""

import importlib.metadata
import io
import json
import logging
import os
import re
import signal
import subprocess
import sys
from datetime import UTC, datetime

import click
import pytest
from rich.console import Console
from tests.e2e.cli.conftest import SDIST, WHEEL
from tests.servers.proxy import Fault
from tests.servers.web import Reply

from wheelrelay.cli import cli
from wheelrelay.cli.exits import ExitCode, run_to_exit_code
from wheelrelay.cli.render.live import LiveProgress
from wheelrelay.errors import RelayFailed, ReleaseRefused
from wheelrelay.events import Step, StepBegan
from wheelrelay.records import Delivery, Outcome, Receipt, ReceiptFile
from wheelrelay.testing import make_wheel

COMMANDS = cli.list_commands(click.Context(cli))

HEAVY = ("importlib.metadata", "packaging", "pydantic", "requests", "rich", "twine", "wheelrelay.api")
"""What takes longer to be imported than all that the command line needs to answer."""


def loaded_by(*arguments):
    """The modules that a run of the command line imports."""
    code = (
        "import sys; from wheelrelay.cli import cli; "
        f"cli.main({list(arguments)}, standalone_mode=False); print(*sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(ran.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_version_and_help_import_nothing_heavy(option):
    assert loaded_by(option).isdisjoint(HEAVY)


def test_command_is_imported_without_others():
    modules = loaded_by("list", "--help")
    assert modules.isdisjoint(HEAVY)
    assert "wheelrelay.cli.relay" not in modules


def test_listing_a_directory_imports_no_config_checks_or_http(here):
    make_wheel(here / "dist")
    modules = loaded_by("list", "./dist")
    assert "wheelrelay.backends.local.store" in modules
    assert modules.isdisjoint(
        {"importlib.metadata", "pydantic", "requests", "twine", "wheelrelay.checks", "wheelrelay.http"}
    )


def test_relay_without_work_imports_nothing_heavy(here):
    make_wheel(here / "dist")
    make_wheel(here / "there")
    modules = loaded_by("relay", "--from", "./dist", "--to", "./there")
    assert "wheelrelay.engine.run" in modules
    needless = {"rich.progress", "twine", "urllib3", "wheelrelay.checks.registry", "wheelrelay.checks.run"}
    assert modules & needless == set()


def test_version_is_that_of_the_package(wheelrelay):
    assert wheelrelay.apart("--version").out == f"wheelrelay {importlib.metadata.version('wheelrelay')}\n"


def test_version_prints_to_standard_output(wheelrelay):
    ended = wheelrelay("--version")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("wheelrelay ")


def test_python_m_runs_wheelrelay(wheelrelay, here):
    make_wheel(here / "dist")
    assert WHEEL in wheelrelay.apart("list", "./dist").out


def test_help_lists_commands_and_exit_codes(wheelrelay):
    said = wheelrelay("--help").out
    assert [name for name in COMMANDS if f"  {name} " not in said] == []
    assert "130  interrupted" in said


@pytest.mark.parametrize("command", [*COMMANDS, "config check", "config schema", "config show"])
def test_every_command_has_help(wheelrelay, command):
    ended = wheelrelay(*command.split(), "-h")
    assert ended.code == 0
    assert "Usage: wheelrelay" in ended.out


def test_help_is_shown_without_a_command(wheelrelay):
    ended = wheelrelay()
    assert ended.code == 2
    assert "Commands:" in ended.out + ended.err


@pytest.mark.parametrize(
    "wrong",
    [
        ["no-such-command"],
        ["list"],
        ["list", "./dist", "--no-such-option"],
        ["list", "nowhere"],
        ["list", "./dist", "not a requirement"],
        ["relay", "--from", "./dist"],
        ["relay"],
        ["relay", "--from", "./dist", "--to", "./out", "--jobs", "0"],
        ["relay", "--from", "./dist", "--to", "./out", "--jobs", "many"],
        ["relay", "--from", "./dist", "--to", "./out", "--confirm-timeout", "soon"],
        ["relay", "--from", "./dist", "--to", "./out", "--wheels", "cp312"],
        ["relay", "--from", "./dist", "--to", "./out", "--sdist-only", "--no-sdist"],
        ["relay", "--from", "./dist", "--to", "./out", "--to", "./out"],
        ["relay", "--from", "./dist", "--to", "index+https://example.org/simple/"],
        ["relay", "--from", "./dist", "--to", "nosuch://example/"],
        ["relay", "release", "--config", "missing.toml"],
    ],
    ids=" ".join,
)
def test_usage_errors_exit_with_2_and_a_message(wheelrelay, dist, wrong):
    ended = wheelrelay(*wrong)
    assert ended.code == 2
    assert ended.out == ""
    assert "rror: " in ended.err
    assert "Traceback" not in ended.err
    assert not (dist.parent / "out").exists()


def test_failure_prints_message_and_hint(wheelrelay, dist):
    ended = wheelrelay("relay", "--from", "./dist", "--to", "./out", "sampel")
    assert ended.code == 1
    assert ended.err == ("error: source './dist': No files of sampel found. Did you mean: sample?\n")


def test_debug_prints_traceback_and_keeps_exit_code(wheelrelay, dist):
    ended = wheelrelay("relay", "--from", "./dist", "--to", "./out", "sampel", "--debug")
    assert ended.code == 1
    assert "Traceback (most recent call last)" in ended.err
    assert ended.err.endswith("Did you mean: sample?\n")


def test_debug_keeps_exit_code_of_partial_relay(wheelrelay, config, dist, proxy):
    proxy.fail_upload(SDIST, Fault(Reply(b"Bad.", 400, "text/plain")))
    ended = wheelrelay("relay", "release", "--debug")
    assert ended.code == 4
    assert "Traceback" in ended.err


def test_unexpected_error_is_reported_as_a_bug(capsys):
    assert run_to_exit_code(lambda: {}["key"], debug=False) == ExitCode.FAILED
    said = capsys.readouterr().err
    assert said == (
        "error: Unexpected KeyError: 'key'. This is a bug in wheelrelay; `--debug` prints a traceback.\n"
    )


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, click.Abort])
def test_interrupt_exits_with_130(capsys, interrupt):
    def run():
        raise interrupt

    assert run_to_exit_code(run, debug=False) == ExitCode.INTERRUPTED
    assert capsys.readouterr().err == "Interrupted; nothing was published.\n"


def test_verbose_output_goes_to_standard_error(wheelrelay, here, dist):
    (dist / "sample-2.0-whatever.whl").write_bytes(b"")
    ended = wheelrelay("list", "./dist", "--json", "-vv")
    assert ended.code == 0
    assert "WARNING" in ended.err
    assert len(json.loads(ended.out)) == 2


def read_a_little(process):
    """Read the first characters of a process's output, as ``head`` does, and leave."""
    process.stdout.read(10)
    process.stdout.close()
    return process.wait(60), process.stderr.read()


@pytest.fixture
def many(here):
    for number in range(1_500):
        make_wheel(here / "many", "sample", "1.0", f"py3-none-manylinux_2_{number}_x86_64")
    return here / "many"


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["table", "JSON"])
def test_closed_pipe_is_not_an_error(wheelrelay, many, options):
    assert read_a_little(wheelrelay.start("list", many, *options)) == (0, "")


def test_closed_standard_error_does_not_stop_a_relay(wheelrelay, config, dist, proxy):
    proxy.latency = 0.1
    process = wheelrelay.start("relay", "release", "--json")
    process.stderr.read(10)
    process.stderr.close()
    receipt = json.loads(process.stdout.read())
    assert process.wait(60) == 0
    assert receipt["complete"] is True
    assert sorted(proxy.uploads()) == [WHEEL, SDIST]


def test_closed_standard_output_does_not_hide_a_failure(wheelrelay, config, dist, proxy):
    proxy.fail_upload(SDIST, Fault(Reply(b"Bad.", 400, "text/plain")))
    process = wheelrelay.start("relay", "release", "--json")
    process.stdout.close()
    assert process.wait(60) == 4
    assert "Bad" in process.stderr.read()


def test_no_color_disables_colors(wheelrelay, dist, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[" in wheelrelay("plan", "--from", "./dist", "--to", "./out").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[3" not in wheelrelay("plan", "--from", "./dist", "--to", "./out").out


def test_folder_names_may_be_unicode(wheelrelay, dist, here):
    ended = wheelrelay("relay", "--from", "./dist", "--to", "./Räder 車輪 [x] :smile:", "--json")
    assert ended.code == 0
    assert json.loads(ended.out)["sinks"] == ["./Räder 車輪 [x] :smile:"]
    assert (here / "Räder 車輪 [x] :smile:" / WHEEL).is_file()
    shown = wheelrelay("plan", "--from", "./dist", "--to", "./Räder 車輪 [x] :smile:").out
    assert "./Räder 車輪 [x] :smile:: 2 skip." in shown


def test_undecodable_names_are_escaped(wheelrelay, dist):
    odd = os.fsdecode(b"./r\xffder")
    ended = wheelrelay.apart("relay", "--from", "./dist", "--to", odd, "--receipt", "receipt.json")
    assert ended.code == 0
    assert "r\\udcffder" in ended.out
    assert json.loads((dist.parent / "receipt.json").read_text())["sinks"] == [odd]
    assert json.loads(wheelrelay.apart("list", odd, "--json").out)[0]["url"].startswith(
        odd.removeprefix("./")
    )


def test_ascii_terminal_gets_escapes(wheelrelay, dist):
    ended = wheelrelay.apart("relay", "--from", "./dist", "--to", "./Räder", PYTHONIOENCODING="ascii")
    assert ended.code == 0
    assert "R\\xe4der" in ended.out


def test_log_lines_are_printed_above_progress_bars(wheelrelay, dist):
    assert wheelrelay("list", dist, "-v").code == 0  # from here on, what wheelrelay does is logged
    shown = io.StringIO()
    bars = LiveProgress(Console(file=shown, width=100, force_terminal=True))
    bars(StepBegan(Step.STAGE, "there", 1, 10))
    logging.getLogger("wheelrelay").info("Something of interest.")
    bars.close()
    lines = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", shown.getvalue()).replace("\r", "\n").splitlines()
    assert "INFO Something of interest." in [line.strip() for line in lines]


@pytest.mark.parametrize(
    ("ended", "code"),
    [
        (lambda receipt: ReleaseRefused("The release failed its checks."), ExitCode.REFUSED),
        (lambda receipt: RelayFailed("pypi has 1 of 2 files.", receipt=receipt), ExitCode.PARTIAL),
    ],
    ids=["refused", "partly"],
)
def test_interrupt_after_the_end_of_a_relay_keeps_its_exit_code(ended, code, capsys):
    delivery = Delivery(Outcome.PUBLISHED, 1)
    file = ReceiptFile(WHEEL, "sample", "1.0", 1, "0" * 64, None, {"pypi": delivery})
    now = datetime.now(UTC)
    error = ended(Receipt("here", ("pypi",), "release", now, now, (file,)))

    def run():
        try:
            raise error
        except type(error):
            signal.raise_signal(signal.SIGINT)

    assert run_to_exit_code(run, debug=False) == code
    said = capsys.readouterr().err
    assert error.message in said
    assert "Interrupted; nothing was published" not in said
