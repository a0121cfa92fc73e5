"""What authors of backends run and build upon: the contract suite and sample distributions.

A backend is right when it passes the contract. Derive a class from `StoreContract`, `SourceContract` or
`SinkContract`, whichever role it plays, and another from `ConfigContract`; give each its one fixture, and
pytest runs all the cases. This is the whole test of a store::

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

Optional capabilities (`wheelrelay.protocols`) are found by ``isinstance``, and their cases take part then.
Where a place honestly differs, class attributes say so once: ``visible_within``, ``atomic`` and
``awkward_names``.

The contract classes need pytest: ``pip install 'wheelrelay[testing]'``. Sample distributions
(`make_wheel`, `make_sdist`), `stage_path` and `MemoryStore` do not.
"""

import sys
from importlib import import_module
from typing import TYPE_CHECKING

from wheelrelay.testing.contract_material import AWKWARD_NAMES, stage_path, write_distribution
from wheelrelay.testing.memory import MemoryStore
from wheelrelay.testing.samples import make_sdist, make_wheel

if TYPE_CHECKING:
    from wheelrelay.testing.contract_config import ConfigContract
    from wheelrelay.testing.contract_sink import SinkContract
    from wheelrelay.testing.contract_source import SourceContract
    from wheelrelay.testing.contract_store import StoreContract

__all__ = [
    "AWKWARD_NAMES",
    "ConfigContract",
    "MemoryStore",
    "SinkContract",
    "SourceContract",
    "StoreContract",
    "make_sdist",
    "make_wheel",
    "stage_path",
    "write_distribution",
]

_CONTRACTS = {
    "ConfigContract": f"{__name__}.contract_config",
    "SinkContract": f"{__name__}.contract_sink",
    "SourceContract": f"{__name__}.contract_source",
    "StoreContract": f"{__name__}.contract_store",
}


def __getattr__(name: str) -> object:
    """Import a contract when it is asked for: what else is here works without pytest."""
    if name not in _CONTRACTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import pytest

    pytest.register_assert_rewrite(*(module for module in _CONTRACTS.values() if module not in sys.modules))
    return getattr(import_module(_CONTRACTS[name]), name)
