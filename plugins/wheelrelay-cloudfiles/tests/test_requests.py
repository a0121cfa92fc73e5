"""How many requests a push sends: each costs a round trip, and time of the cluster."""

import json
from collections import Counter
from dataclasses import replace
from urllib.parse import unquote

import pytest
from tests.servers.gateway import run_gateway
from tests.servers.web import Reply

import wheelrelay
from wheelrelay import Remote
from wheelrelay.testing import make_wheel, stage_path
from wheelrelay_cloudfiles.config import SwiftConfig

LARGE = 2_000_000
"""Bytes of a file that another writer has time to overtake."""

MAX_ONCE = 24
"""Requests of a push that do not depend on the number of files: login, listings and pages."""


@pytest.fixture
def gateway(swift, empty_container):
    with run_gateway(swift.url) as gateway:
        yield gateway


@pytest.fixture
def config(swift, gateway, container, monkeypatch):
    monkeypatch.setenv("SWIFT_TOKEN", swift.token())
    storage_url = f"{gateway.url}v1/AUTH_test"
    return SwiftConfig(
        container=container, prefix="some/prefix", storage_url=storage_url, token={"env": "SWIFT_TOKEN"}
    )


@pytest.fixture
def wheels(tmp_path):
    noise = bytes(range(256)) * (LARGE // 256)
    return [
        make_wheel(tmp_path / "dist", "sample", f"{number}.0", payload=noise, compression=0)
        for number in range(8)
    ]


def by_kind(gateway):
    """Count the requests for wheels, for metadata files and for archives of metadata files, by method."""
    counts = Counter()
    for request in gateway.requests:
        path = unquote(request.path)
        kind = (
            "archive"
            if "extract-archive" in path
            else "metadata"
            if path.endswith(".whl.metadata")
            else "wheel"
            if path.endswith(".whl")
            else "other"
        )
        counts[request.method, kind] += 1
    return counts


def state_of(config):
    """Return the sha256 of the files in the container, and the outdated pages."""
    with config.open() as store:
        files = {file.filename: file.sha256 for file in store.iter_files("sample")}
        return files, store.check_pages()


@pytest.mark.parametrize("count", [2, 8])
def test_push_sends_three_requests_a_wheel_and_metadata_in_archives(config, gateway, wheels, count):
    wheels = wheels[:count]
    wheelrelay.push(wheels, to=Remote("nightly", config))
    counts = by_kind(gateway)
    assert counts["PUT", "wheel"] == count
    # Before the last bytes and after them: there are no locks in Swift. One listing confirms the push.
    assert counts["HEAD", "wheel"] == 2 * count
    assert 1 <= counts["PUT", "archive"] <= count
    assert counts.total() - 3 * count - counts["PUT", "archive"] <= MAX_ONCE
    assert counts["PUT", "metadata"] == counts["HEAD", "metadata"] == 0
    assert counts["GET", "metadata"] <= 1  # of the newest version: its summary is on the pages
    assert counts["GET", "wheel"] == 0
    assert state_of(config) == ({wheel.name: stage_path(wheel).sha256 for wheel in wheels}, [])


@pytest.mark.parametrize(
    "report",
    [
        Reply(status=400),
        Reply(status=503),
        Reply(b"not JSON", 200, "application/json"),
        Reply(b"{}", 200, "application/json"),
        Reply(b'{"Number Files Created": 0, "Errors": []}', 200, "application/json"),
        Reply(b'{"Number Files Created": 0, "Errors": 7}', 200, "application/json"),
    ],
)
def test_refused_archive_is_sent_one_by_one(config, gateway, wheels, report):
    gateway.fault(lambda request: "extract-archive" in request.path, report, times=99)
    wheelrelay.push(wheels[:1], to=Remote("nightly", config))
    counts = by_kind(gateway)
    assert (counts["PUT", "archive"], counts["PUT", "metadata"]) == (1, 1)
    assert state_of(config)[1] == []


def test_member_that_failed_is_sent_alone(config, gateway, wheels):
    def fail_one(request, reply):
        if "extract-archive" not in request.path:
            return reply
        report = json.loads(reply.body)
        name = f"{wheels[0].name}.metadata"
        if name.encode() in request.body:
            report["Number Files Created"] -= 1
            report["Errors"] = [[f"some/prefix/{name}", "503 Service Unavailable"]]
        return replace(reply, body=json.dumps(report).encode())

    gateway.alter = fail_one
    wheelrelay.push(wheels, to=Remote("nightly", config))
    assert by_kind(gateway)["PUT", "metadata"] == 1
    assert state_of(config)[1] == []


def test_cluster_without_archives_gets_single_requests(config, gateway, wheels):
    def without_bulk(request, reply):
        if request.path != "/info":
            return reply
        info = json.loads(reply.body)
        del info["bulk_upload"]
        return replace(reply, body=json.dumps(info).encode())

    gateway.alter = without_bulk
    wheelrelay.push(wheels[:2], to=Remote("nightly", config))
    counts = by_kind(gateway)
    assert (counts["PUT", "archive"], counts["PUT", "metadata"]) == (0, 2)
    assert state_of(config)[1] == []
