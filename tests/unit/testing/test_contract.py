"""The contract finds every fault out: each case has a mutant that fails on it, and what is honest passes."""

import hashlib
import inspect
import subprocess
import sys
from functools import partial
from textwrap import dedent

import pytest
from tests.unit.testing.mutants import (
    MUTANTS,
    BareSink,
    BareSource,
    LooksBeforeItLeaps,
    PagedStore,
    ShelfConfig,
    SinkWithInventory,
    SlowStore,
    WholeStore,
)

import wheelrelay.testing
from wheelrelay.model import Companion
from wheelrelay.testing import (
    ConfigContract,
    MemoryStore,
    SinkContract,
    SourceContract,
    StoreContract,
    stage_path,
    write_distribution,
)
from wheelrelay.testing.contract_material import at_once, look_at
from wheelrelay.testing.contract_store import fill

CASES = [
    case
    for contract in (SourceContract, SinkContract, StoreContract, ConfigContract)
    for name, case in vars(contract).items()
    if name.startswith("test_")
]
PAIRS = [(case, mutant) for case, mutants in MUTANTS.items() for mutant in mutants]


def name_of(value):
    return value.__name__


def run(case, subject_class, tmp_path):
    """Run one case of the contract on a new object of a class, as pytest does."""
    if issubclass(subject_class, ShelfConfig):
        return case(ConfigContract(), subject_class(token={"env": "SHELF_TOKEN"}))
    store = subject_class(tmp_path / "disk")
    workshop = tmp_path / "workshop"
    workshop.mkdir()
    fixtures = {
        "store": store,
        "sink": store,
        "serve": partial(fill, store, within=0),
        "look": partial(look_at, store),
        "workshop": workshop,
    }
    wanted = list(inspect.signature(case).parameters)[1:]
    return case(StoreContract(), **{name: fixtures[name] for name in wanted})


@pytest.fixture(autouse=True)
def token(monkeypatch):
    monkeypatch.setenv("SHELF_TOKEN", "the-value-of-the-token")


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_every_case_has_a_mutant(case):
    assert case in MUTANTS


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_an_honest_one_passes(case, tmp_path):
    run(case, ShelfConfig if case.__qualname__.startswith("Config") else WholeStore, tmp_path)


@pytest.mark.parametrize(("case", "mutant"), PAIRS, ids=name_of)
def test_a_mutant_fails(case, mutant, tmp_path):
    with pytest.raises((Exception, pytest.fail.Exception)):
        run(case, mutant, tmp_path)


class TestWholeStore(StoreContract):
    """A store with all capabilities passes."""

    @pytest.fixture
    def store(self, tmp_path):
        return WholeStore(tmp_path)


class TestPagedStore(StoreContract):
    """A store that is an index too passes."""

    @pytest.fixture
    def store(self, tmp_path):
        return PagedStore(tmp_path)


class TestSlowStore(StoreContract):
    """A store that takes its time to show what it took passes, if that is declared."""

    visible_within = 0.05

    @pytest.fixture
    def store(self):
        return SlowStore()


class TestBareSource(SourceContract):
    """A source without any capability passes."""

    @pytest.fixture
    def serve(self):
        return lambda folder: BareSource(fill(MemoryStore(), folder, within=0))


class TestSinkWithInventory(SinkContract):
    """A sink passes that gives no bytes back, but says what it holds."""

    @pytest.fixture
    def sink(self):
        return SinkWithInventory(MemoryStore())


class TestCarelessSink(SinkContract):
    """A sink passes that cannot be read and lets every rival win, if that is declared."""

    atomic = False

    @pytest.fixture
    def memory(self, tmp_path):
        return LooksBeforeItLeaps(tmp_path)

    @pytest.fixture
    def sink(self, memory):
        return BareSink(memory)

    @pytest.fixture
    def look(self, memory):
        return partial(look_at, memory)


def test_a_sink_that_cannot_be_read_needs_another_way_to_look():
    with pytest.raises(AssertionError, match="override the fixture `look`"):
        look_at(BareSink(MemoryStore()), "sample")


def test_a_foreign_error_in_a_thread_is_raised():
    with pytest.raises(ZeroDivisionError):
        at_once([lambda: 1 / 0])


def test_sample_files_have_the_very_name_and_each_seed_gives_other_bytes(tmp_path):
    one = write_distribution(tmp_path / "one", "Foo.Bar-1.0-1-py3-none-any.whl")
    same = write_distribution(tmp_path / "same", one.name)
    other = write_distribution(tmp_path / "other", one.name, seed=1)
    assert one.name == "Foo.Bar-1.0-1-py3-none-any.whl"
    assert one.read_bytes() == same.read_bytes() != other.read_bytes()


def test_a_path_is_staged_with_the_companions_beside_it(tmp_path):
    path = write_distribution(tmp_path, "sample-1.0.tar.gz")
    (tmp_path / "sample-1.0.tar.gz.asc").write_bytes(b"signed")
    staged = stage_path(path)
    assert staged.companions == (Companion(".asc", b"signed"),)
    assert staged.sha256 == staged.file.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    with staged.open() as stream:
        assert stream.read() == path.read_bytes()


def test_samples_and_the_store_in_memory_need_no_pytest():
    program = "import sys, wheelrelay.testing; sys.exit('pytest' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_there_is_nothing_else():
    with pytest.raises(AttributeError, match="no attribute 'Contract'"):
        _ = wheelrelay.testing.Contract


def test_the_documented_example_runs_and_its_failures_explain_themselves(tmp_path):
    (tmp_path / "test_shelf.py").write_text(documented_example())
    (tmp_path / "wheelrelay_shelf.py").write_text(SHELF)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    failed = [
        line.split()[1].split("::")[-1] for line in ran.stdout.splitlines() if line.startswith("FAILED")
    ]
    assert failed == ["test_an_empty_place_lists_nothing"]
    assert "Left contains one more item: DistFile(filename=" in ran.stdout


SHELF = """
from contextlib import nullcontext
from typing import Literal
from pydantic import Field
from wheelrelay.config import ContainerConfig, LocalPath
from wheelrelay.filenames import dist_file
from wheelrelay.testing import MemoryStore

class Shelf(MemoryStore):
    def iter_files(self, project):
        files = list(super().iter_files(project))
        return iter(files or [dist_file("foo-1.0.tar.gz")] if project is None else files)

class ShelfConfig(ContainerConfig):
    type: Literal["shelf"] = "shelf"
    path: LocalPath = Field(description="Where the shelf stands.")
    def open(self):
        return nullcontext(Shelf())
"""


def documented_example():
    _, _, rest = wheelrelay.testing.__doc__.partition("::\n")
    lines = rest.splitlines()
    end = next(n for n, line in enumerate(lines) if line and not line.startswith(" "))
    return dedent("\n".join(lines[:end]))
