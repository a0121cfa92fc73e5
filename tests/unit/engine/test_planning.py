"""A plan says file by file and sink by sink what would be done, and never takes unknown for absent."""

from dataclasses import replace

import pytest
from tests.servers.places import Blind, MoodyStore, Mute, staged_files
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
from wheelrelay.events import Waiting
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
    return {one.file.filename: one.sinks[sink] for one in plan.files}


def actions(plan, sink="there"):
    return {name: intent.action for name, intent in intents(plan, sink).items()}


@pytest.fixture
def wheel(tmp_path):
    return staged_files(tmp_path / "files", WHEEL)[0]


def test_what_is_not_there_would_be_uploaded(source, sink):
    plan = planned(source, sink)
    assert (plan.source, plan.sinks) == ("here", ("there",))
    assert actions(plan) == dict.fromkeys(sorted([*WHEELS, SDIST]), Action.UPLOAD)
    assert plan.has_work
    assert sink.puts == []


def test_the_same_bytes_would_be_skipped(wheel):
    plan = planned(MoodyStore([wheel]), MoodyStore([wheel]))
    assert actions(plan) == {WHEEL: Action.SKIP}
    assert not plan.has_work


def test_other_bytes_are_a_conflict(wheel, other):
    assert actions(planned(MoodyStore([wheel]), other(WHEEL))) == {WHEEL: Action.CONFLICT}


def test_each_sink_is_judged_by_itself(wheel, sink, other):
    plan = planned(MoodyStore([wheel]), sink, other(WHEEL), MoodyStore([wheel]))
    assert actions(plan, "there") == {WHEEL: Action.UPLOAD}
    assert actions(plan, "there2") == {WHEEL: Action.CONFLICT}
    assert actions(plan, "there3") == {WHEEL: Action.SKIP}


@pytest.mark.parametrize("silent", ["source", "sink"])
def test_without_both_digests_it_is_open_and_said_why(wheel, silent):
    source, sink = MoodyStore([wheel]), MoodyStore([wheel])
    (source if silent == "source" else sink).shown = Digests()
    [intent] = intents(planned(source, sink)).values()
    assert intent.action is Action.UNKNOWN
    assert f"the {silent} declares no sha256" in intent.reason


def test_a_local_file_is_hashed_where_it_decides(tmp_path, other):
    staged_files(tmp_path / "dist", WHEEL, SDIST)
    with DirectoryConfig(path=tmp_path / "dist").open() as source:
        plan = planned(source, other(WHEEL))
    assert actions(plan) == {WHEEL: Action.CONFLICT, SDIST: Action.UPLOAD}
    assert {one.file.filename: bool(one.file.sha256) for one in plan.files} == {WHEEL: True, SDIST: False}


def test_missing_companions_are_a_reason_to_upload(wheel):
    signed = replace(wheel, companions=(Companion(".asc", b"signature"),))
    [intent] = intents(planned(MoodyStore([signed]), MoodyStore([wheel]))).values()
    assert intent.action is Action.UPLOAD
    assert intent.reason == "exists without its .asc"


def test_companions_are_no_reason_where_they_are_not_kept_as_files(wheel):
    signed = replace(wheel, companions=(Companion(".asc", b"signature"),))
    assert actions(planned(MoodyStore([signed]), Mute(MoodyStore([wheel])))) == {WHEEL: Action.SKIP}


def test_a_sink_that_cannot_be_asked_gets_everything(source, sink):
    plan = planned(source, Blind(sink), confirm=Confirm.NONE)
    assert {intent.reason for intent in intents(plan).values()} == {"the sink is write-only"}


@pytest.mark.parametrize("error", [AuthenticationFailed, PermissionDenied, BackendError])
def test_an_inventory_that_cannot_be_read_is_an_error_of_that_sink(source, sink, error):
    second = MoodyStore()
    second.list_errors = [error("No.")]
    with pytest.raises(error, match="sink 'there2': No"):
        planned(source, sink, second)


@pytest.mark.parametrize("side", ["source", "sink"])
def test_trouble_that_may_pass_is_tried_again(source, sink, side):
    (source if side == "source" else sink).list_errors = [Unavailable("Busy."), Unavailable("Busy.")]
    assert planned(source, sink).has_work


@pytest.mark.parametrize("side", ["source 'here'", "sink 'there'"])
def test_trouble_that_stays_says_on_which_side(source, sink, side):
    (source if "source" in side else sink).list_errors = [Unavailable("Busy.")] * 10
    with pytest.raises(Unavailable, match=f"{side}: Busy"):
        planned(source, sink)


def test_what_is_missing_and_what_is_unexpected_is_told(source, sink):
    expected = Expected(wheels=expected_wheels(["py3-none-manylinux_2_0*", "cp313-*-win*"]), sdist=True)
    plan = planned(source, sink, expected=expected)
    assert plan.missing == ("cp313-*-win*",)
    assert plan.unexpected == WHEELS[1:]


class Growing(MoodyStore):
    """A source whose files come one look after the other."""

    def __init__(self, files):
        super().__init__()
        self.coming = list(files)

    def iter_files(self, project):
        if self.coming:
            self.put(self.coming.pop(0))
        return super().iter_files(project)


def test_what_is_expected_can_be_waited_for(files, sink):
    waits = []

    def progress(event):
        if isinstance(event, Waiting):
            waits.append(event)

    source = Growing(files[:2])
    expected = Expected(count=2)
    plan = planned(source, sink, expected=expected, wait=0.3, progress=progress)
    assert len(plan.files) == 2
    assert plan.missing == ()
    assert len(waits) == 1


def test_waiting_comes_to_an_end(files, sink):
    plan = planned(MoodyStore(files), sink, expected=Expected(count=9), wait=0.2)
    assert plan.missing == ("4 of 9 files",)


def test_an_unknown_project_shows_the_nearest_one(source):
    from wheelrelay.select import Selection, parse_requirement, select_from

    asked = Selection(requirements=(parse_requirement("sampel"),))
    with pytest.raises(NothingMatched, match="Did you mean: sample"):
        select_from(source, asked, one_version=True)


def test_names_are_not_guessed_where_the_source_cannot_be_listed_as_a_whole(source):
    from wheelrelay.select import Selection, parse_requirement, select_from

    def iter_files(project):
        if project is None:
            raise PermissionDenied("Not all of them.")
        return iter(())

    source.iter_files = iter_files
    asked = Selection(requirements=(parse_requirement("sampel"),))
    with pytest.raises(NothingMatched) as failed:
        select_from(source, asked, one_version=True)
    assert failed.value.hint is None
