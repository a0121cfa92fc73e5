"""A signature at a sink is compared by content: equal is skipped, different is a conflict."""

from dataclasses import replace

import pytest
from tests.servers.faulty_store import FaultyStore, staged_files
from tests.servers.objects import MemoryObjects
from tests.servers.openpgp import armored, signature
from tests.unit.engine.conftest import WHEELS, mirror, release, request_between

from wheelrelay.containers import ContainerStore
from wheelrelay.engine.context import running
from wheelrelay.engine.planning import plan_relay
from wheelrelay.errors import Conflict, NotFound, PermissionDenied
from wheelrelay.model import Companion
from wheelrelay.records import Action, Outcome

WHEEL = WHEELS[0]
OURS = armored(signature())
THEIRS = armored(signature(issuer=b"B" * 8))


@pytest.fixture
def wheel(tmp_path):
    [staged] = staged_files(tmp_path, WHEEL)
    return staged


def signed(staged, content):
    return replace(staged, companions=(Companion(".asc", content),))


def intent(*places, **options):
    request = request_between(*places, **options)
    with running(request.options) as runtime:
        [planned] = plan_relay(request, runtime, one_version=True).plan.files
    return planned.sinks["there"]


class Unreadable(FaultyStore):
    """A store that lists companions and does not serve them."""

    def read_companion(self, file, suffix):
        raise PermissionDenied("Signatures are private.")


class TestPlan:
    def test_equal_signature_is_skipped(self, wheel):
        planned = intent(FaultyStore([signed(wheel, OURS)]), FaultyStore([signed(wheel, OURS)]))
        assert planned.action is Action.SKIP

    def test_different_signature_is_a_conflict(self, wheel):
        planned = intent(FaultyStore([signed(wheel, OURS)]), FaultyStore([signed(wheel, THEIRS)]))
        assert (planned.action, planned.reason) == (Action.CONFLICT, "exists with another .asc")

    @pytest.mark.parametrize("side", ["source", "sink"])
    def test_unreadable_signature_is_unknown(self, wheel, side):
        kinds = (Unreadable, FaultyStore) if side == "source" else (FaultyStore, Unreadable)
        source, sink = (kind([signed(wheel, OURS)]) for kind in kinds)
        planned = intent(source, sink)
        assert planned.action is Action.UNKNOWN
        assert "companions cannot be compared: Signatures are private." in planned.reason

    def test_signature_that_only_the_sink_has_does_not_matter(self, wheel):
        assert intent(FaultyStore([wheel]), FaultyStore([signed(wheel, THEIRS)])).action is Action.SKIP

    def test_malformed_signature_of_the_source_does_not_conflict(self, wheel):
        source = FaultyStore([signed(wheel, b"no signature")])
        assert intent(source, FaultyStore([signed(wheel, THEIRS)])).action is Action.SKIP


class TestRelay:
    def test_different_signature_refuses_the_release(self, wheel):
        sink = FaultyStore([signed(wheel, THEIRS)])
        with pytest.raises(Conflict) as refused:
            release(FaultyStore([signed(wheel, OURS)]), sink)
        [finding] = refused.value.findings
        assert finding.message == "At there, the file exists with another .asc."
        assert sink.puts == []

    def test_signature_that_stays_unreadable_ends_the_relay(self, wheel):
        sink = Unreadable([signed(wheel, OURS)])
        with pytest.raises(PermissionDenied, match="Signatures are private"):
            release(FaultyStore([signed(wheel, OURS)]), sink)
        assert sink.puts == []

    def test_signature_that_is_readable_later_is_compared(self, wheel):
        class Late(FaultyStore):
            reads = 0

            def read_companion(self, file, suffix):
                self.reads += 1
                if self.reads == 1:
                    raise NotFound("Not yet.")
                return super().read_companion(file, suffix)

        [file] = release(FaultyStore([signed(wheel, OURS)]), Late([signed(wheel, OURS)])).files
        assert file.sinks["there"].outcome is Outcome.SKIPPED

    def test_signature_is_replaced_on_request(self, wheel):
        objects = MemoryObjects()
        sink = ContainerStore(objects)
        sink.put(signed(wheel, THEIRS))
        with pytest.raises(Conflict, match="other content"):
            release(FaultyStore([signed(wheel, OURS)]), sink)
        receipt = release(FaultyStore([signed(wheel, OURS)]), sink, replace=True)
        assert receipt.is_complete
        assert objects.kept[f"{WHEEL}.asc"].content == OURS

    def test_mirror_leaves_signatures_of_existing_files_alone(self, wheel):
        sink = FaultyStore([signed(wheel, THEIRS)])
        assert mirror(FaultyStore([signed(wheel, OURS)]), sink).is_complete
