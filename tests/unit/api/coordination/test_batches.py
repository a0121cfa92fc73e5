"""Batches are large at first and small at the end, within limits of files and bytes."""

import pytest

from wheelrelay.api.coordination.batches import COST_OF_FILE, SMALLEST_BATCH, Batches, BatchLimits
from wheelrelay.api.coordination.messages import MAX_EVENTS, receiver, sending_events
from wheelrelay.events import BytesMoved, FileBegan, FileEnded, Planned, Step, StepBegan
from wheelrelay.filenames import dist_file
from wheelrelay.records import Plan

MIB = 1 << 20


def files(count, size, *, each=1):
    """Return files of projects that have some files each."""
    return [
        dist_file(f"sample{number // each}-1.{number}-py3-none-any.whl", size=size) for number in range(count)
    ]


def taken(items, *, slots=8, limits=BatchLimits(500, 1 << 40)):  # noqa: B008  (frozen)
    batches = Batches([(file, file.filename) for file in items], limits)
    found = []
    while batch := batches.take(slots):
        found.append(batch)
    return found


@pytest.mark.parametrize(("count", "size"), [(40, 50 * MIB), (2000, 50_000), (3, 2 << 30), (1, 0), (0, 0)])
def test_every_item_is_in_one_batch(count, size):
    items = files(count, size)
    assert sorted(name for batch in taken(items) for name in batch) == sorted(file.filename for file in items)


def test_large_files_are_batches_for_all_slots():
    batches = taken(files(40, 50 * MIB))
    assert [len(batch) for batch in batches[:8]] <= [3] * 8
    assert [len(batch) for batch in batches[-8:]] == [1] * 8


def test_small_files_are_not_divided_further_than_is_worthwhile():
    sizes = [len(batch) for batch in taken(files(2000, 50_000))]
    assert sizes[0] == pytest.approx(2000 / 16, rel=0.02)
    assert min(sizes[:-1]) >= SMALLEST_BATCH // (COST_OF_FILE + 50_000)
    assert len(sizes) < 60


def test_limits_hold():
    assert max(map(len, taken(files(2000, 10), slots=1, limits=BatchLimits(50, 1 << 40)))) == 50
    assert max(map(len, taken(files(20, MIB), slots=1, limits=BatchLimits(500, 3 * MIB)))) == 3


def test_a_file_above_the_limit_is_a_separate_batch():
    assert {len(batch) for batch in taken(files(4, 5 * MIB), limits=BatchLimits(500, MIB))} == {1}


def test_files_of_a_project_stay_together_and_the_largest_comes_first():
    items = [
        *files(6, 10, each=3),
        dist_file("zlib-1.0-py3-none-any.whl", size=MIB),
        dist_file("zlib-1.0.tar.gz", size=10),
    ]
    (batch,) = taken(items)
    assert [name.split("-")[0] for name in batch] == ["zlib"] * 2 + ["sample0"] * 3 + ["sample1"] * 3


def test_files_of_unknown_size_are_divided_among_all_slots():
    assert [len(batch) for batch in taken(files(8, None))] == [1] * 8
    sizes = [len(batch) for batch in taken(files(2000, None))]
    assert sizes[0] == pytest.approx(2000 / 16, rel=0.02)
    assert sizes[-8:] == [1] * 8


def test_events_are_sent_in_few_messages_and_in_order():
    messages = []
    with sending_events(messages.append) as progress:
        progress(StepBegan(Step.PUBLISH, "there", 1, 30))
        progress(Planned(Plan("here", (), ())))
        progress(FileBegan(Step.PUBLISH, "a", 30))
        for _ in range(MAX_EVENTS * 3):
            progress(BytesMoved(Step.PUBLISH, "a", 10))
        progress(FileEnded(Step.PUBLISH, "a"))
    assert len(messages) <= 2
    received = []
    for message in messages:
        receiver(received.append)(message)
    assert received == [
        FileBegan(Step.PUBLISH, "a", 30),
        BytesMoved(Step.PUBLISH, "a", MAX_EVENTS * 30),
        FileEnded(Step.PUBLISH, "a"),
    ]


def test_many_events_are_sent_before_the_end():
    messages = []
    with sending_events(messages.append) as progress:
        for number in range(MAX_EVENTS):
            progress(FileEnded(Step.STAGE, str(number)))
        assert len(messages) == 1
