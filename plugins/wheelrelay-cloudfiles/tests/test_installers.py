"""pip and uv install from a container as Swift's own web server shows it."""

import json
from urllib.parse import unquote

import pytest
from tests.servers.installers import pip_install, pip_resolve, uv_install

from wheelrelay.testing import make_wheel, stage_path

INSTALLED = ["needed-1.0", "sample-1!2.0+local.1"]


@pytest.fixture
def served(swift, container, config_for, tmp_path):
    """The address of a folder in a public container that holds two wheels and their pages."""
    address = swift.make_container(container, public=True)
    with config_for(swift, prefix="some/prefix").open() as store:
        for wheel in (
            make_wheel(tmp_path / "made", "sample", "1!2.0+local.1", metadata={"Requires-Dist": "needed"}),
            make_wheel(tmp_path / "made", "needed", "1.0"),
        ):
            store.put(stage_path(wheel))
        store.finalize({"sample", "needed"})
    return f"{address}/some/prefix/"


@pytest.mark.parametrize("install", [pip_install, uv_install])
def test_they_install_from_it_as_an_index(install, served, tmp_path):
    assert install(tmp_path / "there", "--index-url", f"{served}simple/", "sample") == INSTALLED


@pytest.mark.parametrize("install", [pip_install, uv_install])
def test_they_install_from_its_flat_page(install, served, tmp_path):
    flat = f"{served}index.html"
    assert install(tmp_path / "there", "--no-index", "--find-links", flat, "sample") == INSTALLED


def test_pip_fetches_metadata_alone_when_it_only_resolves(served, swift):
    before = len(swift.log.read_text())
    report = json.loads(pip_resolve("--index-url", f"{served}simple/", "sample"))
    assert {item["metadata"]["name"] for item in report["install"]} == {"sample", "needed"}
    lines = swift.log.read_text()[before:].splitlines()
    fetched = [unquote(unquote(line)) for line in lines if " GET " in line and "pip/" in line]
    assert sum(".whl.metadata " in line for line in fetched) == 2
    assert not any(".whl " in line for line in fetched)
