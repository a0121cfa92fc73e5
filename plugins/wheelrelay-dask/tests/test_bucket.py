"""Mirrors, releases and verifications with a real S3 server (SeaweedFS) as the container."""

import pytest
from tests.servers.dask import acting_source, kill_one
from tests.servers.seaweed import run_seaweed
from tests.servers.shared import shared

import wheelrelay
from wheelrelay import ListingConfig, Remote, Route, load_config

pytestmark = pytest.mark.long

CONFIG = """
[remotes.bucket]
type = "s3"
bucket = "{bucket}"
endpoint_url = "{url}"
region = "{region}"
access_key_id = {{ file = "key.txt" }}
secret_access_key = {{ file = "secret.txt" }}
"""


@pytest.fixture(scope="module")
def seaweed(request):
    return shared(request, run_seaweed)


@pytest.fixture
def bucket(seaweed, tmp_path):
    """An empty bucket, with pages."""
    (tmp_path / "key.txt").write_text(seaweed.access_key_id)
    (tmp_path / "secret.txt").write_text(seaweed.secret_access_key)
    config = CONFIG.format(bucket=seaweed.new_bucket(), url=seaweed.url, region=seaweed.region)
    (tmp_path / "wheelrelay.toml").write_text(config)
    return load_config(tmp_path / "wheelrelay.toml").remote("bucket")


def route_from(web, bucket, **keys):
    return Route(source=Remote("here", ListingConfig(url=web.url)), sinks=[bucket], **keys)


def test_a_mirror_with_a_killed_worker_arrives_in_a_bucket(cluster, dist, bucket):
    with acting_source(dist, lambda: kill_one(cluster._client), at=7) as web:
        receipt = wheelrelay.relay(route_from(web, bucket, mode="mirror"), engine=cluster)
    assert receipt.is_complete
    listed = {file.filename: file.sha256 for file in wheelrelay.list_files(bucket)}
    assert listed == {file.filename: file.sha256 for file in receipt.files}
    assert set(listed) == {path.name for path in dist.iterdir()}
    assert wheelrelay.check_index(bucket) == []
    assert wheelrelay.verify(bucket, engine=cluster) == []


def test_a_release_arrives_in_a_bucket(cluster, source, bucket):
    receipt = wheelrelay.relay(route_from(source, bucket), engine=cluster)
    assert receipt.is_complete
    assert wheelrelay.check_index(bucket) == []
