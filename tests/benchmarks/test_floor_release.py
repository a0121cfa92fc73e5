"""The least program that uploads a release uploads it, and notices if it is not there."""

import subprocess

import pytest

from tests.benchmarks.commands import python
from tests.benchmarks.scenarios.small import CONFIG
from tests.servers.indexes import run_pypiserver
from wheelrelay.testing.samples import make_sdist, make_wheel


@pytest.fixture
def folder(tmp_path):
    make_wheel(tmp_path / "dist", "bench")
    make_sdist(tmp_path / "dist", "bench")
    (tmp_path / "server").mkdir()
    return tmp_path


def test_uploads_a_release(folder):
    with run_pypiserver(folder / "server", username="bench", password="bench") as index:
        config = CONFIG.format(simple_url=index.simple_url, upload_url=index.upload_url)
        (folder / "wheelrelay.toml").write_text(config)
        command = python("floor_release.py", str(folder / "wheelrelay.toml"), "bench==1.0")
        done = subprocess.run(command, env={"TWINE_PASSWORD": "bench"}, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert len(list(index.folder.rglob("bench*"))) == 2
        again = subprocess.run(command, env={"TWINE_PASSWORD": "bench"}, capture_output=True)
        assert again.returncode != 0
