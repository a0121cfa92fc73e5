"""Sinks resolve their credentials before the first upload, and only if they need them."""

import pytest
from tests.servers.faulty_store import FaultyStore, staged_files

import wheelrelay
from wheelrelay import Remote, Route
from wheelrelay.errors import MissingSecret, Unavailable

WHEEL = "sample-1.0-py3-none-any.whl"


class Locked(FaultyStore):
    """A store whose password is missing."""

    def make_ready(self):
        raise MissingSecret("There is no password.")


class LockedContainer(Locked):
    """One that has pages to write at the end."""

    def finalize(self, projects):
        raise AssertionError("nothing may be written")


@pytest.mark.parametrize("mode", ["release", "mirror"])
def test_missing_credentials_of_one_sink_stop_all_uploads(tmp_path, mode):
    first, locked = FaultyStore(), Locked()
    staged_files(tmp_path, WHEEL)
    with pytest.raises(MissingSecret, match="no password"):
        wheelrelay.relay(
            Route(source=str(tmp_path), sinks=[Remote("first", connected=first), locked], mode=mode)
        )
    assert (first.puts, locked.puts) == ([], [])


@pytest.mark.parametrize("mode", ["release", "mirror"])
def test_complete_sink_needs_no_credentials(tmp_path, mode):
    locked = Locked(staged_files(tmp_path, WHEEL))
    assert wheelrelay.relay(Route(source=str(tmp_path), sinks=[locked], mode=mode)).is_complete


@pytest.mark.parametrize("mode", ["release", "mirror"])
def test_complete_sink_with_pages_needs_credentials(tmp_path, mode):
    locked = LockedContainer(staged_files(tmp_path, WHEEL))
    with pytest.raises(MissingSecret, match="no password"):
        wheelrelay.relay(Route(source=str(tmp_path), sinks=[locked], mode=mode))


def test_retries_credentials_after_retryable_error(tmp_path):
    class Slow(FaultyStore):
        """A store whose token server is busy at first."""

        calls = 0

        def make_ready(self):
            self.calls += 1
            if self.calls == 1:
                raise Unavailable("Busy.", retry_after=0)

    slow = Slow()
    staged_files(tmp_path, WHEEL)
    assert wheelrelay.relay(Route(source=str(tmp_path), sinks=[slow])).is_complete
    assert slow.calls == 2
