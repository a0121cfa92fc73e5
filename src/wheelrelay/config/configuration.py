"""A configuration that was read: remotes and routes by their names, and why some cannot be used."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from wheelrelay.config.remotes import PRESETS, Remote, as_remote
from wheelrelay.errors import ConfigError
from wheelrelay.select import did_you_mean

if TYPE_CHECKING:
    from wheelrelay.config.routes import Route


@dataclass(frozen=True, slots=True)
class Config:
    """A loaded configuration.

    Attributes:
        path: the file that it was read from; ``None`` if there is none.
        remotes: the configured remotes by name.
        routes: the configured routes by name.
        broken: why a table cannot be used, by its path, as ``remotes.staging``: a type is not installed
            or cannot be loaded, and a route inherits this from its remotes. A machine that does not need
            the remote need not have its backend, so the error waits for whoever asks for it.
    """

    path: Path | None = None
    remotes: Mapping[str, Remote] = field(default_factory=dict)
    routes: "Mapping[str, Route]" = field(default_factory=dict)
    broken: Mapping[str, ConfigError] = field(default_factory=dict)

    def remote(self, name: str) -> Remote:
        """The configured remote of this name, a preset, or what the address stands for.

        Raises:
            ConfigError: there is none, or its backend cannot be used.
        """
        if error := self.broken.get(f"remotes.{name}"):
            raise error
        return as_remote(name, configured=self.remotes)

    def route(self, name: str) -> "Route":
        """The configured route of this name.

        Raises:
            ConfigError: there is none, or one of its remotes cannot be used.
        """
        if error := self.broken.get(f"routes.{name}"):
            raise error
        if name not in self.routes:
            there = did_you_mean([name], self.routes) if self.routes else "None is configured."
            raise ConfigError(f"There is no route {name!r}.", hint=there)
        return self.routes[name]

    def route_names(self) -> list[str]:
        """The names of all configured routes, usable here or not."""
        unusable = [path.removeprefix("routes.") for path in self.broken if path.startswith("routes.")]
        return sorted([*self.routes, *unusable])


def looks_like_remote(word: str, config: Config) -> bool:
    """Whether a word on the command line can only mean a remote: a known name, or an address.

    The name of a section of ``~/.pypirc`` may be that of a project as well, as for a token of its own; it
    counts where no route is configured that a requirement could be for.
    """
    known = word in config.remotes or f"remotes.{word}" in config.broken or word in PRESETS
    if known or "/" in word or word.startswith((".", "~")):
        return True
    from wheelrelay.config.pypirc import sections

    return not config.route_names() and word in sections()
