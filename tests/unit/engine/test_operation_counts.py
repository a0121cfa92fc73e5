"""The number of operations grows in proportion to the number of files, not with its square."""

import json
from collections import Counter
from dataclasses import replace
from threading import Event

import pytest
from tests.servers.faulty_store import FaultyStore, staged_files
from tests.servers.objects import MemoryObjects
from tests.unit.engine.conftest import QUICK, mirror, recorder_for, request_between

from wheelrelay.checks import inspect
from wheelrelay.containers import ContainerStore
from wheelrelay.documents import receipt_document
from wheelrelay.engine import run
from wheelrelay.engine.context import ConnectedSink, ReleasePolicy
from wheelrelay.engine.gate import CheckedFile, ReleaseChecker
from wheelrelay.engine.listing import Inventory
from wheelrelay.engine.publishing import MAX_UNCHANGED
from wheelrelay.engine.recording import SAVE_INTERVAL, SAVE_PAUSE_FACTOR, ReceiptRecorder
from wheelrelay.events import ignore_events
from wheelrelay.filenames import dist_file
from wheelrelay.json_text import to_json
from wheelrelay.model import Mode
from wheelrelay.records import Action, Delivery, Finding, Intent, Outcome, Plan, PlannedFile, Severity
from wheelrelay.select import Selection, parse_requirement
from wheelrelay.transfer.retry import Retrier

SIZES = (12, 24)

QUICK_RETRIER = Retrier(QUICK, ignore_events, Event())


class CountingStore(FaultyStore):
    """A store that counts its calls and the files that they return."""

    def __init__(self, files=()):
        super().__init__(files)
        self.calls = Counter()
        self.projects_read = Counter()

    def iter_files(self, project):
        self.calls["iter_files"] += 1
        self.projects_read[project] += 1
        for file in super().iter_files(project):
            self.calls["files"] += 1
            yield file


class LookingStore(CountingStore):
    """A store that can look at one file."""

    def look(self, file):
        self.calls["looks"] += 1
        return next(
            (held for held in FaultyStore.iter_files(self, None) if held.filename == file.filename), None
        )


class ProjectStore(CountingStore):
    """A store that can list its projects."""

    def projects(self):
        self.calls["projects"] += 1
        return iter(sorted({stored.file.project for stored in self._files.values()}))


class CountingObjects(MemoryObjects):
    """Objects that count the listings of the container."""

    listings = 0

    def list_objects(self, folder=""):
        self.listings += not folder
        return super().list_objects(folder)


class Clock:
    """A clock that goes on with the work that is done."""

    now = 0.0

    def __call__(self):
        return self.now


class CountedText(str):
    """A text that counts its comparisons."""

    comparisons = 0
    __hash__ = str.__hash__

    def __eq__(self, other):
        CountedText.comparisons += 1
        return str.__eq__(self, other)


def of_one_project(folder, count):
    return staged_files(
        folder / str(count), *(f"sample-{number}.0-py3-none-any.whl" for number in range(count))
    )


def of_many_projects(folder, count):
    names = (f"sample{number}-1.0-py3-none-any.whl" for number in range(count))
    return staged_files(folder / str(count), *names)


def mirror_projects(source, sink, count):
    """Mirror projects by name."""
    request = request_between(source, sink)
    required = tuple(parse_requirement(f"sample{number}") for number in range(count))
    request = type(request)(request.source, request.sinks, Selection(required), options=request.options)
    return run.mirror(request, recorder_for(request, Mode.MIRROR, None))


def saved_bytes(files):
    """Return how many bytes of receipts are written while the files are moved, one each 10 ms."""
    clock, written = Clock(), [0]

    def save(receipt):
        text = to_json(receipt_document(receipt))
        assert len(json.loads(text)["files"]) == len(files)
        written[0] += len(text)
        clock.now += len(text) / 1e5

    recorder = ReceiptRecorder("here", ["there"], Mode.MIRROR, save=save, clock=clock)
    intents = {"there": Intent(Action.UPLOAD, "")}
    recorder.record_plan(Plan("here", ("there",), tuple(PlannedFile(file, intents) for file in files)))
    for file in files:
        recorder.record_sending("there", file.filename)
        clock.now += 0.01
        recorder.record("there", file.filename, Delivery(Outcome.PUBLISHED))
    recorder.save()
    return written[0]


def test_bytes_of_receipts_are_in_proportion():
    few, many = (
        saved_bytes([dist_file(f"sample-{number}.0.tar.gz") for number in range(count)])
        for count in (1_000, 2_000)
    )
    assert many <= 2.5 * few


def test_pauses_after_saving_are_a_multiple_of_its_duration(files):
    clock, saved = Clock(), []

    def save(receipt):
        saved.append(clock.now)
        clock.now += 1.0

    recorder = ReceiptRecorder("here", ["there"], Mode.MIRROR, save=save, clock=clock)
    clock.now = SAVE_INTERVAL
    recorder.record("there", files[0].filename, Delivery(Outcome.PUBLISHED))
    clock.now = SAVE_INTERVAL + SAVE_PAUSE_FACTOR
    recorder.record("there", files[1].filename, Delivery(Outcome.PUBLISHED))
    clock.now = SAVE_INTERVAL + 1.0 + SAVE_PAUSE_FACTOR
    recorder.record("there", files[2].filename, Delivery(Outcome.PUBLISHED))
    assert saved == [SAVE_INTERVAL, SAVE_INTERVAL + 1.0 + SAVE_PAUSE_FACTOR]


def test_release_saves_before_each_upload_whatever_the_pause(files):
    clock, saved = Clock(), []
    recorder = ReceiptRecorder("here", ["there"], Mode.RELEASE, save=saved.append, clock=clock)
    for staged in files:
        recorder.record_sending("there", staged.filename)
    assert len(saved) == len(files)


def test_comparisons_of_findings_are_in_proportion():
    def comparisons(count):
        CountedText.comparisons = 0
        recorder = ReceiptRecorder("here", ["there"], Mode.MIRROR)
        for number in range(count):
            recorder.record_findings([Finding(CountedText("check"), Severity.WARNING, str(number))])
        return CountedText.comparisons

    few, many = (comparisons(count) for count in (100, 200))
    assert many <= 2.5 * few + 20


def test_files_read_to_confirm_a_project_are_in_proportion(tmp_path):
    counts = []
    for count in SIZES:
        sink = CountingStore()
        receipt = mirror(CountingStore(of_one_project(tmp_path, count)), sink)
        assert receipt.is_complete
        counts.append(sink.calls["files"])
    few, many = counts
    assert many <= 2.5 * few


@pytest.mark.parametrize("count", SIZES)
def test_sink_that_looks_is_listed_once(tmp_path, count):
    sink = LookingStore()
    assert mirror(CountingStore(of_one_project(tmp_path, count)), sink).is_complete
    assert sink.calls["iter_files"] == 1
    assert sink.calls["looks"] == count


@pytest.mark.parametrize("count", SIZES)
def test_each_page_of_the_source_is_read_once(tmp_path, count):
    source = CountingStore(of_many_projects(tmp_path, count))
    assert mirror_projects(source, FaultyStore(), count).is_complete
    assert set(source.projects_read.values()) == {1}
    assert len(source.projects_read) == count


@pytest.mark.parametrize("count", SIZES)
def test_source_that_lists_projects_is_read_by_project(tmp_path, count):
    source = ProjectStore(of_many_projects(tmp_path, count))
    request = request_between(source, FaultyStore())
    request = type(request)(request.source, request.sinks, options=request.options)
    assert run.mirror(request, recorder_for(request, Mode.MIRROR, None)).is_complete
    assert source.calls["projects"] == 1
    assert len(source.projects_read) == source.calls["iter_files"] == count


def test_listings_of_a_container_do_not_depend_on_the_number_of_projects(tmp_path):
    counts = []
    for count in SIZES:
        objects = CountingObjects()
        source, sink = CountingStore(of_many_projects(tmp_path, count)), ContainerStore(objects)
        assert mirror_projects(source, sink, count).is_complete
        counts.append(objects.listings)
    assert counts[0] == counts[1]


def test_container_as_source_is_listed_once_for_all_projects(tmp_path):
    counts = []
    for count in SIZES:
        objects = CountingObjects()
        store = ContainerStore(objects)
        for staged in of_many_projects(tmp_path, count):
            store.put(staged)
        objects.listings = 0
        assert mirror_projects(store, FaultyStore(), count).is_complete
        counts.append(objects.listings)
    assert counts == [1, 1]


def mirrored(tmp_path, count):
    """Mirror projects into a container with pages, and return source, objects and a store of a later run."""
    objects = MemoryObjects()
    source = CountingStore(of_many_projects(tmp_path, count))
    assert mirror_projects(source, ContainerStore(objects, pages=True), count).is_complete
    objects.asked.clear()
    return source, objects, ContainerStore(objects, pages=True)


def test_pages_of_unchanged_projects_are_not_read_again(tmp_path):
    counts = []
    for count in (MAX_UNCHANGED + 1, 2 * MAX_UNCHANGED):
        source, objects, store = mirrored(tmp_path, count)
        assert mirror_projects(source, store, count).is_complete
        counts.append(len(objects.opened()))
        assert {operation for operation, _ in objects.asked} <= {"list", "open", "stat"}
    assert counts[0] == counts[1] < 10


def test_large_mirror_repairs_the_pages_of_an_interrupted_run(tmp_path):
    count = MAX_UNCHANGED + 1
    source, objects, store = mirrored(tmp_path, count)
    page, root = "simple/sample7/index.json", "simple/index.json"
    with_all = dict(objects.kept)
    late = of_many_projects(tmp_path / "late", count)[7]
    store.delete([late.file])
    without = {name: objects.kept[name] for name in (root,)}
    objects.kept.clear()
    objects.kept.update(
        with_all
    )  # the file and its page came back, but the process was killed before the root
    objects.kept.update(without)
    del objects.kept[page]
    assert mirror_projects(source, ContainerStore(objects, pages=True), count).is_complete
    assert objects.kept[page].content == with_all[page].content
    assert objects.kept[root].content == with_all[root].content


def test_comparisons_with_published_files_are_in_proportion(tmp_path):
    counts = []
    for count in (50, 100):
        held = [dist_file(f"sample-{number}.0-py3-none-any.whl") for number in range(count, 2 * count)]
        held = [replace(file, filename=CountedText(file.filename)) for file in held]
        sink = ConnectedSink("there", FaultyStore())
        checker = ReleaseChecker(
            [sink], {"there": Inventory(held)}, ReleasePolicy(), QUICK_RETRIER, has_all_files=False
        )
        CountedText.comparisons = 0
        for staged in of_one_project(tmp_path, count):
            checker.find([CheckedFile(staged, inspect(staged.path))])
        counts.append(CountedText.comparisons)
    few, many = counts
    assert many <= 2.5 * few + 20
