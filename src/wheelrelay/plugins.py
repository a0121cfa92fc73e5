"""Find plugins by their entry points: list them without importing, load one, refuse clashes."""

import sys
from dataclasses import dataclass
from functools import cache
from importlib.metadata import Distribution, EntryPoint, distributions

from packaging.utils import canonicalize_name

from wheelrelay.errors import DuplicateBackend, PluginLoadError, UnknownBackend

BACKEND_GROUP = "wheelrelay.backends"
"""The entry-point group of backends; an entry's name is the ``type``, its object the config class."""

CHECK_GROUP = "wheelrelay.checks"
"""The entry-point group of checks; an entry names a `FileChecks` or a `ReleaseChecks`."""

KNOWN_PLUGINS = {
    "cloudfiles": "wheelrelay-cloudfiles",
    "swift": "wheelrelay-cloudfiles",
    "s3": "wheelrelay-s3",
}
"""Types that distributions of this project provide when they are installed beside it."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """An installed plugin, not imported yet.

    Attributes:
        name: the entry point's name.
        package: the distribution that brings it.
        version: that distribution's version.
        entry: the entry point.
    """

    name: str
    package: str
    version: str
    entry: EntryPoint

    def load(self) -> object:
        """Import the plugin and give what its entry point names.

        Raises:
            PluginLoadError: it, or something that it needs, cannot be imported.
        """
        try:
            return self.entry.load()
        except (Exception, SystemExit) as error:
            raise PluginLoadError(
                f"{self.name!r} from {self.package} {self.version} cannot be loaded: {error}.",
                hint=f"Reinstall it: pip install --force-reinstall {self.package}.",
            ) from error


def installed_plugins(group: str) -> dict[str, Plugin]:
    """All plugins of a group by name, sorted; nothing is imported.

    Raises:
        DuplicateBackend: two distributions claim one name.
    """
    found: dict[str, Plugin] = {}
    for plugin in _scan(group):
        other = found.setdefault(plugin.name, plugin)
        if other.package != plugin.package:
            raise DuplicateBackend(
                f"Both {other.package} and {plugin.package} provide {plugin.name!r} ({group}).",
                hint="Uninstall one of them.",
            )
    return found


def find_plugin(group: str, name: str) -> Plugin:
    """The one plugin of this name.

    Raises:
        UnknownBackend: there is none; says what is installed and what would provide it.
        DuplicateBackend: two distributions claim one name.
    """
    known = installed_plugins(group)
    if name in known:
        return known[name]
    import difflib

    hint = f"Installed are: {', '.join(known)}."
    if name in KNOWN_PLUGINS:
        hint = f"Install it: pip install {KNOWN_PLUGINS[name]}. {hint}"
    elif close := difflib.get_close_matches(name, known, n=1):
        hint = f"Did you mean {close[0]!r}? {hint}"
    raise UnknownBackend(f"There is no backend of type {name!r}.", hint=hint)


@cache
def _scan(group: str) -> tuple[Plugin, ...]:
    """The group's entry points by name; of a distribution that is met twice on the path the first counts."""
    found: dict[str, list[Plugin]] = {}
    for distribution, text in _distributions(tuple(sys.path)):
        if f"[{group}]" in text:  # only what is ours is parsed: there may be hundreds
            package, version = distribution.name, distribution.version
            entries = distribution.entry_points.select(group=group)
            plugins = [Plugin(entry.name, package, version, entry) for entry in entries]
            found.setdefault(canonicalize_name(package), plugins)
    every = (plugin for plugins in found.values() for plugin in plugins)
    return tuple(sorted(every, key=lambda plugin: (plugin.name, plugin.package)))


@cache
def _distributions(path: tuple[str, ...]) -> tuple[tuple[Distribution, str], ...]:
    """The distributions on an import path that have entry points, each with the file that tells them."""
    told = ((each, each.read_text("entry_points.txt")) for each in distributions(path=list(path)))
    return tuple((each, text) for each, text in told if text)
