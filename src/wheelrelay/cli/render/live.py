"""Show the progress of a relay on a terminal, with moving bars."""

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
from rich.progress import Progress as ProgressBars
from rich.table import Column

from wheelrelay.cli.render.blocks import counted
from wheelrelay.cli.render.progress import STEP_VERBS, StepProgress
from wheelrelay.events import BytesMoved, FileBegan, FileEnded, StepBegan


class LiveProgress(StepProgress):
    """One bar for the step, and one for each file that is being transferred."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._width = console.width
        self._rich_console = console
        self._bars: ProgressBars | None = None
        self._step_bar: TaskID | None = None
        self._file_bars: dict[str, TaskID] = {}

    def _show_step(self, step: StepBegan) -> None:
        self._bars = ProgressBars(
            TextColumn("{task.description}", table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis")),
            BarColumn(bar_width=min(24, self._width // 8)),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=self._rich_console,
            transient=True,
            expand=True,
        )
        self._bars.start()
        self._step_bar = self._bars.add_task(self._title(step), total=step.size or None)

    def _title(self, step: StepBegan) -> str:
        files = f"{self._files} of {counted(step.files)}"
        return f"[bold]{STEP_VERBS[step.step].capitalize()}[/] {files}, {escape(step.remote)}"

    def _show_file(self, event: FileBegan, discarded: int) -> None:
        if self._bars is None or self._step_bar is None:
            return
        self._bars.advance(self._step_bar, -discarded)
        if event.filename in self._file_bars:
            self._bars.update(self._file_bars[event.filename], completed=0)
        else:
            bar = self._bars.add_task(f"  {escape(event.filename)}", total=event.size)
            self._file_bars[event.filename] = bar

    def _show_bytes(self, event: BytesMoved) -> None:
        if self._bars is None or self._step_bar is None:
            return
        if self._is_current(event.step):
            self._bars.advance(self._step_bar, event.count)
        if event.filename in self._file_bars:
            self._bars.advance(self._file_bars[event.filename], event.count)

    def _show_file_end(self, event: FileEnded) -> None:
        if self._bars is None or self._step_bar is None:
            return
        if event.filename in self._file_bars:
            self._bars.remove_task(self._file_bars.pop(event.filename))
        if self._step and self._is_current(event.step):
            self._bars.update(self._step_bar, description=self._title(self._step))

    def _show_step_end(self, step: StepBegan, *, is_complete: bool) -> None:
        del step, is_complete
        if self._bars is not None:
            self._bars.stop()
        self._bars = self._step_bar = None
        self._file_bars.clear()
