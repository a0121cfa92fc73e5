"""Tools that tests install once and keep, though several processes need them at the same time."""

import fcntl
from collections.abc import Callable
from pathlib import Path


def install_once(folder: Path, install: Callable[[Path], object]) -> Path:
    """Install a tool into ``folder`` unless that is done, and return the folder.

    Other processes wait. An installation that failed or was killed is repeated.

    Args:
        folder: the folder that belongs to the tool and its version.
        install: installs into the folder it receives, which may hold the remains of an earlier attempt.
    """
    folder.mkdir(parents=True, exist_ok=True)
    done = folder / "installed"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # ends with the process
        if not done.exists():
            install(folder)
            done.touch()
    return folder
