"""Faults that a test can set for requests to the test index, and the record of its uploads."""

import threading
from dataclasses import dataclass, field
from enum import Enum, auto
from time import monotonic


class Point(Enum):
    """A point where a request can be held."""

    ARRIVING = auto()  # an upload before its form is read
    RECEIVED = auto()  # an upload that was read, before it is accepted
    TAKEN = auto()  # an upload that was accepted, before the response
    PAGE = auto()  # a page of the Simple API, before it is created
    FILE = auto()  # a download of a distribution file


@dataclass(frozen=True, slots=True)
class Trouble:
    """A fault of one request.

    Attributes:
        status: the status of the response; if ``None``, the connection is reset.
        words: the reason.
        taken: whether the upload is accepted, so that only the response is lost.
        in_body: the number of bytes of an upload's body after which the connection is reset.
        retry_after: the header of this name.
    """

    status: int | None = None
    words: str = "Oh no"
    taken: bool = False
    in_body: int | None = None
    retry_after: str | None = None

    def headers(self) -> dict[str, str]:
        """The headers of the response."""
        return {} if self.retry_after is None else {"Retry-After": self.retry_after}


@dataclass(slots=True)
class Upload:
    """A recorded upload.

    Attributes:
        began: when it arrived, by the monotonic clock.
        filename: empty until the form is read.
        ended: when the response was sent, or the connection reset.
        status: that of the response; ``None`` if the connection was reset.
        words: the reason.
    """

    began: float = field(default_factory=monotonic)
    filename: str = ""
    ended: float | None = None
    status: int | None = None
    words: str = ""


class Hold:
    """Holds requests at one point, from a given number on, until they are released.

    Attributes:
        reached: set when a request waits.
    """

    def __init__(self, point: Point, filename: str, number: int) -> None:
        self.point = point
        self.filename = filename
        self.reached = threading.Event()
        self._passing = number - 1
        self._free = threading.Event()

    def await_reached(self, seconds: float = 30.0) -> None:
        """Wait until a request waits."""
        assert self.reached.wait(seconds), f"nothing came to {self.point}"

    def let_go(self) -> None:
        """Release all requests."""
        self._free.set()

    def meet(self, filename: str) -> bool:
        """Count a request, and return whether it is held."""
        if self._free.is_set() or self.filename not in ("", filename):
            return False
        self._passing -= 1
        return self._passing < 0

    def wait(self) -> None:
        """Wait until released."""
        self.reached.set()
        self._free.wait(60)


class Troubles:
    """The faults that are set; thread-safe."""

    def __init__(self) -> None:
        self._upload_troubles: list[tuple[str, Trouble]] = []
        self._page_troubles: list[Trouble] = []
        self._holds: list[Hold] = []
        self._troubling = threading.Lock()

    def trouble(self, filename: str, *troubles: Trouble) -> None:
        """Let the next uploads of a file fail; of any file if the name is empty."""
        with self._troubling:
            self._upload_troubles += [(filename, trouble) for trouble in troubles]

    def trouble_with_pages(self, *troubles: Trouble) -> None:
        """Let the next requests for pages of the Simple API fail, from the first upload on."""
        with self._troubling:
            self._page_troubles += troubles

    def calm(self) -> None:
        """Remove all faults."""
        with self._troubling:
            self._upload_troubles.clear()
            self._page_troubles.clear()

    def hold(self, point: Point, filename: str = "", *, number: int = 1) -> Hold:
        """Hold requests at a point.

        Args:
            point: the point.
            filename: hold only requests for this file; not for pages, or before the form is read.
            number: the first request that is held; the next request is number 1.
        """
        made = Hold(point, filename, number)
        with self._troubling:
            self._holds.append(made)
        return made

    def let_all_go(self) -> None:
        """End all holds."""
        with self._troubling:
            held, self._holds = self._holds, []
        for hold in held:
            hold.let_go()

    def next_trouble(self, filename: str, *, in_body: bool = False) -> Trouble | None:
        """Return the fault of this upload, if any.

        Args:
            filename: that of the upload; empty if unknown.
            in_body: whether to return a fault that occurs while the body is read.
        """
        with self._troubling:
            for one in self._upload_troubles:
                if one[0] in ("", filename) and (one[1].in_body is not None) is in_body:
                    self._upload_troubles.remove(one)
                    return one[1]
        return None

    def meet(self, point: Point, filename: str = "") -> None:
        """Wait while requests are held at a point."""
        with self._troubling:
            held = [hold for hold in self._holds if hold.point is point and hold.meet(filename)]
        for hold in held:
            hold.wait()

    def next_page_trouble(self) -> Trouble | None:
        """Return the fault of this page, if any."""
        with self._troubling:
            return self._page_troubles.pop(0) if self._page_troubles else None
