"""Divide relays among the workers of an engine; this process plans, decides, and writes index pages."""

from collections.abc import Callable
from functools import partial

from wheelrelay.api.coordination.access import EngineAccess
from wheelrelay.api.coordination.mirroring import mirror_on
from wheelrelay.api.coordination.releasing import release_on
from wheelrelay.api.coordination.verifying import reading_on
from wheelrelay.api.coordination.versions import versions_of_engine
from wheelrelay.api.options import PublishOptions
from wheelrelay.config import EngineLike, Route
from wheelrelay.engine.context import RelayRequest
from wheelrelay.engine.recording import ReceiptRecorder
from wheelrelay.model import Mode
from wheelrelay.records import Receipt

__all__ = ["reading_on", "relay_on", "versions_of_engine"]


def relay_on(
    engine: EngineLike, route: Route, options: PublishOptions
) -> Callable[[RelayRequest, ReceiptRecorder], Receipt]:
    """Return the function that relays a connected route on the workers of an engine."""
    move = mirror_on if route.mode is Mode.MIRROR else release_on
    return partial(move, EngineAccess(engine), route, options)
