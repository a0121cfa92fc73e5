"""What has been moved so far in the step of a relay that is under way."""

from collections.abc import Iterator

from wheelrelay.events import FileEnded, Step, StepBegan


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
        self._failed: dict[str, list[str]] = {}

    def begin(self, step: StepBegan) -> None:
        """Count for a new step."""
        self.end()
        self.step = step

    def end(self) -> None:
        """Count for none."""
        self.step = None
        self.files = 0
        self._moved.clear()
        self._failed.clear()

    def is_about(self, step: Step) -> bool:
        """Whether the step under way is this one; while a mirror publishes, it stages as well."""
        return self.step is not None and self.step.step is step

    def add(self, filename: str, count: int) -> None:
        """Note that bytes of a file have moved."""
        self._moved[filename] = self._moved.get(filename, 0) + count

    def take_back(self, filename: str) -> int:
        """Forget the bytes of a file, of which another attempt begins; gives how many there were."""
        return self._moved.pop(filename, 0)

    def is_new_error(self, event: FileEnded) -> bool:
        """Note the error of a file; whether no other file of this step has failed in the same way."""
        names = self._failed.setdefault((event.error or "").replace(event.filename, ""), [])
        names.append(event.filename)
        return len(names) == 1

    def repeated_errors(self) -> Iterator[str]:
        """A sentence for each error that several files of this step have failed with."""
        for first, *others in self._failed.values():
            if others:
                files = "1 more file" if len(others) == 1 else f"{len(others)} more files"
                yield f"{files} failed with the same error as {first}."

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(self._moved.values())
