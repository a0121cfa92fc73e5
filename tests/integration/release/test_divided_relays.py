"""A mirror is divided into several relays whose results are put together."""

import pickle

import pytest

import wheelrelay
from wheelrelay import DirectoryConfig, PublishOptions, Receipt, Remote, Route
from wheelrelay.testing import make_sdist, make_wheel

PROJECTS = ("alpha", "beta", "gamma", "delta")


@pytest.fixture
def upstream(tmp_path):
    """A directory with a wheel and an sdist of each project."""
    for name in PROJECTS:
        make_wheel(tmp_path / "upstream", name, "1.0")
        make_sdist(tmp_path / "upstream", name, "1.0")
    return tmp_path / "upstream"


@pytest.fixture
def mirror(tmp_path):
    """A container with pages."""
    return Remote("mirror", DirectoryConfig(path=tmp_path / "mirror", pages=True))


@pytest.fixture
def route(upstream, mirror):
    return Route(source=str(upstream), sinks=[mirror], mode="mirror")


def listed(mirror):
    return sorted(path.parent.name for path in mirror.config.path.glob("simple/*/index.html"))


class TestDeferredPages:
    def test_relay_leaves_the_pages_and_one_writer_updates_them(self, route, mirror):
        options = PublishOptions(finalize=False)
        receipts = [wheelrelay.relay(route, [name], options=options) for name in PROJECTS]
        assert all(receipt.is_complete for receipt in receipts)
        assert listed(mirror) == []
        merged = Receipt.merged(receipts)
        assert merged.projects("mirror") == tuple(sorted(PROJECTS))
        wheelrelay.index(mirror, merged.projects("mirror"))
        assert listed(mirror) == sorted(PROJECTS)
        assert wheelrelay.check_index(mirror) == []

    def test_failed_relay_leaves_the_pages_too(self, route, mirror, upstream):
        (upstream / "alpha-1.0-py3-none-any.whl").write_bytes(b"This is not a wheel.")
        with pytest.raises(wheelrelay.RelayFailed) as caught:
            wheelrelay.relay(route, options=PublishOptions(finalize=False))
        assert listed(mirror) == []
        receipt = pickle.loads(pickle.dumps(caught.value)).receipt
        wheelrelay.index(mirror, receipt.projects("mirror"))
        assert wheelrelay.check_index(mirror) == []

    def test_push_leaves_the_pages_on_request(self, upstream, mirror):
        receipt = wheelrelay.push([upstream], mirror, options=PublishOptions(finalize=False))
        assert listed(mirror) == []
        wheelrelay.index(mirror, receipt.projects("mirror"))
        assert wheelrelay.check_index(mirror) == []

    def test_names_of_projects_may_have_any_spelling(self, upstream, mirror):
        make_wheel(upstream, "Some.Name", "1.0")
        wheelrelay.push([upstream], mirror, options=PublishOptions(finalize=False))
        wheelrelay.index(mirror, ["Some.Name", *PROJECTS])
        assert "some-name" in listed(mirror)
        assert wheelrelay.check_index(mirror) == []

    def test_container_without_pages_stays_without(self, upstream, tmp_path):
        wheelrelay.push([upstream], str(tmp_path / "plain"), options=PublishOptions(finalize=False))
        wheelrelay.index(str(tmp_path / "plain"), ["alpha"])
        assert not (tmp_path / "plain" / "simple").exists()
