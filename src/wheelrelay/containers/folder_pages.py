"""Find out whether a place stores objects whose names end in ``/``."""

from contextlib import suppress
from threading import Lock

from wheelrelay.containers.objects import Objects
from wheelrelay.errors import AlreadyExists, AuthenticationFailed, BackendError

FOLDER = ".wheelrelay-folder/"
"""An object that exists if the place stores objects of such names and does not turn them into folders."""

MAX_ATTEMPTS = 3
"""How often to try to write `FOLDER` after temporary failures: some servers answer 500 to it every time."""

_CONTENT = b"wheelrelay keeps this object to find out what this server can do; it may be deleted.\n"


class FolderPages:
    """Whether a place can store a page under the name of its folder; tested once, with a small object.

    Args:
        objects: The objects of the place.
    """

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._lock = Lock()
        self._are_kept: bool | None = None
        self._failures = 0

    def are_kept(self) -> bool:
        """Return whether the place stores such an object with its bytes.

        A place that refuses such a name with any error does not.

        Raises:
            BackendError: The place failed, so that this is unknown.
        """
        with self._lock:
            if self._are_kept is None:
                self._are_kept = self._exists() or self._can_create()
            return self._are_kept

    def _exists(self) -> bool:
        try:
            return self._objects.stat_object(FOLDER).size == len(_CONTENT)
        except BackendError as error:
            if error.retryable or isinstance(error, AuthenticationFailed):
                raise
            return False

    def _can_create(self) -> bool:
        try:
            with suppress(AlreadyExists):
                self._objects.create_object(FOLDER, _CONTENT, content_type="text/plain", metadata={})
            return self._exists()
        except AuthenticationFailed:
            raise
        except BackendError as error:
            self._failures += 1
            if error.retryable and self._failures < MAX_ATTEMPTS:
                raise
            return False
