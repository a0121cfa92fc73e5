"""What workers import: run a task, and report its progress to the client that submitted it."""

import pickle
from contextlib import suppress
from typing import Any

from distributed import get_worker

from wheelrelay.errors import WheelrelayError


def run_task(content: bytes, topic: str, number: int) -> tuple[bool, Any]:
    """Run a pickled task.

    Args:
        content: The task; it contains no secret.
        topic: The topic of the messages.
        number: The number of the task, which its messages repeat.

    Returns:
        Whether it succeeded, and its result or its error: raised errors would be written to the log.
    """
    worker = get_worker()

    def report(message: object) -> None:
        with suppress(Exception):  # progress is not worth an error
            worker.log_event(topic, pickle.dumps((number, message)))

    try:
        return True, pickle.loads(content)(report)  # noqa: S301  (the scheduler is trusted)
    except BaseException as error:  # noqa: BLE001  (it is the result)
        return False, _portable(error)


def _portable(error: BaseException) -> BaseException:
    """Return an error that can be sent: those of other libraries may not be pickled."""
    if isinstance(error, WheelrelayError):
        return error
    try:
        copy = pickle.loads(pickle.dumps(error))  # noqa: S301
    except Exception:  # noqa: BLE001
        return WheelrelayError(f"Unexpected {type(error).__name__}: {error}.")
    return copy if isinstance(copy, BaseException) else WheelrelayError(str(error))
