"""Import the public names of a package on first use, to keep the start-up time short."""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any


def lazy_names(package: str, modules: Mapping[str, Sequence[str]]) -> Callable[[str], Any]:
    """Return the ``__getattr__`` function of a package (PEP 562).

    Args:
        package: The name of the package.
        modules: The names to import from each module, by full module name.

    Raises:
        AttributeError: Raised by the returned function for unknown names.
    """
    module_of = {name: module for module, names in modules.items() for name in names}

    def get(name: str) -> Any:
        if name not in module_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(module_of[name]), name)

    return get
