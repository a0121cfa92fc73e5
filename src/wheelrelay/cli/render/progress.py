"""Show the progress of a relay as lines in a log, and count files and bytes for every way to show it."""

import threading
from collections.abc import Callable, Iterator
from time import monotonic
from typing import TYPE_CHECKING

from rich.filesize import decimal

from wheelrelay.cli.option_names import with_option_names
from wheelrelay.cli.render.blocks import counted
from wheelrelay.cli.render.console import wraps_words
from wheelrelay.cli.render.tables import plan_table
from wheelrelay.events import (
    AwaitingFiles,
    BytesMoved,
    Event,
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

if TYPE_CHECKING:
    from wheelrelay.cli.render.console import AnyConsole

STATUS_INTERVAL = 10.0
"""Seconds between two status lines of the same step."""

AWAITING_INTERVAL = 60.0
"""Seconds between two lines that say the same about missing files."""

MAX_MISSING = 3
"""Missing files that a line names."""

STEP_VERBS = {
    Step.STAGE: "staging",
    Step.RESOLVE: "resolving",
    Step.TRY: "trying",
    Step.SIGN: "signing",
    Step.PUBLISH: "publishing",
    Step.CONFIRM: "confirming",
}

_PREPOSITIONS = {
    Step.STAGE: "from",
    Step.RESOLVE: "for",
    Step.TRY: "for",
    Step.SIGN: "with",
    Step.PUBLISH: "to",
    Step.CONFIRM: "at",
}


class StepProgress:
    """A progress function that counts the files and bytes of the current step; subclasses show them.

    It may be called by several threads at once. While a mirror publishes, it also stages; only events of the
    step that began last are counted.

    Args:
        console: shows the progress.
        clock: returns the time in seconds.
    """

    def __init__(self, console: "AnyConsole", *, clock: Callable[[], float] = monotonic) -> None:
        self._console = console
        self._clock = clock
        self._lock = threading.Lock()
        self._step: StepBegan | None = None
        self._files = 0
        self._bytes: dict[str, int] = {}
        self._errors: dict[str, list[str]] = {}
        self._uploading: set[str] = set()
        self._is_interrupted = False
        self._missing: tuple[str, ...] = ()
        self._missing_shown = 0.0

    def __call__(self, event: Event) -> None:
        """Count and show one event."""
        with self._lock:
            if self._is_interrupted:  # the receipt tells how each file ended
                return
            match event:
                case Planned():
                    self._console.print(plan_table(event.plan, every_file=False, findings=False))
                case AwaitingFiles():
                    self._show_missing(event)
                case StepBegan():
                    self._close_step(is_complete=False)
                    self._step = event
                    self._show_step(event)
                case Waiting():
                    self._print(f"{event.what}: {event.error} Retrying in {event.seconds:.1f} s.")
                case Interrupting():
                    self._is_interrupted = True
                    self._errors.clear()
                    self._show_interrupt(self._ending(event))
                case StepEnded():
                    self._close_step(is_complete=True)
                case _:
                    self._on_file_event(event)

    def _on_file_event(self, event: Event) -> None:
        match event:
            case FileBegan():
                if event.step is Step.PUBLISH:
                    self._uploading.add(event.filename)
                # A second attempt begins from zero, so the bytes of the first one no longer count.
                discarded = self._bytes.pop(event.filename, 0) if self._is_current(event.step) else 0
                self._show_file(event, discarded)
            case SizeKnown():
                self._show_size(event)
            case BytesMoved():
                if self._is_current(event.step):
                    self._bytes[event.filename] = self._bytes.get(event.filename, 0) + event.count
                self._show_bytes(event)
            case FileEnded():
                self._end_file(event)

    def close(self) -> None:
        """Stop showing a step that has not ended, after an error or an interrupt."""
        with self._lock:
            self._close_step(is_complete=False)

    def _is_current(self, step: Step) -> bool:
        return self._step is not None and self._step.step is step

    def _show_missing(self, event: AwaitingFiles) -> None:
        """Print what is missing if that has changed, and otherwise once a minute."""
        is_new = event.missing != self._missing
        if is_new or self._clock() - self._missing_shown >= AWAITING_INTERVAL:
            self._missing, self._missing_shown = event.missing, self._clock()
            self._print(f"{_missing(event)}; waiting for up to {_duration(event.seconds_left)}.")

    def _ending(self, event: Interrupting) -> str:
        """Return what happens after an interrupt, as the beginning of a sentence."""
        if not self._uploading:
            return "Stopping"
        return f"Finishing {counted(len(self._uploading), 'upload')} for up to {_duration(event.seconds)}"

    def _show_interrupt(self, ending: str) -> None:
        """Show what happens after an interrupt."""
        self._print(f"{ending}.")

    def _end_file(self, event: FileEnded) -> None:
        if event.step is Step.PUBLISH:
            self._uploading.discard(event.filename)
        if event.error:
            names = self._errors.setdefault(event.error.replace(event.filename, ""), [])
            names.append(event.filename)
            if len(names) == 1:  # the same error of other files is summarized at the end of the step
                self._print(f"{event.filename}: {event.error}")
        if self._is_current(event.step):
            self._files += 1
        self._show_file_end(event)

    def _close_step(self, *, is_complete: bool) -> None:
        for sentence in self._repeated_errors():
            self._print(sentence)
        if self._step:
            self._show_step_end(self._step, is_complete=is_complete)
        self._step = None
        self._files = 0
        self._bytes.clear()
        self._errors.clear()

    def _repeated_errors(self) -> Iterator[str]:
        for first, *others in self._errors.values():
            if others:
                files = "1 more file" if len(others) == 1 else f"{len(others)} more files"
                yield f"{files} failed with the same error as {first}."

    def _print(self, line: str) -> None:
        self._console.print(
            with_option_names(line), markup=False, highlight=False, soft_wrap=not wraps_words(self._console)
        )

    def _show_step(self, step: StepBegan) -> None:
        """Show that a step began."""

    def _show_file(self, event: FileBegan, discarded: int) -> None:
        """Show that an attempt at a file began; ``discarded`` bytes of the last attempt no longer count."""

    def _show_size(self, event: SizeKnown) -> None:
        """Show the size of a file whose listing has none."""

    def _show_bytes(self, event: BytesMoved) -> None:
        """Show that bytes were moved."""

    def _show_file_end(self, event: FileEnded) -> None:
        """Show that a file ended."""

    def _show_step_end(self, step: StepBegan, *, is_complete: bool) -> None:
        """Show that a step ended, or stop showing it if it is not complete."""


class PlainProgress(StepProgress):
    """Log lines: one for each step and each error, and a status line in long steps.

    Args:
        console: the console to write to.
        status_interval: seconds between two status lines of the same step.
        clock: returns the time in seconds.
        before_line: called before each line about a step.
    """

    def __init__(
        self,
        console: "AnyConsole",
        status_interval: float = STATUS_INTERVAL,
        *,
        clock: Callable[[], float] = monotonic,
        before_line: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(console, clock=clock)
        self._before_line = before_line
        self._status_interval = status_interval
        self._began = self._last_status = 0.0

    def _print(self, line: str) -> None:
        self._before_line()
        super()._print(line)

    def _show_step(self, step: StepBegan) -> None:
        del step
        self._began = self._last_status = self._clock()

    def _show_bytes(self, event: BytesMoved) -> None:
        if self._is_current(event.step):
            self._show_status()

    def _show_file_end(self, event: FileEnded) -> None:
        if self._is_current(event.step):
            self._show_status()

    def _show_status(self) -> None:
        if self._step and self._clock() - self._last_status >= self._status_interval:
            self._last_status = self._clock()
            total = f" of {decimal(self._step.size)}" if self._step.size else ""
            files = f"{self._files} of {counted(self._step.files)}"
            verb = STEP_VERBS[self._step.step].capitalize()
            self._print(f"{verb}: {files}, {decimal(sum(self._bytes.values()))}{total}")

    def _show_step_end(self, step: StepBegan, *, is_complete: bool) -> None:
        if not is_complete:
            return
        size = sum(self._bytes.values())
        moved = f" ({decimal(size)})" if size else ""
        verb, preposition = STEP_VERBS[step.step].capitalize(), _PREPOSITIONS[step.step]
        seconds = self._clock() - self._began
        self._print(f"{verb} {counted(step.files)} {preposition} {step.remote} took {seconds:.1f} s{moved}")


def _missing(event: AwaitingFiles) -> str:
    """Return which expected files are missing, without a full stop."""
    named = ", ".join(event.missing[:MAX_MISSING]).rstrip(".")
    if not event.expected:
        return named
    more = f" and {len(event.missing) - MAX_MISSING} more" if len(event.missing) > MAX_MISSING else ""
    return f"{event.present} of {event.expected} expected files found, missing {named}{more}"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
