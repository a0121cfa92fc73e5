"""A console as rich has it, for terminals: with colours, and as wide as the terminal is."""

from rich.console import Console

from wheelrelay.cli.render.streams import give_up


class PatientConsole(Console):
    """A console that falls silent when its reader has gone away."""

    def on_broken_pipe(self) -> None:
        """Show nothing any more."""
        self.quiet = True
        give_up(self.file)
