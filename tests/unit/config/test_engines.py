"""Engines are configured by tables of their own, which the plugin of their type validates."""

import sys

import jsonschema
import pytest

from wheelrelay.config import load_config
from wheelrelay.config.schema import effective, installed_types, json_schema
from wheelrelay.errors import ConfigError, PluginLoadError, UnknownEngine
from wheelrelay.testing import ThreadEngine

PLUGIN = '''
from typing import Literal

from wheelrelay.config import EngineConfig
from wheelrelay.testing import ThreadEngine


class ThreadsConfig(EngineConfig):
    """Threads of this process."""

    type: Literal["threads"] = "threads"
    workers: int = 2

    def open(self):
        return ThreadEngine(self.workers)
'''

GOOD = '[engines.farm]\ntype = "threads"\nworkers = 3\nbatch_size = "1 GiB"\n'


def install(folder, *, code=PLUGIN, target="ThreadsConfig"):
    info = folder / f"{folder.name}-2.5.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {folder.name}\nVersion: 2.5\n")
    (info / "entry_points.txt").write_text(f"[wheelrelay.engines]\nthreads = {folder.name}:{target}\n")
    (folder / f"{folder.name}.py").write_text(code)


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A folder on the import path, whose name no other test has."""
    folder = tmp_path / f"site_of_{tmp_path.parent.name.replace('-', '_')}_{tmp_path.name}"
    monkeypatch.syspath_prepend(str(folder))
    yield folder
    sys.modules.pop(folder.name, None)


def loaded(folder, text):
    (folder / "wheelrelay.toml").write_text(text)
    return load_config(folder / "wheelrelay.toml")


def test_the_class_of_the_type_validates_an_engine(site, tmp_path):
    install(site)
    engine = loaded(tmp_path, GOOD).engine("farm")
    assert (engine.workers, engine.batch_size, engine.batch_files, engine.host_limit) == (
        3,
        1 << 30,
        500,
        None,
    )
    with engine.open() as threads:
        assert isinstance(threads, ThreadEngine)
        assert len(threads.workers()) == 3


def test_an_unknown_type_names_the_command_that_installs_it(site, tmp_path):
    config = loaded(tmp_path, '[engines.farm]\ntype = "spark"\n[engines.other]\ntype = "threads"\n')
    with pytest.raises(UnknownEngine, match=r"engines\.farm: There is no engine of type 'spark'"):
        config.engine("farm")
    with pytest.raises(UnknownEngine, match="threads"):
        config.engine("other")


def test_a_package_of_this_project_is_named_by_its_type(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if "site-packages" not in entry])
    with pytest.raises(UnknownEngine) as caught:
        loaded(tmp_path, '[engines.farm]\ntype = "dask"\n').engine("farm")
    assert caught.value.hint == "Install it: pip install 'wheelrelay[dask]'. Installed types: none."


def test_a_plugin_of_another_kind_is_refused(site, tmp_path):
    install(site, target="Literal")
    with pytest.raises(PluginLoadError, match="not a subclass of EngineConfig"):
        loaded(tmp_path, GOOD).engine("farm")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[engines.farm]\ntype = "threads"\nwokers = 3\n', "engines.farm: there is no key 'wokers'"),
        ('[engines.farm]\ntype = "threads"\nbatch_files = 0\n', "engines.farm.batch_files: "),
        ('[engines.farm]\ntype = "threads"\nbatch_size = 0\n', "engines.farm.batch_size: "),
        ("[engines.farm]\nworkers = 3\n", "engines.farm.type: this key is required"),
        ("engines = 3\n", "engines is not a table"),
        ("[engines]\nfarm = 3\n", "engines.farm is not a table"),
        ("[engine.farm]\n", "there is no key 'engine'. Did you mean 'engines'?"),
    ],
)
def test_a_wrong_key_is_named_with_its_path(site, tmp_path, text, message):
    install(site)
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, text)
    assert message in str(caught.value)


def test_a_missing_engine_error_suggests_the_configured_ones(site, tmp_path):
    install(site)
    with pytest.raises(ConfigError, match=r"There is no engine 'fram'\. Did you mean: farm\?"):
        loaded(tmp_path, GOOD).engine("fram")
    with pytest.raises(ConfigError, match="No engine is configured"):
        loaded(tmp_path, "").engine("farm")


def test_schema_and_effective_configuration_have_engines(site, tmp_path):
    install(site)
    schema = json_schema()
    jsonschema.validate({"engines": {"farm": {"type": "threads", "workers": 3}}}, schema)
    for wrong in ({"type": "threads", "wokers": 3}, {"workers": 3}, {"type": "spark"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({"engines": {"farm": wrong}}, schema)
    shown = effective(loaded(tmp_path, GOOD))["engines"]["farm"]
    assert (shown["workers"], shown["batch_files"]) == (3, 500)
    types = {one.type: one for one in installed_types()}
    assert (types["threads"].roles, types["threads"].package) == (("engine",), site.name)
