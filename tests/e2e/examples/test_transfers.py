"""The configurations among the examples work: their commands are run, with servers of the tests behind."""

import os
import subprocess
import time
import tomllib

import jsonschema
import pytest
from tests.e2e.examples.transfers import (
    FILES,
    TAGS,
    TRANSFERS,
    Work,
    addresses,
    commands,
    s3_keys,
    stand_in,
)
from tests.servers.anaconda import OWNER, TOKEN, run_anaconda
from tests.servers.installers import pip_install
from tests.servers.process import script
from tests.servers.pypi import run_pypi
from tests.servers.rackspace import API_KEY, USERNAME, run_rackspace
from tests.servers.seaweed import run_seaweed
from tests.servers.shared import shared, shared_swift

from wheelrelay.cli.config_template import toml_value
from wheelrelay.config import load_config
from wheelrelay.config.schema import json_schema
from wheelrelay.testing.samples import make_sdist, make_wheel

DAY = 86400.0


@pytest.fixture
def work(tmp_path):
    return Work(tmp_path)


@pytest.fixture(scope="module")
def seaweed(request):
    """SeaweedFS, which speaks S3."""
    return shared(request, run_seaweed)


@pytest.fixture(scope="module")
def swift(request):
    """OpenStack Swift."""
    return shared_swift(request)


@pytest.fixture
def rackspace(swift):
    """Rackspace's identity service before it."""
    with run_rackspace(swift) as server:
        yield server


@pytest.fixture
def testpypi():
    """Another index like PyPI."""
    with run_pypi() as index:
        yield index


def test_each_example_exists_and_is_in_the_readme():
    assert len(FILES) == 13
    readme = (TRANSFERS / "README.md").read_text()
    assert [path.name for path in FILES if f"({path.name})" not in readme] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_example_is_a_valid_configuration_with_instructions(path):
    config = load_config(path)
    assert not config.broken
    assert config.remotes
    jsonschema.validate(tomllib.loads(path.read_text()), json_schema())
    assert len(commands(path.name)) >= 2


def test_mirror_copies_selected_files(work, open_pypiserver, pypiserver):
    upstream, company = open_pypiserver.folder, pypiserver.folder
    assert upstream
    assert company
    make_wheel(upstream, "markupsafe", "3.0.2", "cp312-cp312-manylinux_2_17_x86_64")
    make_wheel(upstream, "markupsafe", "3.0.2", "cp313-cp313-manylinux_2_17_x86_64")
    make_sdist(upstream, "markupsafe", "3.0.2")
    make_wheel(upstream, "packaging", "25.0")
    make_wheel(upstream, "packaging", "24.0")
    changes = {
        "remotes.local-pypi": {"type": "index", "url": open_pypiserver.simple_url},
        "remotes.company": {**addresses(pypiserver), "username": pypiserver.username},
    }
    for _ in range(2):
        work.follow("pypi_to_private_index.toml", changes, COMPANY_PASSWORD=pypiserver.password)
        assert sorted(path.name for path in company.iterdir()) == [
            "markupsafe-3.0.2-cp312-cp312-manylinux_2_17_x86_64.whl",
            "packaging-25.0-py3-none-any.whl",
        ]


def test_mirror_has_exactly_the_locked_files(work, open_pypiserver):
    upstream = open_pypiserver.folder
    locked = [
        make_wheel(upstream, "markupsafe", "3.0.2", "cp312-cp312-manylinux_2_17_x86_64"),
        make_wheel(upstream, "markupsafe", "3.0.2", "cp312-cp312-win_amd64"),
        make_wheel(upstream, "packaging", "25.0"),
    ]
    make_wheel(upstream, "packaging", "26.0")
    make_wheel(upstream, "other", "1.0")
    lock = {"requires-python": ">=3.9", "dependencies": ["markupsafe==3.0.2", "packaging==25.0"]}
    project = "\n".join(f"{key} = {toml_value(value)}" for key, value in lock.items())
    (work.folder / "pyproject.toml").write_text(f'[project]\nname = "locked"\nversion = "0"\n{project}\n')
    command = [script("uv"), "pip", "compile", "--universal", "--no-cache", "--no-config", "pyproject.toml"]
    command += ["--default-index", open_pypiserver.simple_url, "--output-file", "pylock.toml"]
    subprocess.run(command, cwd=work.folder, check=True, capture_output=True)
    changes = {
        "remotes.local-pypi": {"type": "index", "url": open_pypiserver.simple_url},
        "remotes.mirror": {"path": str(work.folder / "mirror")},
    }
    work.follow("pypi_to_locked_mirror.toml", changes)
    assert sorted(path.name for path in (work.folder / "mirror").glob("*.whl")) == sorted(
        path.name for path in locked
    )


def test_nightlies_keep_the_newest_ten_and_recent_files(work):
    place = work.folder / "nightlies"
    for number in range(1, 13):
        make_wheel(work.dist, "sample", f"1.0.dev{number}")
    changes = {"remotes.nightlies": {"path": str(place)}}
    assert work.follow("nightlies.toml", changes)[-1] == "Removed 0 files.\n"
    for path in place.glob("*.whl"):
        if "dev2-" not in path.name:
            os.utime(path, (time.time() - 15 * DAY,) * 2)
    work.run("prune", "nightlies")
    left = sorted(int(path.name.split("dev")[1].split("-")[0]) for path in place.glob("*.whl"))
    assert left == list(range(2, 13))
    work.run("index", "nightlies", "--check")


def test_nightlies_on_anaconda_keep_the_newest_versions(work):
    with run_anaconda() as server:
        for number in range(1, 6):
            name = f"sample-1.0.dev{number}-py3-none-any.whl"
            server.add("sample", f"1.0.dev{number}", name, b"bytes", uploaded="2020-01-01 12:00:00+00:00")
        wheel = make_wheel(work.dist, "sample", "1.0.dev6")
        addresses = {"owner": OWNER, "api_url": server.api_url, "url": server.simple_url}
        work.follow("nightlies_to_anaconda.toml", {"remotes.nightlies": addresses}, ANACONDA_API_TOKEN=TOKEN)
        assert server.names() == [*(f"sample-1.0.dev{n}-py3-none-any.whl" for n in (4, 5)), wheel.name]
        index = ("--index-url", f"{server.simple_url}/{OWNER}/simple/", "--pre")
        assert pip_install(work.folder / "installed", *index, "sample") == ["sample-1.0.dev6"]


@pytest.mark.long
def test_relays_release_from_s3_to_pypi(work, seaweed, pypi):
    release = work.build(*TAGS)
    bucket = {"bucket": seaweed.new_bucket(), "endpoint_url": seaweed.url, "region": seaweed.region}
    changes = {"remotes.staging": bucket, "remotes.local-pypi": stand_in(pypi)}
    env = {**s3_keys(seaweed), "PYPI_TOKEN": pypi.accounts["__token__"]}
    work.follow("s3_to_pypi.toml", changes, **env)
    assert sorted(pypi.sent()) == release
    assert (work.folder / "receipt.json").is_file()


@pytest.mark.long
def test_relays_release_from_cloud_files_to_testpypi_then_pypi(work, rackspace, testpypi, pypi):
    release = work.build(*TAGS)
    container = {"container": work.folder.name, "auth_url": rackspace.auth_url}
    changes = {
        "remotes.staging": container,
        "remotes.local-testpypi": stand_in(testpypi),
        "remotes.local-pypi": stand_in(pypi),
    }
    token = pypi.accounts["__token__"]
    secrets = {"RACKSPACE_USERNAME": USERNAME, "RACKSPACE_API_KEY": API_KEY}
    work.follow(
        "cloudfiles_to_testpypi_then_pypi.toml", changes, **secrets, PYPI_TOKEN=token, TESTPYPI_TOKEN=token
    )
    assert sorted(testpypi.sent()) == sorted(pypi.sent()) == release


@pytest.mark.long
def test_pip_installs_from_container(work, seaweed, tmp_path):
    work.build("py3-none-any")
    bucket = seaweed.new_bucket(public=True)
    url = f"{seaweed.url}/{bucket}/stable/"
    place = {"bucket": bucket, "endpoint_url": seaweed.url, "region": seaweed.region, "public_url": url}
    work.follow("directory_to_container.toml", {"remotes.wheels": place}, **s3_keys(seaweed))
    links = ("--no-index", "--find-links", f"{url}index.html")
    assert pip_install(tmp_path / "installed", *links, "sample") == ["sample-1.0"]
