"""Releases are relayed from every kind of source to every kind of sink, and can be installed."""

import os
import subprocess
import sys

import pytest
from tests.e2e.scenarios.helpers import SDIST, all_are, digests, index_remote, relay, shown
from tests.servers.openpgp import armored, signature
from tests.servers.process import script
from tests.servers.web import read

import wheelrelay
from wheelrelay import Remote, Route
from wheelrelay.backends.index import IndexConfig
from wheelrelay.records import Action, Outcome
from wheelrelay.testing import make_wheel


class TestSourcesAndSinks:
    @pytest.fixture(params=["directory", "listing", "index"])
    def source(self, request, dist, open_pypiserver):
        if request.param == "directory":
            return Remote("dist", wheelrelay.load_config().remote(str(dist)).config)
        if request.param == "listing":
            return request.getfixturevalue("listing")
        for path in dist.iterdir():
            (open_pypiserver.folder / path.name).write_bytes(path.read_bytes())
        return Remote("staging", IndexConfig(url=open_pypiserver.simple_url))

    def test_second_relay_skips_published_files(self, source, index, dist):
        sink = index_remote(index)
        first = relay(source, sink)
        assert first.is_complete
        assert all_are(Outcome.PUBLISHED, first)
        assert shown(sink) == digests(dist)
        assert {file.filename: file.sha256 for file in first.files} == digests(dist)
        second = relay(source, sink)
        assert all_are(Outcome.SKIPPED, second)
        assert shown(sink) == digests(dist)

    def test_relay_to_directory_downloads(self, source, dist, wheelhouse):
        assert all_are(Outcome.PUBLISHED, relay(source, str(wheelhouse)))
        assert digests(wheelhouse) == digests(dist)
        assert all_are(Outcome.SKIPPED, relay(source, str(wheelhouse)))
        assert digests(wheelhouse) == digests(dist)

    def test_plan_changes_nothing(self, source, wheelhouse):
        plan = wheelrelay.plan(Route(source=source, sinks=[str(wheelhouse)]), ["sample"])
        assert plan.count(str(wheelhouse), Action.UPLOAD) == 4
        assert not wheelhouse.exists()


@pytest.fixture(scope="session")
def environment(tmp_path_factory):
    """The interpreter of a virtual environment to install into."""
    folder = tmp_path_factory.mktemp("environment") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    return folder / "bin" / "python"


class TestInstallers:
    @pytest.fixture(params=["pip", "uv"])
    def install(self, request, environment, tmp_path):
        isolated = {"PIP_CONFIG_FILE": os.devnull, "UV_NO_CONFIG": "1", "UV_CACHE_DIR": str(tmp_path / "uv")}
        if request.param == "pip":
            pip = (sys.executable, "-m", "pip", "--isolated", "--disable-pip-version-check")
            command = [*pip, "--python", environment, "install", "--no-cache-dir", "--force-reinstall"]
        else:
            command = [script("uv"), "pip", "install", "--python", environment, "--reinstall"]

        def run(url, requirement):
            done = subprocess.run(
                [*command, "--index-url", url, requirement],
                env={**os.environ, **isolated},
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stderr
            code = "import sample; print(sample.__version__)"
            return subprocess.run([environment, "-c", code], capture_output=True, text=True).stdout.strip()

        return run

    def test_installers_install_relayed_files(self, install, index, dist):
        relay(dist, index_remote(index))
        assert install(index.simple_url, "sample==1.0") == "1.0"


def test_names_and_versions_are_normalized(index, tmp_path):
    folder = tmp_path / "spellings"
    make_wheel(folder, "Foo.Bar", "1.0", filename="Foo.Bar-1.0-py3-none-any.whl")
    make_wheel(folder, "foo", "1.0")
    sink = index_remote(index)
    relay(folder, sink, requirement="foo_bar==1")
    assert list(shown(sink, "FOO-BAR")) == ["Foo.Bar-1.0-py3-none-any.whl"]
    assert shown(sink, "foo") == {}


def test_signatures_are_published_with_files(web, dist, wheelhouse, open_pypiserver):
    content = armored(signature())
    (dist / f"{SDIST}.asc").write_bytes(content)
    relay(dist, str(wheelhouse))
    assert (wheelhouse / f"{SDIST}.asc").read_bytes() == content
    relay(wheelhouse, index_remote(open_pypiserver))
    assert read(open_pypiserver.url + f"packages/{SDIST}.asc") == content
