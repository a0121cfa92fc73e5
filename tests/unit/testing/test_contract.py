"""Each case of the contract has a mutant that fails it, and honest backends pass all cases."""

import hashlib
import inspect
import subprocess
import sys
from functools import partial
from textwrap import dedent

import pytest
from tests.unit.testing import sink_mutants, source_mutants, store_and_config_mutants
from tests.unit.testing.honest_backends import (
    MUTANTS,
    BareSink,
    BareSource,
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
from wheelrelay.testing.contract_helpers import read_digests, run_concurrently
from wheelrelay.testing.contract_store import fill

CASES = [
    case
    for contract in (SourceContract, SinkContract, StoreContract, ConfigContract)
    for name, case in vars(contract).items()
    if name.startswith("test_")
]
MUTANT_MODULES = (source_mutants, sink_mutants, store_and_config_mutants)  # importing them fills `MUTANTS`
PAIRS = [(case, mutant) for case, mutants in MUTANTS.items() for mutant in mutants]


def name_of(value):
    return value.__name__


def run(case, subject_class, tmp_path):
    """Run one case of the contract on a new object of a class, as pytest does."""
    if issubclass(subject_class, ShelfConfig):
        return case(ConfigContract(), subject_class(token={"env": "SHELF_TOKEN"}))
    store = subject_class(tmp_path / "disk")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    fixtures = {
        "store": store,
        "sink": store,
        "serve": partial(fill, store, within=0),
        "read_back": partial(read_digests, store),
        "scratch": scratch,
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
def test_honest_backend_passes(case, tmp_path):
    run(case, ShelfConfig if case.__qualname__.startswith("Config") else WholeStore, tmp_path)


@pytest.mark.parametrize(("case", "mutant"), PAIRS, ids=name_of)
def test_mutant_fails(case, mutant, tmp_path):
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
        return sink_mutants.LooksBeforeItLeaps(tmp_path)

    @pytest.fixture
    def sink(self, memory):
        return BareSink(memory)

    @pytest.fixture
    def read_back(self, memory):
        return partial(read_digests, memory)


def test_unreadable_sink_must_override_read_back():
    with pytest.raises(AssertionError, match="override the fixture `read_back`"):
        read_digests(BareSink(MemoryStore()), "sample")


def test_unknown_errors_in_threads_are_raised():
    with pytest.raises(ZeroDivisionError):
        run_concurrently([lambda: 1 / 0])


def test_sample_files_have_the_exact_name_and_bytes_by_seed(tmp_path):
    one = write_distribution(tmp_path / "one", "Foo.Bar-1.0-1-py3-none-any.whl")
    same = write_distribution(tmp_path / "same", one.name)
    other = write_distribution(tmp_path / "other", one.name, seed=1)
    assert one.name == "Foo.Bar-1.0-1-py3-none-any.whl"
    assert one.read_bytes() == same.read_bytes() != other.read_bytes()


def test_staged_path_includes_companions(tmp_path):
    path = write_distribution(tmp_path, "sample-1.0.tar.gz")
    (tmp_path / "sample-1.0.tar.gz.asc").write_bytes(b"signed")
    staged = stage_path(path)
    assert staged.companions == (Companion(".asc", b"signed"),)
    assert staged.sha256 == staged.file.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    with staged.open() as stream:
        assert stream.read() == path.read_bytes()


def test_samples_and_memory_store_work_without_pytest():
    program = "import sys, wheelrelay.testing; sys.exit('pytest' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_unknown_attribute_is_an_error():
    with pytest.raises(AttributeError, match="no attribute 'Contract'"):
        _ = wheelrelay.testing.Contract


def test_documented_example_runs_and_explains_failures(tmp_path):
    (tmp_path / "test_shelf.py").write_text(documented_example())
    (tmp_path / "wheelrelay_shelf.py").write_text(SHELF)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    failed = [
        line.split()[1].split("::")[-1] for line in ran.stdout.splitlines() if line.startswith("FAILED")
    ]
    assert failed == ["test_lists_nothing_in_an_empty_place"]
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
