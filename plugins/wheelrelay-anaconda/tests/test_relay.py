"""From a folder to anaconda.org, and from its API and its indexes into a folder."""

import pytest
from tests.servers.anaconda import OWNER
from tests.servers.web import Reply

import wheelrelay
from wheelrelay.testing import make_sdist, make_wheel

NAMES = ["sample-1.0-py3-none-any.whl", "sample-1.0.tar.gz"]


@pytest.fixture
def dist(tmp_path):
    folder = tmp_path / "dist"
    make_wheel(folder, "sample", "1.0")
    make_sdist(folder, "sample", "1.0")
    return str(folder)


def posts(anaconda):
    return [request for request in anaconda.requests if request.method != "GET"]


def test_a_release_is_published_and_confirmed(anaconda, config, dist):
    receipt = wheelrelay.relay(wheelrelay.Route(source=dist, sinks=[config()]))
    assert receipt.is_complete
    assert anaconda.names() == NAMES


def test_the_summary_of_the_package_is_that_of_the_wheel(anaconda, config, tmp_path):
    make_wheel(tmp_path / "dist", "sample", "1.0", metadata={"Summary": "A sample of a wheel."})
    wheelrelay.relay(wheelrelay.Route(source=str(tmp_path / "dist"), sinks=[config()]))
    assert anaconda.packages["sample"].attrs["summary"] == "A sample of a wheel."


def test_a_second_relay_sends_nothing(anaconda, config, dist):
    route = wheelrelay.Route(source=dist, sinks=[config()])
    wheelrelay.relay(route)
    anaconda.requests.clear()
    assert wheelrelay.relay(route).is_complete
    assert posts(anaconda) == []


def test_failures_that_may_pass_are_retried(anaconda, config, dist):
    anaconda.refuses_uploads = [
        Reply(b"<Error><Code>SlowDown</Code></Error>", 503, headers={"Retry-After": "0"})
    ]
    limited = Reply(b'{"error": "slow down"}', 429, "application/json", headers={"Retry-After": "0"})
    anaconda.fail(f"/api/commit/{OWNER}/sample/1.0/{NAMES[0]}", limited)
    assert wheelrelay.relay(wheelrelay.Route(source=dist, sinks=[config()])).is_complete
    assert anaconda.names() == NAMES


def test_other_bytes_are_refused_before_anything_is_sent(anaconda, config, dist):
    anaconda.add("sample", "1.0", NAMES[1], b"other bytes")
    with pytest.raises(wheelrelay.ReleaseRefused):
        wheelrelay.relay(wheelrelay.Route(source=dist, sinks=[config()]))
    assert posts(anaconda) == []


@pytest.mark.parametrize("by_index", [False, True], ids=["api", "simple-api"])
def test_a_release_is_downloaded(config, dist, tmp_path, by_index):
    wheelrelay.relay(wheelrelay.Route(source=dist, sinks=[config()]))
    source = config().address() if by_index else config(token=None)
    target = tmp_path / "downloads"
    assert wheelrelay.relay(wheelrelay.Route(source=source, sinks=[str(target)]), ["sample"]).is_complete
    assert {path.name for path in target.iterdir()} >= set(NAMES)
