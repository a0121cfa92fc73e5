"""Call a function for many pages in parallel, to hide the latency of each request."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

PAGE_THREADS = 8
"""Number of pages that are read or written in parallel."""

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def map_parallel(function: Callable[[_Item], _Result], items: Sequence[_Item]) -> list[_Result]:
    """Return the results of ``function`` for all items, in their order.

    The first error is raised as soon as the calls that are running have ended; the other calls do not start.
    """
    if len(items) < 2:
        return [function(item) for item in items]
    with ThreadPoolExecutor(min(PAGE_THREADS, len(items)), thread_name_prefix="wheelrelay-pages") as pool:
        return list(pool.map(function, items))
