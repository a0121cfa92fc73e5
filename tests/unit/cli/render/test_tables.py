"""Tables of files, plans and receipts fit terminals of any width."""

from dataclasses import replace

import pytest
from tests.unit.cli.render.screen import Screen
from tests.unit.conftest import LONG, WHEEL

from wheelrelay.cli.render.blocks import counted
from wheelrelay.cli.render.console import LOG_WIDTH
from wheelrelay.cli.render.tables import files_table, plan_table, receipt_table
from wheelrelay.filenames import dist_file
from wheelrelay.model import Digests
from wheelrelay.records import Action, Delivery, Intent, Outcome, Plan, PlannedFile


def without_spaces(text):
    return "".join(text.split())


def test_files_are_sorted_by_release_with_size_and_sha256():
    files = [
        dist_file("sample-2.0.tar.gz", size=1_500, digests=Digests(sha256="cd" * 32)),
        dist_file(WHEEL, yanked="broken"),
        dist_file("other-1.0.tar.gz", companions=(".asc",)),
    ]
    screen = Screen()
    screen.show(files_table(files))
    assert [line.split()[0] for line in screen.lines[1:4]] == ["other-1.0.tar.gz", WHEEL, "sample-2.0.tar.gz"]
    assert "1.5 kB  cdcdcdcdcdcd..." in screen.lines[3]
    assert screen.lines[2].split()[1:] == ["unknown", "yanked"]
    assert screen.lines[1].endswith(".asc")
    assert screen.lines[-1] == "3 files in 3 releases."


@pytest.mark.parametrize("width", [40, 80, 160])
def test_plan_fits_terminals_of_any_width(plan, width):
    screen = Screen(width)
    text = screen.show(plan_table(plan))
    assert all(len(line) <= width for line in screen.lines)
    for part in ("a_project", "sample-1.0", "[test]py", "upload", "conflict", "unknown"):
        assert part in text
    text_line = " ".join(text.split())
    assert "3 files from staging, 1.2 MB." in text_line
    assert "[test]pypi: 1 upload (1.2 MB), 1 skip, 1 conflict." in text_line
    assert "pypi: 1 upload (1.2 MB), 1 skip, 1 unknown." in text_line
    assert "missing: cp313-*-win*" in text_line
    assert f"unexpected: {WHEEL}" in text_line
    assert "Build a new version." in text_line
    assert "Nothing to do" not in text


def test_log_has_each_file_on_one_line(plan):
    screen = Screen(LOG_WIDTH)
    screen.show(plan_table(plan))
    assert any(line.startswith(LONG) and line.count("upload") == 2 for line in screen.lines)


def test_skipped_files_can_be_left_out(plan):
    text = Screen(LOG_WIDTH).show(plan_table(replace(plan, unexpected=()), every_file=False))
    assert WHEEL not in text
    assert LONG in text


def test_plan_without_work_ends_with_nothing_to_do():
    skip = {"pypi": Intent(Action.SKIP, "the same bytes exist")}
    plan = Plan("staging", ("pypi",), (PlannedFile(dist_file(WHEEL), skip),))
    text = Screen().show(plan_table(plan, every_file=False))
    assert text.startswith("1 file from staging")
    assert text.endswith("pypi: 1 skip.\nNothing to do.\n")
    assert WHEEL not in text


@pytest.mark.parametrize("width", [60, 80, 160])
def test_receipt_shows_failed_files_with_reason(receipt, width):
    screen = Screen(width)
    text = screen.show(receipt_table(receipt))
    assert all(len(line) <= width for line in screen.lines)
    assert "sample-1.0-1-py3" not in text
    assert without_spaces("failed: Bad [description].") in without_spaces(
        text.replace("sample-1.0-3-py3-none-any.whl", "")
    )
    assert "unconfirmed: It is late." in " ".join(text.split())
    assert "pending" in text
    assert "It took long." in text
    assert "pypi: 1 published, 1 skipped, 1 failed, 1 pending, 1 unconfirmed." in " ".join(text.split())
    assert "5 files from staging in 2.5 s." in text


def test_receipt_can_show_every_file(receipt):
    assert "sample-1.0-1-py3" in Screen().show(receipt_table(receipt, every_file=True))


def test_actions_have_colors(plan):
    text = Screen(160, terminal=True).show(plan_table(plan))
    assert "\x1b[32mupload" in text
    assert "\x1b[1;31mconflict" in text


def test_names_are_not_interpreted_as_markup(plan):
    odd = replace(
        plan,
        sinks=(":smile:",),
        files=(PlannedFile(dist_file(WHEEL), {":smile:": Intent(Action.UPLOAD, "not there yet")}),),
    )
    text = Screen().show(plan_table(odd))
    assert text.count(":smile:") == 2


def test_counted_uses_the_plural():
    assert [counted(number) for number in (0, 1, 2)] == ["0 files", "1 file", "2 files"]
    assert counted(1, "release") == "1 release"


@pytest.mark.parametrize("every_file", [False, True])
def test_many_files_with_the_same_failure_are_one_row(receipt, every_file):
    [like] = [file for file in receipt.files if "failed" in {one.outcome for one in file.sinks.values()}]
    names = [f"sample-1.0-{number}-py3-none-any.whl" for number in range(30)]
    many = [
        replace(
            like,
            filename=name,
            sinks={sink: Delivery(Outcome.FAILED, reason=f"{name} is refused.") for sink in receipt.sinks},
        )
        for name in names
    ]
    text = Screen(200).show(receipt_table(replace(receipt, files=tuple(many)), every_file=every_file))
    assert text.count("is refused") == (30 if every_file else 1)
    assert (f"{names[0]} and 29 more" in text) is not every_file
