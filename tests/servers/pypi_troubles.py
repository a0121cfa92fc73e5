"""What a test can do to the requests that the test index gets, and what the index notes of them."""

import threading
from dataclasses import dataclass, field
from enum import Enum, auto
from time import monotonic


class Point(Enum):
    """Where on its way a request can be held."""

    ARRIVING = auto()  # an upload whose form was not read yet
    RECEIVED = auto()  # an upload that was read and not taken yet
    TAKEN = auto()  # an upload that was taken and not answered yet
    PAGE = auto()  # a page of the Simple API, before it is made
    FILE = auto()  # a distribution file that is fetched


@dataclass(frozen=True, slots=True)
class Trouble:
    """What goes wrong with one request.

    Attributes:
        status: what is answered; the connection is reset if there is none.
        words: the reason.
        taken: an upload is taken all the same, and only the answer lost.
        in_body: the connection is reset after so many bytes of an upload's body.
        retry_after: the header of this name.
    """

    status: int | None = None
    words: str = "Oh no"
    taken: bool = False
    in_body: int | None = None
    retry_after: str | None = None

    def headers(self) -> dict[str, str]:
        """What goes with the answer."""
        return {} if self.retry_after is None else {"Retry-After": self.retry_after}


@dataclass(slots=True)
class Upload:
    """An upload in the diary.

    Attributes:
        began: when it came in, by the monotonic clock.
        filename: empty until the form was read.
        ended: when it was answered, or the connection reset.
        status: what was answered; nothing if the connection was reset.
        words: the reason.
    """

    began: float = field(default_factory=monotonic)
    filename: str = ""
    ended: float | None = None
    status: int | None = None
    words: str = ""


class Hold:
    """Requests at one point wait here, from the one of some number on, until they are let go.

    Attributes:
        reached: set when a request has come to wait.
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
        """Hold nothing any more."""
        self._free.set()

    def meet(self, filename: str) -> bool:
        """Whether a request that comes by has to wait; counts it."""
        if self._free.is_set() or self.filename not in ("", filename):
            return False
        self._passing -= 1
        return self._passing < 0

    def wait(self) -> None:
        """Wait until let go."""
        self.reached.set()
        self._free.wait(60)


class Troubles:
    """What is to go wrong, for any number of threads."""

    def __init__(self) -> None:
        self._upload_troubles: list[tuple[str, Trouble]] = []
        self._page_troubles: list[Trouble] = []
        self._holds: list[Hold] = []
        self._troubling = threading.Lock()

    def trouble(self, filename: str, *troubles: Trouble) -> None:
        """Let the next uploads of a file, of any if it is empty, go wrong."""
        with self._troubling:
            self._upload_troubles += [(filename, trouble) for trouble in troubles]

    def trouble_with_pages(self, *troubles: Trouble) -> None:
        """Let the next requests for pages of the Simple API go wrong, from the first upload on."""
        with self._troubling:
            self._page_troubles += troubles

    def calm(self) -> None:
        """Let nothing go wrong any more."""
        with self._troubling:
            self._upload_troubles.clear()
            self._page_troubles.clear()

    def hold(self, point: Point, filename: str = "", *, number: int = 1) -> Hold:
        """Hold requests at a point of their way.

        Args:
            point: where.
            filename: hold only requests about this file; not for pages, or where the form is not read yet.
            number: the first that is held, counted from 1 on and from now on.
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
        """What goes wrong with this upload.

        Args:
            filename: of the upload; empty if it is not known yet.
            in_body: whether to ask for what goes wrong before the body is read.
        """
        with self._troubling:
            for one in self._upload_troubles:
                if one[0] in ("", filename) and (one[1].in_body is not None) is in_body:
                    self._upload_troubles.remove(one)
                    return one[1]
        return None

    def meet(self, point: Point, filename: str = "") -> None:
        """Wait for as long as requests are held at a point."""
        with self._troubling:
            held = [hold for hold in self._holds if hold.point is point and hold.meet(filename)]
        for hold in held:
            hold.wait()

    def next_page_trouble(self) -> Trouble | None:
        """What goes wrong with this page."""
        with self._troubling:
            return self._page_troubles.pop(0) if self._page_troubles else None
