"""The error tree is as it is drawn, and its messages are sentences."""

import re
from datetime import UTC, datetime

import pytest

from wheelrelay import errors
from wheelrelay.errors import (
    CheckFailed,
    NotFound,
    Rejected,
    RelayFailed,
    SizeMismatch,
    Unavailable,
    WorkerLost,
)
from wheelrelay.records import Finding, Receipt, Severity

TREE = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]


def drawn():
    """Each name of the drawing in the module's docstring, with the name that it hangs from."""
    parents, above = {}, {}
    for line in (errors.__doc__ or "").splitlines():
        if entry := re.match(r"( {4}[│├└─ ]*)([A-Z]\w+)", line):
            depth = (len(entry[1]) - 4) // 4
            above[depth] = entry[2]
            parents[entry[2]] = above.get(depth - 1, "Exception")
    return parents


def test_docstring_draws_the_class_tree():
    assert drawn() == {kind.__name__: kind.__bases__[0].__name__ for kind in TREE}


@pytest.mark.parametrize("kind", TREE)
def test_retryable_is_a_property_of_the_class(kind):
    assert kind.retryable is issubclass(kind, (Unavailable, SizeMismatch, WorkerLost))


def test_str_has_location_message_and_hint():
    error = NotFound("The file is not there.", hint="Push it first.").at("source 'staging'")
    assert str(error) == "source 'staging': The file is not there. Push it first."
    assert (error.message, error.hint) == ("The file is not there.", "Push it first.")


def test_first_location_is_kept():
    assert NotFound("Gone.").at("sink 'pypi'").at("route 'release'").where == "sink 'pypi'"


def test_errors_have_attributes_for_callers():
    finding = Finding("filename", Severity.ERROR, "It is no wheel.")
    now = datetime.now(UTC)
    receipt = Receipt("here", ("there",), "release", now, now, ())
    assert Rejected("No.", status=400).status == 400
    assert Unavailable("Later.", retry_after=3.5).retry_after == 3.5
    assert CheckFailed("One finding.", findings=[finding]).findings == (finding,)
    assert RelayFailed("Half of it.", receipt=receipt).receipt is receipt
