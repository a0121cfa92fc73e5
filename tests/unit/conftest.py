"""A plan and a receipt with every action and outcome."""

from datetime import UTC, datetime, timedelta

import pytest

from wheelrelay.filenames import dist_file
from wheelrelay.model import Digests
from wheelrelay.records import (
    Action,
    Delivery,
    Finding,
    Intent,
    Outcome,
    Plan,
    PlannedFile,
    Receipt,
    ReceiptFile,
    Severity,
)

LONG = "a_project_with_a_long_name-1.0.0-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
WHEEL = "sample-1.0-py3-none-any.whl"
SDIST = "sample-1.0.tar.gz"
BEGAN = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


@pytest.fixture
def plan():
    """A plan with every action, at two sinks."""

    def planned(name, size, first, second):
        file = dist_file(name, size=size, digests=Digests(sha256="ab" * 32))
        return PlannedFile(file, {"[test]pypi": first, "pypi": second})

    upload = Intent(Action.UPLOAD, "not there yet")
    skip = Intent(Action.SKIP, "the same bytes exist")
    files = (
        planned(LONG, 1_234_567, upload, upload),
        planned(WHEEL, 2_000, skip, skip),
        planned(
            SDIST,
            None,
            Intent(Action.CONFLICT, "the same name is there with other bytes"),
            Intent(Action.UNKNOWN, "the filename exists; the sink declares no sha256"),
        ),
    )
    finding = Finding("conflict", Severity.ERROR, "It is there.", SDIST, "Build a new version.")
    return Plan("staging", ("[test]pypi", "pypi"), files, ("cp313-*-win*",), (WHEEL,), (finding,))


@pytest.fixture
def receipt():
    """A receipt with every outcome."""

    def entry(name, delivery):
        return ReceiptFile(name, "sample", "1.0", 2_000, "ab" * 32, f"/dist/{name}", {"pypi": delivery})

    files = (
        entry("sample-1.0-1-py3-none-any.whl", Delivery(Outcome.PUBLISHED, 1, 0.12345)),
        entry("sample-1.0-2-py3-none-any.whl", Delivery(Outcome.SKIPPED, reason="the same bytes exist")),
        entry("sample-1.0-3-py3-none-any.whl", Delivery(Outcome.FAILED, 2, 1.0, "Bad [description].")),
        entry("sample-1.0-4-py3-none-any.whl", Delivery(Outcome.UNCONFIRMED, 1, 1.0, "It is late.")),
        entry(SDIST, Delivery(Outcome.PENDING)),
    )
    finding = Finding("late", Severity.WARNING, "It took long.")
    return Receipt(
        "staging",
        ("pypi",),
        "release",
        BEGAN,
        BEGAN + timedelta(seconds=2.5),
        files,
        (finding,),
        {"wheelrelay": "1.0"},
    )
