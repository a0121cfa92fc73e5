"""List the files that a remote holds."""

import logging
import threading

from wheelrelay.api.reading import Requirements, name_of, opened_for_reading
from wheelrelay.config import RemoteLike
from wheelrelay.events import Event, Waiting
from wheelrelay.model import DistFile
from wheelrelay.protocols import Source, SupportsInventory
from wheelrelay.select import Selection, parse_requirement
from wheelrelay.source_files import select_from
from wheelrelay.transfer.retry import Retrier, RetryPolicy

logger = logging.getLogger(__name__)

ATTEMPTS = 3
"""Attempts to list a remote that fails: fewer than a relay makes, because a person waits for the answer."""


def list_files(
    remote: RemoteLike, requirements: Requirements = (), *, with_digests: bool = False
) -> list[DistFile]:
    """List the distribution files that a remote holds.

    Args:
        remote: The remote to list.
        requirements: Projects and versions to list. [default: all]
        with_digests: Return sha256 digests even if they must be computed by reading the files, for example
            in a directory.

    Raises:
        NothingMatched: No file matches. The hint lists the nearest names.
        ConfigError: The remote cannot be read.
        BackendError: The remote fails.
    """
    selection = Selection(requirements=tuple(parse_requirement(str(text)) for text in requirements))
    with opened_for_reading(remote) as source:
        retrier = Retrier(RetryPolicy(attempts=ATTEMPTS), _log_retry, threading.Event())
        return retrier.call(
            f"the files of {name_of(remote)}", lambda: _list(source, selection, with_digests=with_digests)
        )


def _log_retry(event: Event) -> None:
    if isinstance(event, Waiting):
        logger.warning("%s: %s Retrying in %.1f s.", event.what, event.error, event.seconds)


def _list(source: Source, selection: Selection, *, with_digests: bool) -> list[DistFile]:
    files = select_from(source, selection, one_version=False).files
    if with_digests and isinstance(source, SupportsInventory):
        hashed = {
            file.filename: file
            for project in sorted({file.project for file in files if file.sha256 is None})
            for file in source.inventory(project)
        }
        files = [hashed.get(file.filename, file) for file in files]
    return files
