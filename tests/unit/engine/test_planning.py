"""A plan contains the action for each file at each sink; an unknown state is never taken for absence."""

from dataclasses import replace

import pytest
from tests.servers.faulty_store import FaultyStore, InventoryOnlySink, WriteOnlySink, staged_files
from tests.unit.engine.conftest import SDIST, WHEELS, request_between

from wheelrelay.backends.local.directory import DirectoryConfig
from wheelrelay.engine.context import running
from wheelrelay.engine.planning import plan_relay
from wheelrelay.errors import (
    AuthenticationFailed,
    BackendError,
    NothingMatched,
    PermissionDenied,
    Unavailable,
)
from wheelrelay.events import AwaitingFiles
from wheelrelay.expect import Expected, expected_wheels
from wheelrelay.model import Companion, Confirm, Digests
from wheelrelay.records import Action

WHEEL = WHEELS[0]


def planned(*places, **options):
    one_version = options.pop("one_version", True)
    request = request_between(*places, **options)
    with running(request.options) as runtime:
        return plan_relay(request, runtime, one_version=one_version).plan


def intents(plan, sink="there"):
    return {planned_file.file.filename: planned_file.sinks[sink] for planned_file in plan.files}


def actions(plan, sink="there"):
    return {name: intent.action for name, intent in intents(plan, sink).items()}


@pytest.fixture
def wheel(tmp_path):
    return staged_files(tmp_path / "files", WHEEL)[0]


def test_missing_files_are_uploaded(source, sink):
    plan = planned(source, sink)
    assert (plan.source, plan.sinks) == ("here", ("there",))
    assert actions(plan) == dict.fromkeys(sorted([*WHEELS, SDIST]), Action.UPLOAD)
    assert plan.has_work
    assert sink.puts == []


def test_same_bytes_are_skipped(wheel):
    plan = planned(FaultyStore([wheel]), FaultyStore([wheel]))
    assert actions(plan) == {WHEEL: Action.SKIP}
    assert not plan.has_work


def test_other_bytes_are_a_conflict(wheel, other):
    assert actions(planned(FaultyStore([wheel]), other(WHEEL))) == {WHEEL: Action.CONFLICT}


def test_each_sink_gets_its_own_action(wheel, sink, other):
    plan = planned(FaultyStore([wheel]), sink, other(WHEEL), FaultyStore([wheel]))
    assert actions(plan, "there") == {WHEEL: Action.UPLOAD}
    assert actions(plan, "there2") == {WHEEL: Action.CONFLICT}
    assert actions(plan, "there3") == {WHEEL: Action.SKIP}


@pytest.mark.parametrize("silent", ["source", "sink"])
def test_action_is_unknown_without_both_digests(wheel, silent):
    source, sink = FaultyStore([wheel]), FaultyStore([wheel])
    (source if silent == "source" else sink).shown = Digests()
    [intent] = intents(planned(source, sink)).values()
    assert intent.action is Action.UNKNOWN
    assert f"the {silent} declares no sha256" in intent.reason


def test_hashes_local_file_only_if_its_name_exists_at_the_sink(tmp_path, other):
    staged_files(tmp_path / "dist", WHEEL, SDIST)
    with DirectoryConfig(path=tmp_path / "dist").open() as source:
        plan = planned(source, other(WHEEL))
    assert actions(plan) == {WHEEL: Action.CONFLICT, SDIST: Action.UPLOAD}
    assert {planned_file.file.filename: bool(planned_file.file.sha256) for planned_file in plan.files} == {
        WHEEL: True,
        SDIST: False,
    }


def test_missing_companion_is_a_reason_to_upload(wheel):
    signed = replace(wheel, companions=(Companion(".asc", b"signature"),))
    [intent] = intents(planned(FaultyStore([signed]), FaultyStore([wheel]))).values()
    assert intent.action is Action.UPLOAD
    assert intent.reason == "exists without its .asc"


def test_missing_companion_is_ignored_where_companions_are_not_files(wheel):
    signed = replace(wheel, companions=(Companion(".asc", b"signature"),))
    assert actions(planned(FaultyStore([signed]), InventoryOnlySink(FaultyStore([wheel])))) == {
        WHEEL: Action.SKIP
    }


def test_write_only_sink_gets_all_files(source, sink):
    plan = planned(source, WriteOnlySink(sink), confirm=Confirm.NONE)
    assert {intent.reason for intent in intents(plan).values()} == {"the sink is write-only"}


@pytest.mark.parametrize("error", [AuthenticationFailed, PermissionDenied, BackendError])
def test_unreadable_inventory_is_an_error_of_that_sink(source, sink, error):
    second = FaultyStore()
    second.list_errors = [error("No.")]
    with pytest.raises(error, match="sink 'there2': No"):
        planned(source, sink, second)


@pytest.mark.parametrize("side", ["source", "sink"])
def test_retries_retryable_errors(source, sink, side):
    (source if side == "source" else sink).list_errors = [Unavailable("Busy."), Unavailable("Busy.")]
    assert planned(source, sink).has_work


@pytest.mark.parametrize("side", ["source 'here'", "sink 'there'"])
def test_lasting_error_names_the_side(source, sink, side):
    (source if "source" in side else sink).list_errors = [Unavailable("Busy.")] * 10
    with pytest.raises(Unavailable, match=f"{side}: Busy"):
        planned(source, sink)


def test_reports_missing_and_unexpected_files(source, sink):
    expected = Expected(wheels=expected_wheels(["py3-none-manylinux_2_0*", "cp313-*-win*"]), sdist=True)
    plan = planned(source, sink, expected=expected)
    assert plan.missing == ("cp313-*-win*",)
    assert plan.unexpected == WHEELS[1:]


class Growing(FaultyStore):
    """A source that gets one more file with each read."""

    def __init__(self, files):
        super().__init__()
        self.coming = list(files)

    def iter_files(self, project):
        if self.coming:
            self.put(self.coming.pop(0))
        return super().iter_files(project)


def test_waits_for_expected_files(files, sink):
    waits = []

    def progress(event):
        if isinstance(event, AwaitingFiles):
            waits.append(event)

    source = Growing(files[:2])
    expected = Expected(count=2)
    plan = planned(source, sink, expected=expected, wait=0.3, progress=progress)
    assert len(plan.files) == 2
    assert plan.missing == ()
    assert [(wait.present, wait.expected, wait.missing) for wait in waits] == [(1, 2, ("1 of 2 files",))]
    assert 0 < waits[0].seconds_left <= 0.3


def test_waiting_ends_at_the_deadline(files, sink):
    plan = planned(FaultyStore(files), sink, expected=Expected(count=9), wait=0.2)
    assert plan.missing == ("4 of 9 files",)


def test_unknown_project_suggests_similar_names(source):
    from wheelrelay.select import Selection, parse_requirement
    from wheelrelay.source_files import select_from

    selection = Selection(requirements=(parse_requirement("sampel"),))
    with pytest.raises(NothingMatched, match="Did you mean: sample"):
        select_from(source, selection, one_version=True)


def test_suggests_nothing_if_the_source_cannot_list_everything(source):
    from wheelrelay.select import Selection, parse_requirement
    from wheelrelay.source_files import select_from

    def iter_files(project):
        if project is None:
            raise PermissionDenied("Not all of them.")
        return iter(())

    source.iter_files = iter_files
    selection = Selection(requirements=(parse_requirement("sampel"),))
    with pytest.raises(NothingMatched) as failed:
        select_from(source, selection, one_version=True)
    assert failed.value.hint is None
