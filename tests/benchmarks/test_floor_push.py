"""The least program that puts files into containers puts them there, and the servers verify them."""

import hashlib
import subprocess
from base64 import b64encode

import pytest

from tests.benchmarks.commands import python
from tests.servers.seaweed import run_seaweed
from tests.servers.shared import shared, shared_swift

CONTENTS = {"first-1.0-py3-none-any.whl": b"first", "second-1.0+cpu-py3-none-any.whl": bytes(600_000)}


@pytest.fixture
def paths(tmp_path):
    for name, content in CONTENTS.items():
        (tmp_path / name).write_bytes(content)
    return [str(tmp_path / name) for name in CONTENTS]


def push(env, kind, container, paths):
    """Return whether all files were accepted."""
    command = python("floor_push.py", kind, container, *paths)
    return not subprocess.run(command, env=env, capture_output=True, check=False).returncode


def test_puts_files_into_swift(request, paths):
    swift = shared_swift(request)
    swift.make_container("floor")
    env = {"ST_AUTH": f"{swift.auth_url}/v1.0", "ST_USER": swift.username, "ST_KEY": swift.password}
    assert push(env, "swift", "floor", paths)
    for name, content in CONTENTS.items():
        assert swift.call("GET", f"floor/{name}") == content
    assert not push(env, "swift", "floor", paths)


def test_puts_files_into_s3(request, paths):
    server = shared(request, run_seaweed)
    client, bucket = server.client(), server.new_bucket()
    env = {
        "AWS_ENDPOINT_URL": server.url,
        "AWS_DEFAULT_REGION": server.region,
        "AWS_ACCESS_KEY_ID": server.access_key_id,
        "AWS_SECRET_ACCESS_KEY": server.secret_access_key,
    }
    assert push(env, "s3", bucket, paths)
    for name, content in CONTENTS.items():
        stored = client.get_object(Bucket=bucket, Key=name, ChecksumMode="ENABLED")
        assert stored["Body"].read() == content
        assert stored["ChecksumSHA256"] == b64encode(hashlib.sha256(content).digest()).decode()
    assert not push(env, "s3", bucket, paths)
