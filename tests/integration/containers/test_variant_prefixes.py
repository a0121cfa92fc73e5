"""Variants with local versions have a prefix each, and the default variant has an alias too, like PyTorch."""

import json

import pytest
from tests.integration.containers.test_upstream_state import served
from tests.servers.installers import pip_install, uv_install

import wheelrelay
from wheelrelay.cli import main
from wheelrelay.testing import make_wheel

VARIANTS = ("cu129", "cu130", "cpu")

CONFIGURATION = """\
[remotes.default]
type = "directory"
path = "whl"
pages = true

[remotes.cu129]
type = "directory"
path = "whl/cu129"
pages = true

[remotes.cu130]
type = "directory"
path = "whl/cu130"
pages = true

[routes.cu129]
source = "./dist"
sinks = ["cu129", "default"]
local = "cu129"

[routes.cu130]
source = "./dist"
sinks = ["cu130"]
local = "cu130"
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a folder with the configuration and the wheels of all variants of two versions."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wheelrelay.toml").write_text(CONFIGURATION)
    for variant in VARIANTS:
        make_wheel(tmp_path / "dist", "sample", f"1.0+{variant}")
    return tmp_path


def relay(*arguments):
    """Run a route on the command line."""
    with pytest.raises(SystemExit) as ended:
        main(["relay", *arguments, "--yes"])
    assert ended.value.code == 0


@pytest.fixture
def published(folder):
    """Publish both variants, and return the folder that is served."""
    relay("cu129")
    relay("cu130")
    return folder / "whl"


def test_each_prefix_has_its_variant_and_the_alias_the_default_one(published):
    listed = {
        prefix: [file["filename"] for file in json.loads((published / prefix / page).read_text())["files"]]
        for page in ("simple/sample/index.json",)
        for prefix in (".", "cu129", "cu130")
    }
    cu129, cu130 = (f"sample-1.0+{variant}-py3-none-any.whl" for variant in ("cu129", "cu130"))
    assert listed == {".": [cu129], "cu129": [cu129], "cu130": [cu130]}


@pytest.mark.parametrize("install", [pip_install, uv_install])
def test_installers_find_each_variant_in_its_prefix_and_the_default_one_in_the_alias(
    published, tmp_path, install
):
    with served(published) as root:
        base = root.removesuffix("simple/")
        for number, (index, requirement, found) in enumerate(
            [
                (f"{base}cu129/simple/", "sample==1.0+cu129", "sample-1.0+cu129"),
                (f"{base}cu129/simple/", "sample", "sample-1.0+cu129"),
                (f"{base}cu130/simple/", "sample==1.0", "sample-1.0+cu130"),
                (f"{base}simple/", "sample==1.0", "sample-1.0+cu129"),
            ]
        ):
            assert install(tmp_path / str(number), "--index-url", index, requirement) == [found]


def test_alias_keeps_the_default_variant_of_each_version(published, folder):
    make_wheel(folder / "dist2", "sample", "2.0+cu130")
    route = wheelrelay.load_config().route("cu130")
    wheelrelay.relay(wheelrelay.Route(source="./dist2", sinks=[*route.sinks, "./whl"], local="cu130"))
    assert sorted(path.name for path in published.glob("*.whl")) == [
        "sample-1.0+cu129-py3-none-any.whl",
        "sample-2.0+cu130-py3-none-any.whl",
    ]
