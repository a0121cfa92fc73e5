"""Find plugins by their entry points, without importing them, and load them.

A plugin may import the public names of `wheelrelay` and of its modules `protocols`, `model`, `errors`,
`config`, `containers`, `http` and `testing`; everything else is private.
"""

import sys
from collections.abc import Iterable
from functools import cache
from importlib.metadata import Distribution, EntryPoint, distributions

from packaging.utils import canonicalize_name

from wheelrelay.errors import DuplicateBackend, PluginLoadError, UnknownBackend, UnknownEngine
from wheelrelay.lazy_dataclass import dataclass

BACKEND_GROUP = "wheelrelay.backends"
"""The entry-point group of backends: the name is the ``type`` of a remote, the object its config class."""

CHECK_GROUP = "wheelrelay.checks"
"""The entry-point group of checks: the object is a `FileChecks` or a `ReleaseChecks`."""

ENGINE_GROUP = "wheelrelay.engines"
"""The entry-point group of engines: the name is the ``type`` of an engine, the object its config class."""

KNOWN_PLUGINS = {
    "anaconda": "anaconda",
    "azure": "azure",
    "cloudfiles": "cloudfiles",
    "swift": "cloudfiles",
    "gcs": "gcs",
    "github-artifacts": "github",
    "github-release": "github",
    "gitlab-packages": "gitlab",
    "s3": "s3",
}
"""The extras of wheelrelay that install more types of remotes, by type."""

KNOWN_ENGINES = {"dask": "dask"}
"""The extras of wheelrelay that install engines, by type."""


def install_command(extra: str) -> str:
    """Return the command that installs an extra of wheelrelay.

    >>> install_command("s3")
    "pip install 'wheelrelay[s3]'"
    """
    return f"pip install 'wheelrelay[{extra}]'"


TYPES_BY_SCHEME = {"az": "azure", "gs": "gcs"}
"""The types of addresses whose scheme is the vendor's, and not the type."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """An installed plugin that is not imported yet.

    Attributes:
        name: The name of the entry point.
        package: The distribution that provides it.
        version: The version of that distribution.
        entry: The entry point.
    """

    name: str
    package: str
    version: str
    entry: EntryPoint

    def load(self) -> object:
        """Import the plugin and return the object of its entry point.

        Raises:
            PluginLoadError: The plugin or one of its dependencies cannot be imported.
        """
        try:
            return self.entry.load()
        except (Exception, SystemExit) as error:
            raise PluginLoadError(
                f"{self.name!r} from {self.package} {self.version} cannot be loaded: {error}.",
                hint=f"Reinstall it: pip install --force-reinstall {self.package}.",
            ) from error


def installed_plugins(group: str) -> dict[str, Plugin]:
    """Return all plugins of a group by name, sorted, without importing them.

    Raises:
        DuplicateBackend: Two distributions provide the same name.
    """
    found: dict[str, Plugin] = {}
    for plugin in _scan(group, tuple(sys.path)):
        other = found.setdefault(plugin.name, plugin)
        if other.package != plugin.package:
            raise DuplicateBackend(
                f"Both {other.package} and {plugin.package} provide {plugin.name!r} ({group}).",
                hint="Uninstall one of them.",
            )
    return found


def find_plugin(group: str, name: str) -> Plugin:
    """Return the plugin of a name.

    Raises:
        UnknownBackend: There is none. The hint has the command that installs it, and the installed types.
        UnknownEngine: The same, in the group of engines.
        DuplicateBackend: Two distributions provide the same name.
    """
    known = installed_plugins(group)
    if name in known:
        return known[name]
    import difflib

    is_engine = group == ENGINE_GROUP
    extras = KNOWN_ENGINES if is_engine else KNOWN_PLUGINS
    hint = f"Installed types: {', '.join(known) or 'none'}."
    if name in extras:
        hint = f"Install it: {install_command(extras[name])}. {hint}"
    elif close := difflib.get_close_matches(name, known, n=1) or _starting_with(name, known):
        hint = f"Did you mean {close[0]!r}? {hint}"
    if is_engine:
        raise UnknownEngine(f"There is no engine of type {name!r}.", hint=hint)
    raise UnknownBackend(f"There is no backend of type {name!r}.", hint=hint)


def _starting_with(name: str, known: Iterable[str]) -> list[str]:
    return [kind for kind in known if kind.startswith(f"{name}-")]


@cache
def _scan(group: str, path: tuple[str, ...]) -> tuple[Plugin, ...]:
    """Return the plugins of a group by name; of duplicate distributions, the first on the path counts.

    Args:
        group: The entry-point group.
        path: The import path, which may change while the process runs.
    """
    found: dict[str, list[Plugin]] = {}
    for distribution, text in _distributions(path):
        if f"[{group}]" in text:  # parsing hundreds of other distributions would be slow
            package, version = distribution.name, distribution.version
            entries = distribution.entry_points.select(group=group)
            plugins = [Plugin(entry.name, package, version, entry) for entry in entries]
            found.setdefault(canonicalize_name(package), plugins)
    plugins_found = (plugin for plugins in found.values() for plugin in plugins)
    return tuple(sorted(plugins_found, key=lambda plugin: (plugin.name, plugin.package)))


@cache
def _distributions(path: tuple[str, ...]) -> tuple[tuple[Distribution, str], ...]:
    """Return the distributions on an import path that have entry points, with their ``entry_points.txt``."""
    texts = ((found, found.read_text("entry_points.txt")) for found in distributions(path=list(path)))
    return tuple((distribution, text) for distribution, text in texts if text)
