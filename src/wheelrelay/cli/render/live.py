"""Show the progress of a relay on a terminal, with moving bars."""

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.progress import (
    BarColumn,
    DownloadColumn,
    ProgressColumn,
    Task,
    TaskID,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.progress import Progress as ProgressBars
from rich.table import Column
from rich.text import Text

from wheelrelay.cli.render.blocks import counted
from wheelrelay.cli.render.names import ASCII_ELLIPSIS, ELLIPSIS, shortened
from wheelrelay.cli.render.progress import STEP_VERBS, StepProgress
from wheelrelay.events import BytesMoved, FileBegan, FileEnded, SizeKnown, StepBegan

WIDE = 100
"""Columns of a terminal from which on bars and speeds are shown: a narrow one shows only names and sizes."""


class LiveProgress(StepProgress):
    """One bar for the step, and one for each file that is being transferred."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._rich_console = console
        self._bars: _Bars | None = None
        self._step_bar: TaskID | None = None
        self._file_bars: dict[str, TaskID] = {}

    def _show_step(self, step: StepBegan) -> None:
        self._bars = _bars(self._rich_console)
        self._bars.start()
        self._step_bar = self._bars.add_task(self._title(step), total=step.size or None)

    def _title(self, step: StepBegan) -> str:
        files = f"{self._files} of {counted(step.files)}"
        return f"{STEP_VERBS[step.step].capitalize()} {files}, {step.remote}"

    def _show_file(self, event: FileBegan, discarded: int) -> None:
        if self._bars is None or self._step_bar is None:
            return
        self._bars.advance(self._step_bar, -discarded)
        if event.filename in self._file_bars:
            self._bars.update(self._file_bars[event.filename], completed=0)
        else:
            bar = self._bars.add_task("", total=event.size, filename=event.filename)
            self._file_bars[event.filename] = bar

    def _show_size(self, event: SizeKnown) -> None:
        if self._bars is not None and event.filename in self._file_bars:
            self._bars.update(self._file_bars[event.filename], total=event.size)

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
        self._stop_bars()

    def _show_interrupt(self, ending: str) -> None:
        self._stop_bars()
        self._print(f"{ending}; press Ctrl-C again to stop now.")

    def _stop_bars(self) -> None:
        if self._bars is not None:
            self._bars.stop()
        self._bars = self._step_bar = None
        self._file_bars.clear()


class _NameColumn(ProgressColumn):
    """The title of a step, or the name of a file, shortened to the width of the terminal."""

    max_refresh = None

    def render(self, task: Task) -> "_Name":
        """Return what is drawn for one bar."""
        filename = task.fields.get("filename")
        return _Name(filename, "") if filename else _Name(task.description, "bold")


class _Name:
    """A name within a column: that of a file is indented, and keeps its tags."""

    def __init__(self, text: str, style: str) -> None:
        self._text = text
        self._style = style

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> RenderResult:
        """Draw it within the width of its column."""
        ellipsis = ASCII_ELLIPSIS if options.ascii_only else ELLIPSIS
        if self._style:
            yield Text(self._text, self._style, no_wrap=True, overflow="ellipsis")
        else:
            name = shortened(self._text, options.max_width - 2, ellipsis=ellipsis)
            yield Text(f"  {name}", no_wrap=True, overflow="crop")


class _Bars(ProgressBars):
    """Bars that leave the last column free: some terminals begin a new line after it."""

    def get_renderable(self) -> RenderableType:
        """Return what is drawn."""
        return _WithMargin(super().get_renderable())


class _WithMargin:
    """Something that is drawn without the last column."""

    def __init__(self, content: RenderableType) -> None:
        self._content = content

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw it."""
        yield from console.render(self._content, options.update_width(max(options.max_width - 1, 1)))


def _bars(console: Console) -> _Bars:
    is_wide = console.width >= WIDE
    return _Bars(
        _NameColumn(table_column=Column(ratio=1, no_wrap=True)),
        *([BarColumn(bar_width=min(24, console.width // 8))] if is_wide else []),
        DownloadColumn(),
        *([TransferSpeedColumn()] if is_wide else []),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        expand=True,
    )
