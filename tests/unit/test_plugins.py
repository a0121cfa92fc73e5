"""Plugins are found by their entry points, imported only when used, and never clash silently."""

import importlib.metadata
import sys

import pytest

from wheelrelay.errors import DuplicateBackend, PluginLoadError, UnknownBackend
from wheelrelay.plugins import BACKEND_GROUP, KNOWN_PLUGINS, find_plugin, installed_plugins


class Site:
    """A folder of installed distributions, each with entry points of a group that is this test's own."""

    def __init__(self, folder):
        self.folder = folder
        self.group = f"wheelrelay.test.{folder.parent.name}"

    def install(self, package, code="", **entries):
        """Install a distribution with one module and these entry points."""
        info = self.folder / f"{package.replace('-', '_')}-2.5.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 2.5\n")
        lines = "".join(f"{name} = {value}\n" for name, value in entries.items())
        (info / "entry_points.txt").write_text(f"[{self.group}]\n{lines}")
        (self.folder / f"{package.replace('-', '_')}.py").write_text(code)


@pytest.fixture
def site(tmp_path, monkeypatch):
    """An empty folder on the import path."""
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    return Site(tmp_path / "site")


def test_plugins_are_listed_by_name_without_importing_them(site):
    site.install("site-webdav", "raise SystemExit", webdav="site_webdav:Config", dav="site_webdav:Config")
    found = installed_plugins(site.group)
    assert list(found) == ["dav", "webdav"]
    assert (found["dav"].package, found["dav"].version) == ("site-webdav", "2.5")
    assert "site_webdav" not in sys.modules


def test_load_returns_the_object_of_the_entry_point(site):
    site.install("site-good", "Config = 42", good="site_good:Config")
    assert find_plugin(site.group, "good").load() == 42


@pytest.mark.parametrize(
    "code",
    ["import no_such_module", "", "Config = 1 / 0", "def broken(:", "raise RuntimeError('no licence')"],
)
def test_import_error_names_the_plugin_and_its_package(site, code):
    package = f"site-broken-{abs(hash(code))}"
    site.install(package, code, broken=f"{package.replace('-', '_')}:Config")
    with pytest.raises(PluginLoadError, match=f"'broken' from {package} 2.5 cannot be loaded") as caught:
        find_plugin(site.group, "broken").load()
    assert caught.value.hint == f"Reinstall it: pip install --force-reinstall {package}."
    assert caught.value.__cause__ is not None


def test_duplicate_name_error_names_both_packages(site):
    site.install("site-one", webdav="site_one:Config")
    site.install("site-two", webdav="site_two:Config")
    with pytest.raises(DuplicateBackend, match="Both site-one and site-two provide 'webdav'"):
        installed_plugins(site.group)


def test_duplicate_installation_of_one_package_is_accepted(site, tmp_path, monkeypatch):
    again = Site(tmp_path / "again")
    monkeypatch.syspath_prepend(str(again.folder))
    for place in (site, again):
        place.install("site-webdav", webdav="site_webdav:Config")
    assert list(installed_plugins(site.group)) == ["webdav"]


def test_unknown_type_error_lists_similar_and_installed_types(site):
    site.install("site-webdav", webdav="site_webdav:Config", ftp="site_webdav:Config")
    with pytest.raises(UnknownBackend, match=r"no backend of type 'webdaf'") as caught:
        find_plugin(site.group, "webdaf")
    assert caught.value.hint == "Did you mean 'webdav'? Installed types: ftp, webdav."


def test_start_of_a_type_suggests_the_type(site):
    site.install("site-gitlab", **{"gitlab-packages": "site_gitlab:Config"})
    with pytest.raises(UnknownBackend) as caught:
        find_plugin(site.group, "gitlab")
    assert "Did you mean 'gitlab-packages'?" in caught.value.hint


@pytest.mark.parametrize(("name", "extra"), KNOWN_PLUGINS.items())
def test_error_for_a_type_of_a_plugin_names_the_command_that_installs_it(site, name, extra):
    with pytest.raises(UnknownBackend) as caught:
        find_plugin(site.group, name)
    assert f"Install it: pip install 'wheelrelay[{extra}]'." in caught.value.hint


def test_each_type_of_the_plugins_is_known_with_the_extra_that_installs_it():
    installed = installed_plugins(BACKEND_GROUP).values()
    types = {plugin.name: plugin.package for plugin in installed if plugin.package.startswith("wheelrelay-")}
    assert {name: f"wheelrelay-{extra}" for name, extra in KNOWN_PLUGINS.items()} == types


def test_built_in_backends_are_plugins():
    own = {
        name for name, plugin in installed_plugins(BACKEND_GROUP).items() if plugin.package == "wheelrelay"
    }
    assert own == {"directory", "fsspec", "listing", "index", "pypi", "testpypi", "web"}
    assert find_plugin(BACKEND_GROUP, "index").version == importlib.metadata.version("wheelrelay")
