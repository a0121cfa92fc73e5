"""Tools for authors of backends: the contract suite and sample distributions.

A backend is correct if it passes the contract. Derive one class from `StoreContract`, `SourceContract` or
`SinkContract`, depending on its role, and one from `ConfigContract`. Give each class its one fixture, and
pytest runs all cases. This is the complete test of a store::

    import pytest
    from wheelrelay.testing import ConfigContract, StoreContract
    from wheelrelay_shelf import ShelfConfig


    class TestShelf(StoreContract):
        @pytest.fixture
        def store(self, tmp_path):
            with ShelfConfig(path=tmp_path).open() as store:
                yield store


    class TestShelfConfig(ConfigContract):
        @pytest.fixture
        def config(self, tmp_path):
            return ShelfConfig(path=tmp_path)

A container is a store that `wheelrelay.containers` builds on the operations of `Objects`. `ObjectsContract`
tests these operations, and `StoreContract` the store.

Optional capabilities (`wheelrelay.protocols`) are detected by ``isinstance``, and their cases then run too.
Class attributes declare known limits of a place: ``visible_within``, ``atomic`` and ``awkward_names``.

The contract classes need pytest: ``pip install 'wheelrelay[testing]'``. The rest does not: sample
distributions (`make_wheel`, `make_sdist`), `stage_path`, `MemoryStore` and `ThreadEngine`.
"""

import sys
from typing import TYPE_CHECKING, Any

from wheelrelay.exports import lazy_names

if TYPE_CHECKING:
    from wheelrelay.testing.contract_config import ConfigContract
    from wheelrelay.testing.contract_helpers import AWKWARD_NAMES, stage_path, write_distribution
    from wheelrelay.testing.contract_objects import ObjectsContract
    from wheelrelay.testing.contract_sink import SinkContract
    from wheelrelay.testing.contract_source import SourceContract
    from wheelrelay.testing.contract_store import StoreContract
    from wheelrelay.testing.engine import ThreadEngine
    from wheelrelay.testing.memory import MemoryStore
    from wheelrelay.testing.samples import make_sdist, make_wheel

__all__ = [
    "AWKWARD_NAMES",
    "ConfigContract",
    "MemoryStore",
    "ObjectsContract",
    "SinkContract",
    "SourceContract",
    "StoreContract",
    "ThreadEngine",
    "make_sdist",
    "make_wheel",
    "stage_path",
    "write_distribution",
]

_CONTRACT_MODULES = {
    "wheelrelay.testing.contract_config": ("ConfigContract",),
    "wheelrelay.testing.contract_objects": ("ObjectsContract",),
    "wheelrelay.testing.contract_sink": ("SinkContract",),
    "wheelrelay.testing.contract_source": ("SourceContract",),
    "wheelrelay.testing.contract_store": ("StoreContract",),
}
_MODULES = {
    **_CONTRACT_MODULES,
    "wheelrelay.testing.contract_helpers": ("AWKWARD_NAMES", "stage_path", "write_distribution"),
    "wheelrelay.testing.engine": ("ThreadEngine",),
    "wheelrelay.testing.memory": ("MemoryStore",),
    "wheelrelay.testing.samples": ("make_sdist", "make_wheel"),
}
_import = lazy_names(__name__, _MODULES)


def __getattr__(name: str) -> Any:
    """Import a public name on first use, so that only the contract classes need pytest."""
    if any(name in names for names in _CONTRACT_MODULES.values()):
        import pytest

        # pytest explains failed assertions only in modules that are registered before their first import.
        pytest.register_assert_rewrite(*(module for module in _CONTRACT_MODULES if module not in sys.modules))
    return _import(name)
