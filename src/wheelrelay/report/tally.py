"""What has been moved so far in the step of a relay that is under way."""

from wheelrelay.steps.events import Step, StepBegan


class Tally:
    """Counts files and bytes of one step after the other.

    Attributes:
        step: the step that is under way, if one is.
        files: how many have come to their end in it.
    """

    def __init__(self) -> None:
        self.step: StepBegan | None = None
        self.files = 0
        self._moved: dict[str, int] = {}

    def begin(self, step: StepBegan) -> None:
        """Count for a new step."""
        self.end()
        self.step = step

    def end(self) -> None:
        """Count for none."""
        self.step = None
        self.files = 0
        self._moved.clear()

    def is_about(self, step: Step) -> bool:
        """Whether the step under way is this one; while a mirror publishes, it stages as well."""
        return self.step is not None and self.step.step is step

    def add(self, filename: str, count: int) -> None:
        """Note that bytes of a file have moved."""
        self._moved[filename] = self._moved.get(filename, 0) + count

    def take_back(self, filename: str) -> int:
        """Forget the bytes of a file, of which another attempt begins; gives how many there were."""
        return self._moved.pop(filename, 0)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(self._moved.values())
