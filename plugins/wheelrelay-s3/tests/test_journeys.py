"""Whole ways: CI pushes into a bucket, a release goes out of one and into one, many push at once."""

import json
import signal
import subprocess
import sys
import tomllib

import pytest
from tests.servers.indexes import run_pypiserver
from tests.servers.process import script

import wheelrelay
from wheelrelay import Remote, Route
from wheelrelay.backends.index import IndexConfig
from wheelrelay.config.remote_types import make_config
from wheelrelay.testing import make_sdist, make_wheel, stage_path
from wheelrelay_s3.config import S3Config

WHEEL, SDIST = "sample-1.0-py3-none-any.whl", "sample-1.0.tar.gz"


@pytest.fixture
def dist(tmp_path):
    make_wheel(tmp_path / "dist")
    make_sdist(tmp_path / "dist")
    return tmp_path / "dist"


@pytest.fixture
def aws(seaweed, monkeypatch):
    """The variables that CI gives to a push to an address."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", seaweed.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", seaweed.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", seaweed.secret_access_key)
    return seaweed


def run(*words):
    return subprocess.run([script("wheelrelay"), *words], capture_output=True, text=True, check=False)


def sha256_of(path):
    return stage_path(path).sha256


@pytest.mark.long
def test_push_to_an_address_makes_an_index(aws, dist):
    address = f"s3://{aws.new_bucket()}/nightly"
    pushed = run("push", str(dist), "--to", address)
    assert pushed.returncode == 0, pushed.stderr
    listed = json.loads(run("list", address, "--json").stdout)
    assert {file["filename"]: file["sha256"] for file in listed} == {
        path.name: sha256_of(path) for path in dist.iterdir()
    }
    assert run("index", address, "--check").returncode == 0


@pytest.mark.long
def test_relays_between_buckets_and_indexes(seaweed, configured, dist, tmp_path):
    staging, archive = Remote("staging", configured(seaweed)), Remote("archive", configured(seaweed))
    wheelrelay.push([dist], to=staging)
    (tmp_path / "pypiserver").mkdir()
    with run_pypiserver(tmp_path / "pypiserver") as server:
        index = Remote("index", IndexConfig(url=server.simple_url, upload_url=server.upload_url))
        for source, sink in ((staging, index), (index, archive)):
            receipt = wheelrelay.relay(Route(source=source, sinks=[sink]), ["sample==1.0"])
            assert receipt.is_complete
    shown = {file.filename: file.sha256 for file in wheelrelay.list_files(archive, ["sample"])}
    assert shown == {path.name: sha256_of(path) for path in dist.iterdir()}


PUSH = """
import os, signal, sys
from pathlib import Path
from wheelrelay.testing import stage_path
from wheelrelay_s3.config import S3Config

staged = stage_path(Path(sys.argv[2]))
with S3Config.model_validate_json(sys.argv[1]).open() as store:
    print("ready", flush=True)
    sys.stdin.read(1)
    store.put(staged)
    if sys.argv[3] == "dies":
        os.kill(os.getpid(), signal.SIGKILL)
    store.finalize({staged.file.project})
"""


@pytest.mark.long
def test_twenty_processes_leave_correct_pages_although_one_is_killed(seaweed, configured, opened, tmp_path):
    config = configured(seaweed)
    wheels = [make_wheel(tmp_path, "sample", f"{n}.0") for n in range(20)]
    command = [sys.executable, "-c", PUSH, config.model_dump_json(exclude_unset=True)]
    pushes = [
        subprocess.Popen(
            [*command, str(wheel), "dies" if n == 7 else "lives"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for n, wheel in enumerate(wheels)
    ]
    for push in pushes:
        assert push.stdout.readline() == b"ready\n"
    for push in pushes:
        push.stdin.write(b"!")
        push.stdin.flush()
    for push in pushes:
        push.communicate(timeout=100)
    assert [push.returncode for push in pushes] == [0] * 7 + [-signal.SIGKILL] + [0] * 12
    store = opened(config)
    assert store.check_pages() == []
    assert {file.filename: file.sha256 for file in store.iter_files("sample")} == {
        wheel.name: sha256_of(wheel) for wheel in wheels
    }


def test_configuration_in_the_readme_is_valid(request):
    readme = (request.config.rootpath / "plugins" / "wheelrelay-s3" / "README.md").read_text()
    tables = tomllib.loads(readme.partition("```toml\n")[2].partition("```")[0])["remotes"]
    for keys in tables.values():
        kind = keys.pop("type")
        assert isinstance(make_config(kind, keys, where="README.md"), S3Config)
