"""Tables say no more than is known."""

import io

import pytest
from rich.console import Console

from wheelrelay.filenames import dist_file
from wheelrelay.records import Action, Intent, Plan, PlannedFile
from wheelrelay.report.tables import plan_table


@pytest.mark.parametrize(
    ("sizes", "told"), [((1000, 2000), "2 files from box, 3.0 kB."), ((1000, None), "2 files from box.")]
)
def test_the_size_of_a_plan_is_told_where_it_is_known(sizes, told):
    names = ("sample-1.0-py3-none-any.whl", "sample-1.0.tar.gz")
    files = [dist_file(name, size=size) for name, size in zip(names, sizes, strict=True)]
    planned = tuple(PlannedFile(file, {"pypi": Intent(Action.UPLOAD, "not there yet")}) for file in files)
    stream = io.StringIO()
    Console(file=stream, width=120).print(plan_table(Plan("box", ("pypi",), planned)))
    assert told in [line.strip() for line in stream.getvalue().splitlines()]
