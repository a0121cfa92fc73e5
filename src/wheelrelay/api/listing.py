"""Look at what is somewhere."""

import logging
import threading

from wheelrelay.api.reading import Requirements, readable
from wheelrelay.config import RemoteLike, as_remote
from wheelrelay.engine.choosing import chosen_files
from wheelrelay.events import Event, Waiting
from wheelrelay.model import DistFile
from wheelrelay.protocols import Source, SupportsInventory
from wheelrelay.select import Selection, parse_requirement
from wheelrelay.transfer.retry import Retrier, RetryPolicy

logger = logging.getLogger(__name__)

LOOKS = 3
"""How often to look at a place that fails: somebody is waiting for the answer."""


def list_files(
    remote: RemoteLike, requirements: Requirements = (), *, with_digests: bool = False
) -> list[DistFile]:
    """What is there.

    Args:
        remote: where to look.
        requirements: which projects and versions; none means all that is there.
        with_digests: ask for digests also where that means reading the files, as in a directory.

    Raises:
        NothingMatched: there is none; says what comes nearest.
        ConfigError: the remote cannot be read.
        BackendError: the remote fails.
    """
    selection = Selection(requirements=tuple(parse_requirement(str(wanted)) for wanted in requirements))
    place = as_remote(remote)
    with readable(place) as source:
        retrier = Retrier(RetryPolicy(attempts=LOOKS), _warn_of_pause, threading.Event())
        return retrier.call(
            f"the files of {place.name}", lambda: _read(source, selection, with_digests=with_digests)
        )


def _warn_of_pause(event: Event) -> None:
    if isinstance(event, Waiting):
        logger.warning("%s: %s Trying again in %.1f s.", event.what, event.error, event.seconds)


def _read(source: Source, selection: Selection, *, with_digests: bool) -> list[DistFile]:
    files = chosen_files(source, selection, one_version=False)
    if with_digests and isinstance(source, SupportsInventory):
        known = {
            file.filename: file
            for project in sorted({file.project for file in files if file.sha256 is None})
            for file in source.inventory(project)
        }
        files = [known.get(file.filename, file) for file in files]
    return files
