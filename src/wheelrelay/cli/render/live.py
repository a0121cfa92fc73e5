"""Show a relay on a terminal while it runs, with moving bars."""

import threading

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.progress import Progress as Bars
from rich.table import Column

from wheelrelay.cli.render.tables import plan_table
from wheelrelay.cli.render.tally import Tally
from wheelrelay.cli.render.wording import VERBS, counted
from wheelrelay.events import (
    BytesMoved,
    Event,
    FileBegan,
    FileEnded,
    Planned,
    StepBegan,
    StepEnded,
    Waiting,
)


class LiveProgress:
    """One bar for the whole step and one for each transfer under way."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lock = threading.Lock()
        self._bars: Bars | None = None
        self._tally = Tally()
        self._whole: TaskID | None = None
        self._each: dict[str, TaskID] = {}

    def __call__(self, event: Event) -> None:
        """Show one event."""
        with self._lock:
            match event:
                case Planned():
                    self._console.print(plan_table(event.plan, every_file=False, findings=False))
                case StepBegan():
                    self._begin(event)
                case FileBegan():
                    self._file_began(event)
                case BytesMoved():
                    self._moved_on(event)
                case FileEnded():
                    self._file_ended(event)
                case Waiting():
                    said = f"{event.what}: {event.error} Trying again in {event.seconds:.1f} s."
                    (self._bars.console if self._bars else self._console).print(said, markup=False)
                case StepEnded():
                    self._end()

    def close(self) -> None:
        """Take the bars away, and give the cursor back, also where a step came to no end."""
        with self._lock:
            self._end()

    def _begin(self, event: StepBegan) -> None:
        self._end()
        self._bars = Bars(
            TextColumn("{task.description}", table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis")),
            BarColumn(bar_width=min(24, self._console.width // 8)),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            expand=True,
        )
        self._bars.start()
        self._tally.begin(event)
        self._whole = self._bars.add_task(self._title(event), total=event.size or None)

    def _title(self, step: StepBegan) -> str:
        files = f"{self._tally.files} of {counted(step.files)}"
        return f"[bold]{VERBS[step.step]}[/] {files}, {escape(step.remote)}"

    def _file_began(self, event: FileBegan) -> None:
        if self._bars is None:
            return
        if event.filename in self._each:  # another attempt: take back what the first one had counted
            self._take_back(event.filename)
        else:
            self._each[event.filename] = self._bars.add_task(f"  {escape(event.filename)}", total=event.size)

    def _take_back(self, filename: str) -> None:
        assert self._bars is not None
        assert self._whole is not None
        self._bars.advance(self._whole, -self._tally.take_back(filename))
        self._bars.update(self._each[filename], completed=0)

    def _moved_on(self, event: BytesMoved) -> None:
        if self._bars is None or self._whole is None:
            return
        if self._tally.is_about(event.step):
            self._tally.add(event.filename, event.count)
            self._bars.advance(self._whole, event.count)
        if event.filename in self._each:
            self._bars.advance(self._each[event.filename], event.count)

    def _file_ended(self, event: FileEnded) -> None:
        if self._bars is None:
            return
        if event.filename in self._each:
            self._bars.remove_task(self._each.pop(event.filename))
        step = self._tally.step
        if self._whole is not None and step and self._tally.is_about(event.step):
            self._tally.files += 1
            self._bars.update(self._whole, description=self._title(step))
        if event.error and self._tally.is_new_error(event):
            self._bars.console.print(f"{event.filename}: {event.error}", markup=False, highlight=False)

    def _end(self) -> None:
        if self._bars is not None:
            self._bars.stop()
        for sentence in self._tally.repeated_errors():
            self._console.print(sentence, markup=False, highlight=False)
        self._bars, self._whole = None, None
        self._each.clear()
        self._tally.end()
