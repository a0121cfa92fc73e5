"""The names that a package offers, each imported when it is first used, so that programs start at once."""

from collections.abc import Callable, Collection, Sequence
from importlib import import_module
from typing import Any


def offered(package: str, modules: Sequence[str], names: Collection[str]) -> Callable[[str], Any]:
    """A package's ``__getattr__`` (PEP 562).

    Args:
        package: the package's name.
        modules: where its names are looked for, in this order; what is cheap to import comes first.
        names: what it offers.
    """

    def offer(name: str) -> Any:
        if name in names:
            for module in modules:
                home = import_module(f"{package}.{module}")
                if hasattr(home, name):
                    return getattr(home, name)
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return offer
