"""Progress is shown as lines in a log and as bars on a terminal."""

import threading
from contextlib import suppress
from io import StringIO

import pytest
from rich.console import Console
from tests.unit.cli.render.screen import Screen
from tests.unit.conftest import WHEEL

from wheelrelay.cli.output import progress_on
from wheelrelay.cli.render.live import LiveProgress
from wheelrelay.cli.render.progress import PlainProgress
from wheelrelay.events import (
    AwaitingFiles,
    BytesMoved,
    FileBegan,
    FileEnded,
    Interrupting,
    Planned,
    SizeKnown,
    Step,
    StepBegan,
    StepEnded,
    Waiting,
)

OTHER = "sample-1.0.tar.gz"


def staging_events(*, error=None):
    """The events of staging two files, one of them at the second attempt."""
    yield StepBegan(Step.STAGE, "staging [x]", 2, 3_000)
    yield FileBegan(Step.STAGE, WHEEL, 2_000)
    yield BytesMoved(Step.STAGE, WHEEL, 1_500)
    yield Waiting(WHEEL, "The line broke.", 0.5)
    yield FileBegan(Step.STAGE, WHEEL, 2_000)
    yield BytesMoved(Step.STAGE, WHEEL, 2_000)
    yield FileEnded(Step.STAGE, WHEEL)
    yield FileBegan(Step.STAGE, OTHER, 1_000)
    yield BytesMoved(Step.STAGE, OTHER, 1_000)
    yield FileEnded(Step.STAGE, OTHER, error=error)
    yield StepEnded(Step.STAGE, "staging [x]")


def send(show, events):
    for event in events:
        show(event)


def failing_events():
    """The events of publishing when thirty files fail with the same error, and one with another."""
    yield StepBegan(Step.PUBLISH, "pypi", 31, 3_000)
    for number in range(30):
        name = f"sample-1.0-{number}-py3-none-any.whl"
        yield FileBegan(Step.PUBLISH, name, 100)
        yield FileEnded(Step.PUBLISH, name, error=f"{name} is refused: 403.")
    yield FileEnded(Step.PUBLISH, OTHER, error="Too large.")
    yield StepEnded(Step.PUBLISH, "pypi")


@pytest.mark.parametrize("terminal", [False, True])
def test_same_error_of_many_files_is_printed_once_with_a_count(terminal):
    screen = Screen(160, terminal=terminal)
    with progress_on(screen.console) as show:
        send(show, failing_events())
    text = screen.text
    assert text.count("is refused: 403.") == 1
    assert "29 more files failed with the same error as sample-1.0-0-py3-none-any.whl." in text
    assert "Too large." in text


@pytest.mark.parametrize("terminal", [False, True])
class TestInterrupt:
    def publishing_events(self):
        yield StepBegan(Step.PUBLISH, "pypi", 3, 3_000)
        yield FileBegan(Step.PUBLISH, WHEEL, 2_000)
        yield FileBegan(Step.PUBLISH, OTHER, 1_000)
        yield FileEnded(Step.PUBLISH, OTHER)
        yield Interrupting(5.0)
        yield FileEnded(Step.PUBLISH, WHEEL, error="It was cut off.")
        yield Waiting(WHEEL, "Busy.", 1.0)
        yield StepBegan(Step.CONFIRM, "pypi", 3, 3_000)

    def test_running_uploads_are_counted_and_nothing_follows(self, terminal):
        screen = Screen(160, terminal=terminal)
        with progress_on(screen.console) as show:
            send(show, self.publishing_events())
        text = screen.text
        assert "Finishing 1 upload for up to 5 s" in text
        assert ("press Ctrl-C again to stop now." in text) is terminal
        assert "cut off" not in text
        assert "Busy" not in text
        assert "Confirming" not in text

    def test_without_uploads_it_stops(self, terminal):
        screen = Screen(160, terminal=terminal)
        with progress_on(screen.console) as show:
            send(show, [StepBegan(Step.STAGE, "there", 1, 5), FileBegan(Step.STAGE, WHEEL, 5)])
            send(show, [Interrupting(5.0)])
        assert "Stopping" in screen.text
        assert "Finishing" not in screen.text


class TestAwaitedFiles:
    def show(self, *events):
        screen = Screen(160)
        send(PlainProgress(screen.console), events)
        return screen.lines

    def test_missing_files_are_named_with_the_time_left(self):
        event = AwaitingFiles(19, 20, ("cp313-*-win_amd64",), 59.2)
        assert self.show(event) == [
            "19 of 20 expected files found, missing cp313-*-win_amd64; waiting for up to 59 s."
        ]

    def test_same_missing_files_are_printed_once_a_minute(self):
        now = [1000.0]
        screen = Screen(160)
        show = PlainProgress(screen.console, clock=lambda: now[0])
        for second in range(125):
            now[0] = 1000.0 + second
            show(AwaitingFiles(1, 2, ("sdist",), 600.0 - second))
        assert [line.rpartition("; ")[2] for line in screen.lines] == [
            "waiting for up to 10 min.",
            "waiting for up to 9 min.",
            "waiting for up to 8 min.",
        ]

    def test_changes_are_printed_at_once(self):
        lines = self.show(
            AwaitingFiles(0, 0, ("No files of sample found.",), 90.0),
            AwaitingFiles(1, 6, tuple("abcde"), 80.0),
            AwaitingFiles(5, 6, ("e",), 70.0),
        )
        assert lines == [
            "No files of sample found; waiting for up to 90 s.",
            "1 of 6 expected files found, missing a, b, c and 2 more; waiting for up to 80 s.",
            "5 of 6 expected files found, missing e; waiting for up to 70 s.",
        ]


class TestPlainLines:
    def test_step_ends_with_one_line(self):
        screen = Screen()
        send(PlainProgress(screen.console), staging_events())
        assert screen.lines == [
            f"{WHEEL}: The line broke. Retrying in 0.5 s.",
            "Staging 2 files from staging [x] took 0.0 s (3.0 kB)",
        ]

    def test_errors_are_printed_at_once(self):
        screen = Screen()
        send(PlainProgress(screen.console), staging_events(error="It is bad."))
        assert screen.lines[1] == f"{OTHER}: It is bad."

    def test_long_steps_print_status_lines(self):
        screen = Screen()
        send(PlainProgress(screen.console, status_interval=0.0), staging_events())
        assert "Staging: 1 of 2 files, 2.0 kB of 3.0 kB" in screen.lines

    def test_plan_is_printed_without_skipped_files(self, plan):
        screen = Screen(160)
        send(PlainProgress(screen.console), [Planned(plan)])
        assert "3 files from staging, 1.2 MB." in screen.text

    def test_mirror_counts_only_published_bytes(self):
        screen = Screen()
        send(
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
        assert screen.lines == ["Publishing 1 file to there took 0.0 s (2.0 kB)"]

    def test_end_without_beginning_prints_nothing(self):
        screen = Screen()
        send(PlainProgress(screen.console), [StepEnded(Step.STAGE, "staging")])
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

    def test_step_and_files_have_bars(self, bars, screen):
        events = staging_events()
        send(bars, [next(events) for _ in range(3)])
        bars._bars.refresh()
        assert "Staging" in screen.text
        assert "2 files, staging [x]" in screen.text
        assert "1.5/3.0 kB" in screen.text
        assert f"  {WHEEL}" in screen.text
        send(bars, events)

    def test_size_that_the_server_declares_is_shown(self, bars, screen):
        send(
            bars,
            [
                StepBegan(Step.STAGE, "there", 1, 0),
                FileBegan(Step.STAGE, WHEEL, None),
                SizeKnown(Step.STAGE, WHEEL, 9_000),
                BytesMoved(Step.STAGE, WHEEL, 3_000),
            ],
        )
        bars._bars.refresh()
        assert "3.0/9.0 kB" in screen.text

    def test_title_counts_finished_files(self, bars, screen):
        events = [*staging_events()]
        ended = next(number for number, event in enumerate(events) if isinstance(event, FileEnded))
        send(bars, events[: ended + 1])
        bars._bars.refresh()
        assert "1 of 2 files" in screen.text
        send(bars, events[ended + 1 :])

    def test_second_attempt_discards_the_bytes_of_the_first(self, bars, screen):
        events = staging_events()
        send(bars, [next(events) for _ in range(6)])
        bars._bars.refresh()
        assert "2.0/3.0 kB" in screen.text
        assert "3.5/3.0 kB" not in screen.text
        send(bars, events)

    def test_errors_and_pauses_stay_on_the_screen(self, bars, screen):
        send(bars, staging_events(error="It is bad."))
        assert f"{OTHER}: It is bad." in screen.text
        assert "Retrying in 0.5 s." in screen.text

    def test_pause_between_steps_is_printed(self, bars, screen):
        send(bars, [Waiting("the files", "Busy.", 1.0)])
        assert "the files: Busy. Retrying in 1.0 s." in screen.text

    def test_plan_is_printed(self, bars, screen, plan):
        send(bars, [Planned(plan)])
        assert "3 files from staging" in screen.text

    def test_mirror_counts_only_published_bytes(self, bars, screen):
        send(
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

    def test_events_outside_of_a_step_are_ignored(self, bars):
        send(
            bars,
            [FileBegan(Step.STAGE, WHEEL, 1), BytesMoved(Step.STAGE, WHEEL, 1), FileEnded(Step.STAGE, WHEEL)],
        )

    def test_events_from_many_threads_are_counted(self, bars):
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


class TestProgressOn:
    def test_terminal_gets_its_cursor_back_after_an_interrupt(self):
        screen = Screen(terminal=True)
        with suppress(KeyboardInterrupt), progress_on(screen.console) as show:
            send(show, [StepBegan(Step.STAGE, "staging", 1, 1_000)])
            raise KeyboardInterrupt
        hidden, shown = screen.text.rfind("\x1b[?25l"), screen.text.rfind("\x1b[?25h")
        assert -1 < hidden < shown

    def test_log_gets_lines(self):
        screen = Screen()
        with progress_on(screen.console) as show:
            send(show, staging_events())
        assert "\x1b" not in screen.text
        assert len(screen.lines) == 2

    def test_quiet_prints_nothing(self):
        screen = Screen(terminal=True)
        with progress_on(screen.console, quiet=True) as show:
            send(show, staging_events())
        assert screen.text == ""


def test_long_filename_does_not_hide_sizes_at_80_columns():
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
