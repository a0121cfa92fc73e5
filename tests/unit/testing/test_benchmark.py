"""The benchmark of backends publishes, reads and removes sample files, and compares the rates."""

import pytest
from click.testing import CliRunner

from wheelrelay import Remote
from wheelrelay.errors import WheelrelayError
from wheelrelay.testing import MemoryStore, make_wheel
from wheelrelay.testing.benchmark import PROJECT, Measurement, comparison, main, measure, sample_files

OPERATIONS = [
    "put, 1 thread",
    "put, 8 threads",
    "pages",
    "list",
    "read, 1 thread",
    "read, 8 threads",
    "delete",
]


def run(*arguments):
    return CliRunner().invoke(main, [*map(str, arguments), "--files", "2", "--size", "0.01"])


def test_compares_a_store_with_a_directory_and_leaves_no_file(tmp_path):
    ended = run(tmp_path)
    assert ended.exit_code == 0
    head, *rows = ended.output.splitlines()
    assert head.split() == ["operation", "directory", str(tmp_path), "time"]
    assert [row for row, name in zip(rows, OPERATIONS, strict=True) if not row.startswith(name)] == []
    assert "MB/s" in rows[0]
    assert list(tmp_path.iterdir()) == []


def test_place_that_does_not_exist_yet_is_created(tmp_path):
    assert run(tmp_path / "new").exit_code == 0


def test_place_with_files_of_the_project_is_refused(tmp_path):
    make_wheel(tmp_path, PROJECT)
    ended = run(tmp_path)
    assert ended.exit_code == 1
    assert "Choose an empty place" in ended.output
    assert len(list(tmp_path.iterdir())) == 1


def test_store_that_cannot_remove_files_is_refused(tmp_path):
    class Permanent(MemoryStore):
        delete = None

    store = Permanent()
    files = sample_files(tmp_path, number=2, size=100)
    with pytest.raises(WheelrelayError, match="can be removed again"):
        measure(Remote("memory", connected=store), files)
    assert list(store.iter_files(None)) == []


def test_table_has_the_ratio_of_the_durations():
    own, other = [Measurement("list", 0.3)], [Measurement("list", 0.1)]
    assert comparison("there", own, other).splitlines()[1].split() == [
        "list",
        "100.0",
        "ms",
        "300.0",
        "ms",
        "x",
        "3.0",
    ]
