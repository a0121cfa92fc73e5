"""Many jobs push at once, two push one name, and pip installs from the public address."""

import json
import subprocess
import tomllib
import urllib.request

import pytest
from tests.servers.installers import pip_download, pip_install
from tests.servers.process import script
from tests.servers.writers import push_at_once, require_one_winner

from wheelrelay.config.remote_types import make_config
from wheelrelay.testing import make_sdist, make_wheel, stage_path
from wheelrelay_gcs.config import GcsConfig
from wheelrelay_gcs.uploads import PART


def sha256_of(path):
    return stage_path(path).sha256


@pytest.mark.long
def test_thirty_pushes_at_once_leave_correct_pages(config, opened, tmp_path):
    digests = push_at_once(config, tmp_path, 30)
    store = opened(config)
    assert store.check_pages() == []
    assert {file.filename: file.sha256 for file in store.iter_files("sample")} == digests


def test_exactly_one_of_several_writers_wins(config, tmp_path):
    require_one_winner(config, tmp_path)


def test_exactly_one_of_two_writers_in_parts_wins(config, tmp_path):
    require_one_winner(config, tmp_path, size=PART + 1_000, writers=2)


@pytest.mark.long
def test_pip_installs_from_the_public_address(config, opened, fake_gcs, tmp_path):
    store = opened(config)
    wheel, sdist = make_wheel(tmp_path), make_sdist(tmp_path)
    for path in (wheel, sdist):
        store.put(stage_path(path))
    store.finalize({"sample"})
    public = f"{fake_gcs.url}/{config.bucket}/{config.prefix}"
    pip_install(tmp_path / "installed", "--index-url", f"{public}/simple/", "sample")
    pip_download(tmp_path / "downloaded", "--index-url", f"{public}/simple/", "sample")
    assert (tmp_path / "downloaded" / wheel.name).read_bytes() == wheel.read_bytes()
    with urllib.request.urlopen(f"{public}/simple/sample/", timeout=10) as page:
        assert page.headers["Content-Type"] == "text/html; charset=utf-8"


@pytest.mark.long
def test_push_to_an_address_of_an_emulator(fake_gcs, tmp_path, monkeypatch):
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", fake_gcs.url)
    wheel = make_wheel(tmp_path / "dist")
    address = f"gs://{fake_gcs.new_bucket()}/nightly"

    def run(*words):
        return subprocess.run([script("wheelrelay"), *words], capture_output=True, text=True, check=False)

    pushed = run("push", str(tmp_path / "dist"), "--to", address)
    assert pushed.returncode == 0, pushed.stderr
    [listed] = json.loads(run("list", address, "--json").stdout)
    assert (listed["filename"], listed["sha256"]) == (wheel.name, sha256_of(wheel))
    assert run("index", address, "--check").returncode == 0


def test_configuration_in_the_readme_is_valid(request):
    readme = (request.config.rootpath / "plugins" / "wheelrelay-gcs" / "README.md").read_text()
    tables = tomllib.loads(readme.partition("```toml\n")[2].partition("```")[0])["remotes"]
    for keys in tables.values():
        kind = keys.pop("type")
        assert isinstance(make_config(kind, keys, where="README.md"), GcsConfig)
