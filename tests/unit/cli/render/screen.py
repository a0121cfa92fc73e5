"""Consoles whose output tests can read."""

from io import StringIO

from rich.console import Console


class Screen:
    """A console whose output can be read."""

    def __init__(self, width: int = 100, *, terminal: bool = False) -> None:
        self._file = StringIO()
        self.console = Console(file=self._file, width=width, force_terminal=terminal, highlight=False)

    def show(self, what: object) -> str:
        """Print ``what`` and return all text so far."""
        self.console.print(what)
        return self.text

    @property
    def text(self) -> str:
        """Everything that was printed so far."""
        return self._file.getvalue()

    @property
    def lines(self) -> list[str]:
        """The same by line, without trailing blanks."""
        return [line.rstrip() for line in self.text.splitlines()]
