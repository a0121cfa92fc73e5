"""A log gets the same content as a terminal, as plain text."""

import os
import subprocess
import sys

import pytest
from tests.unit.cli.render.screen import Screen
from tests.unit.conftest import LONG

from wheelrelay.cli.render.blocks import MAX_ROWS, Blocks, Column, Line, Table
from wheelrelay.cli.render.console import LogConsole
from wheelrelay.cli.render.tables import files_table, findings_lines, plan_table, receipt_table


def sample_table():
    table = Table([Column("file"), Column("size", align_right=True, can_wrap=False), Column("[sink]")])
    table.add("a.whl", "1.2 kB", Line("upload", "green"))
    table.add("a-much-longer.whl", "", Line("bad: ", "red").append("it is"))
    return table


def test_log_tables_are_aligned_without_trailing_spaces():
    assert list(sample_table().plain()) == [
        "file                 size  [sink]",
        "a.whl              1.2 kB  upload",
        "a-much-longer.whl          bad: it is",
    ]


def test_terminal_shows_at_most_max_rows_and_log_shows_all():
    table = Table([Column("file"), Column("sink")])
    for number in range(MAX_ROWS + 7):
        table.add(f"{number}.whl", "upload")
    screen = Screen(80)
    screen.show(table)
    assert screen.lines[-2].split() == [f"{MAX_ROWS - 1}.whl", "upload"]
    assert screen.lines[-1] == "and 7 more; redirect the output to a file to see them"
    assert list(table.plain())[-1] == f"{MAX_ROWS + 6}.whl  upload"


def test_wide_characters_are_aligned():
    table = Table([Column("file"), Column("sink")])
    table.add("車輪", "upload")
    table.add("wheel", "skip")
    assert list(table.plain()) == ["file   sink", "車輪   upload", "wheel  skip"]


def test_control_characters_are_removed():
    table = Table([Column("file")])
    table.add("a\nb\x1b[31m\x07.whl")
    assert list(table.plain()) == ["file", "a b[31m.whl"]
    screen = Screen(80, terminal=True)
    screen.show(Line("a\x1b]0;owned\x07.whl"))
    assert screen.text == "a]0;owned.whl\n"


def test_paragraphs_keep_line_breaks():
    assert list(Blocks(Line("one\n  two"), Line()).plain()) == ["one", "  two", ""]


@pytest.mark.parametrize("make_table", [plan_table, receipt_table])
def test_log_has_the_same_text_as_a_wide_terminal(make_table, plan, receipt):
    content = make_table(plan if make_table is plan_table else receipt)
    screen = Screen(240)
    screen.show(content)
    assert [line.rstrip() for line in content.plain()] == screen.lines


def test_log_has_the_same_files_and_findings_as_a_wide_terminal(plan):
    for content in (files_table([planned.file for planned in plan.files]), *findings_lines(plan.findings)):
        screen = Screen(240)
        screen.show(content)
        assert [line.rstrip() for line in content.plain()] == screen.lines


def test_log_prints_markup_unchanged(capsys):
    LogConsole(stderr=False).print("a [bold]result[/] :smile:")
    LogConsole(stderr=True).print(Line("a remark", "red"))
    assert capsys.readouterr() == ("a [bold]result[/] :smile:\n", "a remark\n")


def test_log_does_not_wrap_long_lines(capsys, plan):
    LogConsole(stderr=False).print(Line(LONG * 9))
    assert capsys.readouterr().out == f"{LONG * 9}\n"


def test_log_output_does_not_import_rich():
    program = (
        "import sys\n"
        "from wheelrelay.cli.render.console import console\n"
        "from wheelrelay.cli.render.progress import PlainProgress\n"
        "from wheelrelay.cli.render.tables import plan_table\n"
        "from wheelrelay.records import Plan\n"
        "console().print(plan_table(Plan('here', ('there',), ())))\n"
        "sys.exit('rich.console' in sys.modules)\n"
    )
    environment = dict(os.environ)  # without what readline sets behind Python's back
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("0 files from here.")
