"""A plan shows which environments lose their wheel, before anything is downloaded or published."""

import pytest

import wheelrelay
from wheelrelay.testing import make_wheel

BEFORE = {"tag": "cp312-cp312-win_arm64"}
AFTER = {"tag": "cp313-cp313-win_arm64"}
MESSAGE = (
    "1.1 has no wheel, and 1.0 has one, for CPython 3.12 on Windows arm64. "
    "There, pip installs an older release."
)


@pytest.fixture
def dist(tmp_path):
    return tmp_path / "dist"


@pytest.fixture
def sink(open_pypiserver):
    """An index with version 1.0."""
    make_wheel(open_pypiserver.folder, "sample", "1.0", **BEFORE)
    return wheelrelay.IndexConfig(url=open_pypiserver.simple_url, upload_url=open_pypiserver.upload_url)


def coverage(findings):
    return [finding.message for finding in findings if finding.check == "coverage-wheels"]


def test_the_plan_and_the_receipt_have_the_same_finding(dist, sink):
    make_wheel(dist, "sample", "1.1", **AFTER)
    route = wheelrelay.Route(source=str(dist), sinks=[sink])
    approved = []

    assert coverage(wheelrelay.plan(route).findings) == [MESSAGE]
    receipt = wheelrelay.relay(route, approve=lambda plan: approved.append(plan) or True)
    assert coverage(approved[0].findings) == [MESSAGE]
    assert coverage(receipt.findings) == [MESSAGE]


def test_the_plan_reads_the_requires_python_of_local_files(dist, sink):
    make_wheel(dist, "sample", "1.1", metadata={"Requires-Python": ">=3.13"}, **AFTER)

    assert wheelrelay.plan(wheelrelay.Route(source=str(dist), sinks=[sink])).findings == ()


def test_a_release_that_is_complete_has_no_finding(dist, sink):
    for tags in (BEFORE, AFTER):
        make_wheel(dist, "sample", "1.1", **tags)

    assert wheelrelay.plan(wheelrelay.Route(source=str(dist), sinks=[sink])).findings == ()


def test_without_requires_python_only_the_gate_knows(dist, sink, web):
    make_wheel(dist, "sample", "1.1", **AFTER)
    source = f"listing+{web.serve_folder(dist, '/files/')}"
    route = wheelrelay.Route(source=source, sinks=[sink])

    assert wheelrelay.plan(route).findings == ()
    assert coverage(wheelrelay.relay(route).findings) == [MESSAGE]


def test_a_mirror_is_not_compared(dist, sink):
    make_wheel(dist, "sample", "1.1", **AFTER)
    route = wheelrelay.Route(source=str(dist), sinks=[sink], mode="mirror")

    assert wheelrelay.plan(route).findings == ()
