"""The platform types of `wheel-uploader`, and the platform tags that they match."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from wheelrelay.errors import ConfigError
from wheelrelay.model import DistFile, Kind
from wheelrelay.tags import TagPattern

FAMILIES = {
    "all": ("*",),
    "any": ("any",),
    "linux": ("linux_*", "manylinux*", "musllinux_*"),
    "ios": ("ios_*",),
    "android": ("android_*",),
    "macosx": ("macosx_*",),
    "manylinux": ("manylinux*",),
    "musllinux": ("musllinux_*",),
    "win": ("win32", "win_*"),
}
"""The general types, with patterns of platform tags."""

_SPECIFIC = re.compile(r"(?P<family>linux|ios|android|macosx|manylinux|musllinux|win)(32|1|20\d\d|_\w+)")

ALIASES = {
    "manylinux1": "manylinux_2_5",
    "manylinux2010": "manylinux_2_12",
    "manylinux2014": "manylinux_2_17",
}
"""Platforms with two names (PEP 600)."""


@dataclass(frozen=True, slots=True)
class PlatformType:
    """A platform type; pure wheels match every type.

    Attributes:
        name: the name on the command line.
        family: the general type that includes this one; the same as ``name`` for a general type.
    """

    name: str
    family: str

    @classmethod
    def parse(cls, name: str) -> "PlatformType":
        """Return a type by its name: one of `FAMILIES`, or specific, such as ``manylinux2014``.

        Raises:
            ConfigError: The type is unknown.
        """
        if name in FAMILIES:
            return cls(name, name)
        match = _SPECIFIC.fullmatch(name)
        if match is None:
            raise ConfigError(
                f"Unknown platform type {name!r}.",
                hint=f"Use {', '.join(FAMILIES)}, or a specific one such as manylinux2014 or win_amd64.",
            )
        return cls(name, match["family"])

    def patterns(self) -> tuple[str, ...]:
        """Return the tag patterns of this type, including free-threaded Pythons."""
        return _patterns(*self._platforms(), "any")

    def matches(self, file: DistFile) -> bool:
        """Whether a file is a wheel of this type."""
        return _matches(file, self.patterns())

    def split(self, files: Iterable[DistFile]) -> tuple[list[DistFile], list[DistFile]]:
        """Return the wheels of exactly this type, and the other wheels of its family."""
        family = [file for file in files if _matches(file, _patterns(*FAMILIES[self.family]))]
        exact = [file for file in family if _matches(file, _patterns(*self._platforms()))]
        return exact, [file for file in family if file not in exact]

    def _platforms(self) -> tuple[str, ...]:
        aliases = ALIASES | {new: old for old, new in ALIASES.items()}
        names = (self.name, *([aliases[self.name]] if self.name in aliases else []))
        return FAMILIES.get(self.name) or tuple(pattern for name in names for pattern in (name, f"{name}_*"))


def _patterns(*platforms: str) -> tuple[str, ...]:
    """Return tag patterns for any Python; ``*`` alone does not match free-threaded ABIs."""
    return tuple(f"*-{abi}-{platform}" for platform in platforms for abi in ("*", "*t"))


def _matches(file: DistFile, patterns: Iterable[str]) -> bool:
    parsed = (pattern for text in patterns for pattern in TagPattern.parse(text))
    return file.kind is Kind.WHEEL and any(pattern.matches(file.tags) for pattern in parsed)
