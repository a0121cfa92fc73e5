"""What is shown is the same in a log as on a terminal, without what only a terminal can do."""

import os
import subprocess
import sys

import pytest
from tests.unit.cli.render.screen import Screen
from tests.unit.conftest import LONG

from wheelrelay.cli.render.console import LogConsole
from wheelrelay.cli.render.files import files_table
from wheelrelay.cli.render.findings import findings_lines
from wheelrelay.cli.render.sheet import MOST, Column, Grid, Line, Sheet
from wheelrelay.cli.render.tables import plan_table, receipt_table


def table():
    grid = Grid([Column("file"), Column("size", right=True, folds=False), Column("[sink]")])
    grid.add("a.whl", "1.2 kB", Line("upload", "green"))
    grid.add("a-much-longer.whl", "", Line("bad: ", "red").append("it is"))
    return grid


def test_a_table_in_a_log_is_aligned_and_has_nothing_at_the_ends_of_its_lines():
    assert list(table().plain()) == [
        "file                 size  [sink]",
        "a.whl              1.2 kB  upload",
        "a-much-longer.whl          bad: it is",
    ]


def test_a_terminal_is_not_flooded_and_a_log_has_it_all():
    grid = Grid([Column("file"), Column("sink")])
    for number in range(MOST + 7):
        grid.add(f"{number}.whl", "upload")
    screen = Screen(80)
    screen.show(grid)
    assert screen.lines[-2].split() == [f"{MOST - 1}.whl", "upload"]
    assert screen.lines[-1] == "and 7 more, as a file or a pipe gets them"
    assert list(grid.plain())[-1] == f"{MOST + 6}.whl  upload"


def test_names_in_other_scripts_take_the_room_that_they_take():
    grid = Grid([Column("file"), Column("sink")])
    grid.add("車輪", "upload")
    grid.add("wheel", "skip")
    assert list(grid.plain()) == ["file   sink", "車輪   upload", "wheel  skip"]


def test_a_row_stays_one_line_and_nothing_in_it_steers_a_terminal():
    grid = Grid([Column("file")])
    grid.add("a\nb\x1b[31m\x07.whl")
    assert list(grid.plain()) == ["file", "a b[31m.whl"]
    screen = Screen(80, terminal=True)
    screen.show(Line("a\x1b]0;owned\x07.whl"))
    assert screen.text == "a]0;owned.whl\n"


def test_paragraphs_keep_their_lines():
    assert list(Sheet(Line("one\n  two"), Line()).plain()) == ["one", "  two", ""]


@pytest.mark.parametrize("shows", [plan_table, receipt_table])
def test_a_log_says_what_a_wide_terminal_shows(shows, plan, receipt):
    what = shows(plan if shows is plan_table else receipt)
    screen = Screen(240)
    screen.show(what)
    assert [line.rstrip() for line in what.plain()] == screen.lines


def test_a_log_shows_files_and_findings_likewise(plan):
    for what in (files_table([planned.file for planned in plan.files]), *findings_lines(plan.findings)):
        screen = Screen(240)
        screen.show(what)
        assert [line.rstrip() for line in what.plain()] == screen.lines


def test_a_log_takes_text_as_it_is(capsys):
    LogConsole(stderr=False).print("a [bold]result[/] :smile:")
    LogConsole(stderr=True).print(Line("a remark", "red"))
    assert capsys.readouterr() == ("a [bold]result[/] :smile:\n", "a remark\n")


def test_a_log_does_not_fold_a_long_line(capsys, plan):
    LogConsole(stderr=False).print(Line(LONG * 9))
    assert capsys.readouterr().out == f"{LONG * 9}\n"


def test_a_log_does_not_wait_for_rich():
    program = (
        "import sys\n"
        "from wheelrelay.cli.render.console import console\n"
        "from wheelrelay.cli.render.progress import shown_on\n"
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
