"""What the worker processes of this machine run when they start."""

import signal


def dask_setup(_: object) -> None:
    """Ignore Ctrl-C, which a terminal sends to all processes: the coordinator ends the running tasks."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
