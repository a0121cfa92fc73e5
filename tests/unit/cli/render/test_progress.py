"""A log keeps a line at sensible moments; a terminal shows bars that move, and is left as it was."""

import threading
from contextlib import suppress
from io import StringIO

import pytest
from rich.console import Console
from tests.unit.cli.render.screen import Screen
from tests.unit.conftest import WHEEL

from wheelrelay.cli.render import progress as module
from wheelrelay.cli.render.live import LiveProgress
from wheelrelay.cli.render.progress import PlainProgress, shown_on
from wheelrelay.events import (
    BytesMoved,
    FileBegan,
    FileEnded,
    Planned,
    Step,
    StepBegan,
    StepEnded,
    Waiting,
)

OTHER = "sample-1.0.tar.gz"


def staging(*, trouble=None):
    """What a relay tells while it stages two files, one of them at the second attempt."""
    yield StepBegan(Step.STAGE, "staging [x]", 2, 3_000)
    yield FileBegan(Step.STAGE, WHEEL, 2_000)
    yield BytesMoved(Step.STAGE, WHEEL, 1_500)
    yield Waiting(WHEEL, "The line broke.", 0.5)
    yield FileBegan(Step.STAGE, WHEEL, 2_000)
    yield BytesMoved(Step.STAGE, WHEEL, 2_000)
    yield FileEnded(Step.STAGE, WHEEL)
    yield FileBegan(Step.STAGE, OTHER, 1_000)
    yield BytesMoved(Step.STAGE, OTHER, 1_000)
    yield FileEnded(Step.STAGE, OTHER, error=trouble)
    yield StepEnded(Step.STAGE, "staging [x]")


def told(show, events):
    for event in events:
        show(event)


def failing():
    """What a relay tells while thirty files are refused alike, and one is not."""
    yield StepBegan(Step.PUBLISH, "pypi", 31, 3_000)
    for number in range(30):
        name = f"sample-1.0-{number}-py3-none-any.whl"
        yield FileBegan(Step.PUBLISH, name, 100)
        yield FileEnded(Step.PUBLISH, name, error=f"{name} is refused: 403.")
    yield FileEnded(Step.PUBLISH, OTHER, error="Too large.")
    yield StepEnded(Step.PUBLISH, "pypi")


@pytest.mark.parametrize("terminal", [False, True])
def test_identical_errors_of_many_files_are_one_line_with_a_count(terminal):
    screen = Screen(160, terminal=terminal)
    with shown_on(screen.console) as show:
        told(show, failing())
    text = screen.text
    assert text.count("is refused: 403.") == 1
    assert "29 more files failed with the same error as sample-1.0-0-py3-none-any.whl." in text
    assert "Too large." in text


class TestPlainLines:
    def test_a_step_is_one_line_with_what_was_moved(self):
        screen = Screen()
        told(PlainProgress(screen.console), staging())
        assert screen.lines == [
            f"{WHEEL}: The line broke. Trying again in 0.5 s.",
            "fetching and verifying 2 files from staging [x], 3.0 kB in 0.0 s",
        ]

    def test_what_goes_wrong_is_said_at_once(self):
        screen = Screen()
        told(PlainProgress(screen.console), staging(trouble="It is bad."))
        assert screen.lines[1] == f"{OTHER}: It is bad."

    def test_long_steps_give_a_sign_of_life(self, monkeypatch):
        monkeypatch.setattr(module, "EVERY", 0.0)
        screen = Screen()
        told(PlainProgress(screen.console), staging())
        assert "fetching and verifying: 1 of 2 files, 2.0 kB of 3.0 kB" in screen.lines

    def test_the_plan_comes_first_and_without_what_is_in_place(self, plan):
        screen = Screen(160)
        told(PlainProgress(screen.console), [Planned(plan)])
        assert "3 files from staging, 1.2 MB." in screen.text

    def test_while_a_mirror_publishes_only_what_is_published_counts(self):
        screen = Screen()
        told(
            PlainProgress(screen.console),
            [
                StepBegan(Step.PUBLISH, "there", 1, 2_000),
                FileBegan(Step.STAGE, WHEEL, 2_000),
                BytesMoved(Step.STAGE, WHEEL, 2_000),
                FileEnded(Step.STAGE, WHEEL),
                FileBegan(Step.PUBLISH, WHEEL, 2_000),
                BytesMoved(Step.PUBLISH, WHEEL, 2_000),
                FileEnded(Step.PUBLISH, WHEEL),
                StepEnded(Step.PUBLISH, "there"),
            ],
        )
        assert screen.lines == ["publishing 1 file to there, 2.0 kB in 0.0 s"]

    def test_a_step_that_came_to_no_end_is_not_said_to_have_ended(self):
        screen = Screen()
        told(PlainProgress(screen.console), [StepEnded(Step.STAGE, "staging")])
        assert screen.lines == []


class TestBars:
    @pytest.fixture
    def screen(self):
        return Screen(120, terminal=True)

    @pytest.fixture
    def bars(self, screen):
        made = LiveProgress(screen.console)
        yield made
        made.close()

    def test_the_step_and_every_transfer_have_a_bar(self, bars, screen):
        events = staging()
        told(bars, [next(events) for _ in range(3)])
        bars._bars.refresh()
        assert "fetching and verifying" in screen.text
        assert "2 files, staging [x]" in screen.text
        assert "1.5/3.0 kB" in screen.text
        assert f"  {WHEEL}" in screen.text
        told(bars, events)

    def test_it_tells_how_many_files_are_done(self, bars, screen):
        events = [*staging()]
        ended = next(number for number, event in enumerate(events) if isinstance(event, FileEnded))
        told(bars, events[: ended + 1])
        bars._bars.refresh()
        assert "1 of 2 files" in screen.text
        told(bars, events[ended + 1 :])

    def test_another_attempt_takes_back_what_the_first_had_counted(self, bars, screen):
        events = staging()
        told(bars, [next(events) for _ in range(6)])
        bars._bars.refresh()
        assert "2.0/3.0 kB" in screen.text
        assert "3.5/3.0 kB" not in screen.text
        told(bars, events)

    def test_trouble_and_pauses_stay_on_the_screen(self, bars, screen):
        told(bars, staging(trouble="It is bad."))
        assert f"{OTHER}: It is bad." in screen.text
        assert "Trying again in 0.5 s." in screen.text

    def test_a_pause_between_steps_is_told_too(self, bars, screen):
        told(bars, [Waiting("the files", "Busy.", 1.0)])
        assert "the files: Busy. Trying again in 1.0 s." in screen.text

    def test_the_plan_is_shown(self, bars, screen, plan):
        told(bars, [Planned(plan)])
        assert "3 files from staging" in screen.text

    def test_while_a_mirror_publishes_only_what_is_published_counts(self, bars, screen):
        told(
            bars,
            [
                StepBegan(Step.PUBLISH, "there", 2, 4_000),
                FileBegan(Step.STAGE, WHEEL, 2_000),
                BytesMoved(Step.STAGE, WHEEL, 2_000),
                FileEnded(Step.STAGE, WHEEL),
                FileBegan(Step.PUBLISH, WHEEL, 2_000),
                BytesMoved(Step.PUBLISH, WHEEL, 2_000),
            ],
        )
        bars._bars.refresh()
        assert "2.0/4.0 kB" in screen.text
        assert "4.0/4.0 kB" not in screen.text

    def test_events_outside_of_a_step_are_harmless(self, bars):
        told(
            bars,
            [FileBegan(Step.STAGE, WHEEL, 1), BytesMoved(Step.STAGE, WHEEL, 1), FileEnded(Step.STAGE, WHEEL)],
        )

    def test_events_may_come_from_many_threads_at_once(self, bars):
        bars(StepBegan(Step.STAGE, "staging", 8, 8_000))

        def transfer(number):
            name = f"sample-{number}.0.tar.gz"
            bars(FileBegan(Step.STAGE, name, 1_000))
            for _ in range(100):
                bars(BytesMoved(Step.STAGE, name, 10))
            bars(FileEnded(Step.STAGE, name))

        threads = [threading.Thread(target=transfer, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        [whole] = bars._bars.tasks
        assert whole.completed == 8_000


class TestWhichOne:
    def test_a_terminal_gets_bars_and_its_cursor_back_even_after_an_interrupt(self):
        screen = Screen(terminal=True)
        with suppress(KeyboardInterrupt), shown_on(screen.console) as show:
            told(show, [StepBegan(Step.STAGE, "staging", 1, 1_000)])
            raise KeyboardInterrupt
        hidden, shown = screen.text.rfind("\x1b[?25l"), screen.text.rfind("\x1b[?25h")
        assert -1 < hidden < shown

    def test_a_log_gets_lines(self):
        screen = Screen()
        with shown_on(screen.console) as show:
            told(show, staging())
        assert "\x1b" not in screen.text
        assert len(screen.lines) == 2

    def test_quiet_is_quiet(self):
        screen = Screen(terminal=True)
        with shown_on(screen.console, quiet=True) as show:
            told(show, staging())
        assert screen.text == ""


def test_a_long_name_leaves_room_for_the_numbers_at_80_columns():
    name = "sample-7.1.0-cp313-cp313-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
    console = Console(file=StringIO(), force_terminal=True, width=80, color_system=None)
    live = LiveProgress(console)
    live(StepBegan(Step.STAGE, "staging", 40, 400_000_000))
    live(FileBegan(Step.STAGE, name, 10_000_000))
    live(BytesMoved(Step.STAGE, name, 4_000_000))
    live.close()
    shown = console.file.getvalue()
    assert "4.0/400.0 MB" in shown
    assert "4.0/10.0 MB" in shown
