"""One process of a Swift cluster, or the creation of its rings; `tests.servers.swift` runs this as a script.

Swift's own commands read the limits of a cluster only from ``/etc/swift``, and require memcached for their
tokens. This script reads them from any folder, and `filter_factory` replaces memcached by the memory of the
only process that uses it.
"""

import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

FORGET = "/forget"
"""The path at which a proxy empties its cache."""


class MemoryCache:
    """The part of Swift's memcached client that a proxy uses, in the memory of one process."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[Any, float]] = {}

    def get(self, key: str, *_: Any, **__: Any) -> Any:
        value, end = self._kept.get(key, (None, 0.0))
        return None if end and end < time.time() else value

    def set(self, key: str, value: Any, *_: Any, time: float = 0, **__: Any) -> None:
        self._kept[key] = (value, _now() + time if time else 0.0)

    def incr(self, key: str, delta: int = 1, *_: Any, time: float = 0, **__: Any) -> int:
        value = int(self.get(key) or 0) + delta
        self.set(key, value, time=time)
        return value

    def delete(self, key: str, *_: Any, **__: Any) -> None:
        self._kept.pop(key, None)

    def set_multi(self, mapping: dict[str, Any], *_: Any, time: float = 0, **__: Any) -> None:
        for key, value in mapping.items():
            self.set(key, value, time=time)

    def clear(self) -> None:
        self._kept.clear()

    def get_multi(self, keys: Iterable[str], *_: Any, **__: Any) -> list[Any]:
        return [self.get(key) for key in keys]


def _now() -> float:
    return time.time()


def filter_factory(_: Any, **__: Any) -> Callable[[Any], Any]:
    """Return a paste filter that adds one cache to each request's environment, or empties it."""
    cache = MemoryCache()

    def make(app: Any) -> Any:
        def call(environ: dict[str, Any], start_response: Any) -> Any:
            environ["swift.cache"] = cache
            if environ["PATH_INFO"] == FORGET:
                cache.clear()
            return app(environ, start_response)

        return call

    return make


def make_rings(folder: Path, ports: dict[str, int]) -> None:
    """Write the rings of a cluster of one device."""
    from swift.common.ring import RingBuilder

    for kind, port in ports.items():
        builder = RingBuilder(4, 1, 0)
        device = {"region": 1, "zone": 1, "ip": "127.0.0.1", "port": port, "device": "d1", "weight": 1.0}
        builder.add_dev(device | {"replication_ip": "127.0.0.1", "replication_port": port, "meta": ""})
        builder.rebalance()
        builder.get_ring().save(str(folder / f"{kind}.ring.gz"))


def fill(folder: Path, container: str, names: Iterable[str]) -> None:
    """Add objects of one byte to a container's listing, a quick way to create many.

    They exist only in the listing and have no content.
    """
    from swift.common.utils import Timestamp
    from swift.container.backend import ContainerBroker

    what = {"size": 1, "content_type": "application/octet-stream", "etag": "0" * 32, "deleted": 0}
    entry = {**what, "created_at": Timestamp.now().internal, "storage_policy_index": 0}
    for database in (folder / "devices" / "d1" / "containers").rglob("*.db"):
        broker = ContainerBroker(str(database))
        if broker.get_info()["container"] == container:
            broker.merge_items([{**entry, "name": name} for name in names])


def serve(folder: Path, kind: str) -> None:
    """Run the ``account``, ``container``, ``object`` or ``proxy`` server until it is stopped."""
    from importlib import import_module

    from swift.common import constraints, utils

    utils.set_swift_dir(str(folder))
    constraints.reload_constraints()
    sys.argv = [f"swift-{kind}-server", str(folder / f"{kind}-server.conf"), "--verbose"]
    sys.exit(import_module(f"swift.{kind}.server" if kind != "object" else "swift.obj.server").main())


if __name__ == "__main__":
    what, where, *rest = sys.argv[1:]
    if what == "rings":
        make_rings(Path(where), {kind: int(port) for kind, port in (word.split("=") for word in rest)})
    elif what == "fill":
        fill(Path(where), rest[0], sys.stdin.read().splitlines())
    else:
        serve(Path(where), what)
