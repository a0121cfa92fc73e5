"""The platform types that `wheel-uploader` knows, by what they mean and not by how a tag is spelled."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from wheelrelay.errors import ConfigError
from wheelrelay.model import DistFile, Kind
from wheelrelay.select import TagPattern

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
"""The types of several tags, with the patterns of the platform tags that each stands for."""

_NARROW = re.compile(r"(?P<family>linux|ios|android|macosx|manylinux|musllinux|win)(32|1|20\d\d|_\w+)")

SAME = {"manylinux1": "manylinux_2_5", "manylinux2010": "manylinux_2_12", "manylinux2014": "manylinux_2_17"}
"""Families that have two names (PEP 600)."""


@dataclass(frozen=True, slots=True)
class PlatformType:
    """Which wheels are meant, by platform; pure ones are of every type.

    Attributes:
        name: as written on the command line.
        family: the type that this one is a part of; itself if it is one of `FAMILIES`.
    """

    name: str
    family: str

    @classmethod
    def parse(cls, name: str) -> "PlatformType":
        """The type of this name: one of `FAMILIES`, or exact, as ``manylinux2014`` or ``win_amd64``.

        Raises:
            ConfigError: there is none.
        """
        if name in FAMILIES:
            return cls(name, name)
        found = _NARROW.fullmatch(name)
        if found is None:
            raise ConfigError(
                f"There is no platform type {name!r}.",
                hint=f"There are {', '.join(FAMILIES)}, and exact ones such as manylinux2014 and win_amd64.",
            )
        return cls(name, found["family"])

    def patterns(self) -> tuple[str, ...]:
        """The tag patterns of the wheels that are meant, those of free-threaded Pythons too."""
        return _patterns(*self._platforms(), "any")

    def means(self, file: DistFile) -> bool:
        """Whether a file is a wheel that is meant."""
        return _fits(file, self.patterns())

    def split(self, files: Iterable[DistFile]) -> tuple[list[DistFile], list[DistFile]]:
        """The wheels that are made for this very type, and those of the rest of its family."""
        of_family = [file for file in files if _fits(file, _patterns(*FAMILIES[self.family]))]
        own = [file for file in of_family if _fits(file, _patterns(*self._platforms()))]
        return own, [file for file in of_family if file not in own]

    def _platforms(self) -> tuple[str, ...]:
        other = SAME | {new: old for old, new in SAME.items()}
        names = (self.name, *([other[self.name]] if self.name in other else []))
        return FAMILIES.get(self.name) or tuple(spelled for name in names for spelled in (name, f"{name}_*"))


def _patterns(*platforms: str) -> tuple[str, ...]:
    """Tag patterns for any Python; a ``*`` alone would leave out the free-threaded ones."""
    return tuple(f"*-{abi}-{platform}" for platform in platforms for abi in ("*", "*t"))


def _fits(file: DistFile, patterns: Iterable[str]) -> bool:
    parsed = (pattern for text in patterns for pattern in TagPattern.parse(text))
    return file.kind is Kind.WHEEL and any(pattern.matches(file.tags) for pattern in parsed)
