"""Each case of the contract of objects has a mutant that fails it, and honest objects pass all cases."""

import inspect
import itertools
from itertools import chain

import pytest
from tests.unit.testing import objects_mutants  # importing it fills `MUTANTS`
from tests.unit.testing.honest_backends import MUTANTS
from tests.unit.testing.objects_mutants import ContractOfPages, HonestObjects

from wheelrelay.backends.local.store import DirectoryObjects
from wheelrelay.errors import Unavailable
from wheelrelay.testing import ObjectsContract

CASES = [case for name, case in vars(ObjectsContract).items() if name.startswith("test_")]
PAIRS = [(case, mutant) for case in CASES for mutant in MUTANTS.get(case, ())]


def name_of(value):
    return value.__name__


def runs_of(case):
    """Return the parameters of each run of a case, as pytest passes them."""
    marks = [mark.args for mark in getattr(case, "pytestmark", ()) if mark.name == "parametrize"]
    return [{name: value} for name, values in marks for value in values] or [{}]


def run(case, subject_class, tmp_path):
    """Run a case of the contract on a new object of a class, once for each parameter."""
    for number, parameters in enumerate(runs_of(case)):
        scratch = tmp_path / f"scratch-{number}"
        scratch.mkdir()
        fixtures = {"objects": subject_class(tmp_path / f"box-{number}"), "scratch": scratch, **parameters}
        needed = list(inspect.signature(case).parameters)[1:]
        case(ContractOfPages(), **{name: fixtures[name] for name in needed})


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_every_case_has_a_mutant(case):
    assert case in MUTANTS


def test_every_mutant_breaks_a_case():
    mutants = {
        value
        for value in vars(objects_mutants).values()
        if inspect.isclass(value) and issubclass(value, HonestObjects) and value is not HonestObjects
    }
    assert mutants == set(chain.from_iterable(MUTANTS.get(case, ()) for case in CASES))


@pytest.mark.parametrize(("case", "mutant"), PAIRS, ids=name_of)
def test_mutant_fails(case, mutant, tmp_path):
    with pytest.raises((Exception, pytest.fail.Exception)):
        run(case, mutant, tmp_path)


@pytest.mark.parametrize(
    "case",
    [
        ObjectsContract.test_readers_see_the_old_or_the_new_object,
        ObjectsContract.test_threads_can_write_list_and_read_concurrently,
    ],
    ids=name_of,
)
def test_temporary_errors_of_reads_during_writes_are_retried(case, tmp_path):
    class FailsTwiceOfThree(HonestObjects):
        reads = itertools.count()

        def open_object(self, name):
            if next(self.reads) % 3:
                raise Unavailable("The server answered 500.")
            return super().open_object(name)

    objects = FailsTwiceOfThree(tmp_path)
    case(ContractOfPages(), objects)
    assert next(objects.reads) > 10


class TestHonestObjects(ContractOfPages):
    """Objects with all capabilities pass."""

    @pytest.fixture
    def objects(self, tmp_path):
        return HonestObjects(tmp_path)


class TestDirectory(ContractOfPages):
    """The files of a directory pass; a directory stores no metadata."""

    stores_metadata = False

    @pytest.fixture
    def objects(self, tmp_path):
        return DirectoryObjects(tmp_path)
