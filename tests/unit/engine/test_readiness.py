"""Sinks resolve their credentials before anything is published anywhere, and only if they need them."""

import pytest
from tests.servers.places import MoodyStore, staged_files

import wheelrelay
from wheelrelay import Remote, Route
from wheelrelay.errors import MissingSecret, Unavailable

WHEEL = "sample-1.0-py3-none-any.whl"


class Locked(MoodyStore):
    """A store whose password is nowhere to be found."""

    def make_ready(self):
        raise MissingSecret("There is no password.")


class LockedContainer(Locked):
    """One that has pages to write at the end."""

    def finalize(self, projects):
        raise AssertionError("nothing may be written")


@pytest.mark.parametrize("mode", ["release", "mirror"])
def test_a_sink_that_takes_something_must_have_its_credentials_before_any_does(tmp_path, mode):
    first, locked = MoodyStore(), Locked()
    staged_files(tmp_path, WHEEL)
    with pytest.raises(MissingSecret, match="no password"):
        wheelrelay.relay(
            Route(source=str(tmp_path), sinks=[Remote("first", connected=first), locked], mode=mode)
        )
    assert (first.puts, locked.puts) == ([], [])


@pytest.mark.parametrize("mode", ["release", "mirror"])
def test_one_that_has_everything_needs_none(tmp_path, mode):
    locked = Locked(staged_files(tmp_path, WHEEL))
    assert wheelrelay.relay(Route(source=str(tmp_path), sinks=[locked], mode=mode)).is_complete


@pytest.mark.parametrize("mode", ["release", "mirror"])
def test_but_one_with_pages_to_write_does(tmp_path, mode):
    locked = LockedContainer(staged_files(tmp_path, WHEEL))
    with pytest.raises(MissingSecret, match="no password"):
        wheelrelay.relay(Route(source=str(tmp_path), sinks=[locked], mode=mode))


def test_one_whose_credentials_cannot_be_had_for_a_moment_is_asked_again(tmp_path):
    class Slow(MoodyStore):
        """A store whose tokens come from a server that is busy at first."""

        asked = 0

        def make_ready(self):
            self.asked += 1
            if self.asked == 1:
                raise Unavailable("Busy.", retry_after=0)

    slow = Slow()
    staged_files(tmp_path, WHEEL)
    assert wheelrelay.relay(Route(source=str(tmp_path), sinks=[slow])).is_complete
    assert slow.asked == 2
