"""The server of the tests is true: the real anaconda-client, pip and uv work with it and with our uploads."""

import json
import os
import subprocess
import sys

import pytest
from tests.servers.anaconda import OWNER, TOKEN, parse_form
from tests.servers.installed import install_once
from tests.servers.installers import pip_install, uv_install
from tests.servers.process import script

from wheelrelay.testing import make_sdist, make_wheel, stage_path

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(400),
]

CLIENT = "anaconda-client==1.16.0"


@pytest.fixture(scope="module")
def command(request):
    """The command ``anaconda``, installed from PyPI into an environment that the next run uses again."""

    def install(folder):
        environment = folder / "environment"
        subprocess.run([sys.executable, "-m", "venv", "--clear", environment], check=True)
        python = environment / "bin" / "python"
        subprocess.run([script("uv"), "pip", "install", "-q", "--python", python, CLIENT], check=True)

    version = f"{CLIENT}-python-{sys.version_info.major}.{sys.version_info.minor}"
    folder = install_once(request.config.cache.mkdir("anaconda-client") / version, install)
    return folder / "environment" / "bin" / "anaconda"


@pytest.fixture
def client(command, anaconda, home):
    """Run the client; returns its output."""
    folder = home / ".continuum" / "anaconda-client"
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(f"url: {anaconda.api_url}\n")
    standalone = {"ANACONDA_CLIENT_FORCE_STANDALONE": "1", "BINSTAR_API_TOKEN": TOKEN}

    def run(*words):
        done = subprocess.run(
            [command, *words],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **standalone},
            timeout=100,
        )
        assert done.returncode == 0, (done.stdout, done.stderr)
        return done.stdout + done.stderr

    return run


def listed(store):
    return {file.filename: file.sha256 for file in store.iter_files(None)}


def test_we_read_what_the_client_uploads(anaconda, client, store, tmp_path):
    files = [
        make_wheel(tmp_path, "Sample.Name", "1.0", metadata={"Summary": "A sample."}),
        make_sdist(tmp_path, "Sample.Name", "1.0", metadata={"Summary": "A sample."}),
    ]
    client("upload", "--user", OWNER, *files)
    staged = [stage_path(path) for path in files]
    assert listed(store) == {file.filename: file.sha256 for file in staged}
    assert [file.filename for file in store.iter_files("sample-name")] == [file.filename for file in staged]
    for file in staged:
        store.put(file)
    assert len(anaconda.packages) == 1


def test_the_client_reads_what_we_upload(client, store, tmp_path):
    wheel = stage_path(make_wheel(tmp_path, "sample", "1.0"))
    store.put(wheel)
    assert "sample-1.0-py3-none-any.whl" in client("show", f"{OWNER}/sample/1.0")
    assert "1.0" in client("show", f"{OWNER}/sample")
    output = tmp_path / "downloads"
    output.mkdir()
    client("download", f"{OWNER}/sample", "--package-type", "pypi", "--output", output)
    assert [path.read_bytes() for path in output.rglob("*.whl")] == [wheel.path.read_bytes()]


def test_we_send_the_requests_that_the_client_sends(anaconda, client, store, tmp_path):
    def sent():
        """The requests that change something, with the keys of their documents."""
        posts = [request for request in anaconda.requests if request.method == "POST"]
        return [
            (
                request.path,
                set(json.loads(request.body)) if "api" in request.path else list(parse_form(request)),
            )
            for request in posts
        ]

    wheel = make_wheel(tmp_path, "sample", "1.0", metadata={"Summary": "A sample."})
    client("upload", "--user", OWNER, wheel)
    of_client = sent()
    anaconda.packages.clear()
    anaconda.requests.clear()
    store.put(stage_path(wheel))
    assert sent() == of_client


def test_the_client_removes_what_we_upload(anaconda, client, store, tmp_path):
    for version in ("1.0", "2.0"):
        store.put(stage_path(make_wheel(tmp_path, "sample", version)))
    client("remove", "--force", f"{OWNER}/sample/1.0/sample-1.0-py3-none-any.whl")
    assert anaconda.names() == ["sample-2.0-py3-none-any.whl"]
    client("remove", "--force", f"{OWNER}/sample/2.0")
    assert anaconda.packages == {}


def test_the_client_moves_a_file_that_we_upload_to_another_label(client, config, store, tmp_path):
    with config(labels=["dev"]).open() as labelled:
        labelled.put(stage_path(make_wheel(tmp_path, "sample", "1.0")))
        name = "sample-1.0-py3-none-any.whl"
        client("move", "--from-label", "dev", "--to-label", "main", f"{OWNER}/sample/1.0/{name}")
        assert (list(listed(labelled)), list(listed(store))) == ([], [name])


def test_the_client_replaces_a_file_that_we_upload(store, anaconda, client, tmp_path):
    for version in ("1.0", "2.0"):
        store.put(stage_path(make_wheel(tmp_path, "sample", version)))
    other = make_wheel(tmp_path / "other", "sample", "2.0", payload=b"other", metadata={"Summary": "A"})
    client("upload", "--user", OWNER, "--force", other)
    assert listed(store)["sample-2.0-py3-none-any.whl"] == stage_path(other).sha256


@pytest.mark.parametrize("install", [pip_install, uv_install], ids=["pip", "uv"])
def test_installers_use_the_simple_api(install, anaconda, config, store, tmp_path):
    store.put(stage_path(make_wheel(tmp_path, "sample", "1.0")))
    with config(labels=["dev"]).open() as labelled:
        labelled.put(stage_path(make_wheel(tmp_path, "sample", "2.0.dev1")))
    stable, dev = config().address(), config(labels=["dev"]).address()
    assert install(tmp_path / "stable", "--index-url", stable, "sample") == ["sample-1.0"]
    assert install(tmp_path / "dev", "--index-url", dev, "sample==2.0.dev1") == ["sample-2.0.dev1"]
