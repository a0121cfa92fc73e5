"""Platforms that the tags of wheels are for, and the tags that each accepts."""

import re
from collections.abc import Iterable, Set
from functools import cache

from packaging.tags import android_platforms, ios_platforms, mac_platforms

from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.matrix import PLATFORM_NAMES, platform_label

ANY_PLATFORM = "any platform"
"""The name of the platform that only wheels for all platforms are installed on."""

OTHER_PLATFORMS = "other platforms"
"""Its name where wheels name further platforms."""

_ALIASES = {"manylinux1": (2, 5), "manylinux2010": (2, 12), "manylinux2014": (2, 17)}
"""Platform tags that stand for a version of glibc (PEP 600)."""

_VERSIONED = re.compile(r"(manylinux|musllinux|macosx|ios)_(\d+)_(\d+)_(\w+)")
_OLD_MANYLINUX = re.compile(r"(manylinux1|manylinux2010|manylinux2014)_(\w+)")
_ANDROID = re.compile(r"android_(\d+)_(\w+)")
_LINUX = re.compile(r"linux_(\w+)")
_VERSION_OF = {
    "manylinux": "glibc",
    "musllinux": "musl",
    "macosx": "macOS",
    "ios": "iOS",
    "android": "Android API level",
}
_MAC_ARCHITECTURES = ("arm64", "x86_64", "i386", "ppc64", "ppc")
_NEWEST_GLIBC = 99
"""A minor version later than all: a machine without a known version of glibc counts as a current one."""


@dataclass(frozen=True, slots=True)
class Platform:
    """A platform on which wheels are installed.

    Attributes:
        family: ``manylinux``, ``musllinux``, ``macosx``, ``ios``, ``android``, ``linux`` (a Linux with a
            current glibc), ``any`` (platforms that no wheel names), or else the whole platform tag.
        architecture: The architecture, or empty.
        version: The version of glibc, musl, macOS, iOS, or the API level of Android; ``None`` for others.
    """

    family: str
    architecture: str = ""
    version: tuple[int, int] | None = None

    @property
    def name(self) -> str:
        """Its name without the version, such as ``manylinux x86_64``, as in the table of a release."""
        if self.family == "any":
            return ANY_PLATFORM
        if self.family not in PLATFORM_NAMES:
            return platform_label(self.family)
        return f"{PLATFORM_NAMES[self.family]} {self.architecture.replace('_iphone', ' iphone')}".strip()

    @property
    def requirement(self) -> str:
        """The version that systems must have, such as ``glibc 2.17``; empty if there is none."""
        if self.version is None:
            return ""
        major, minor = self.version
        has_minor = self.family != "android" and not (self.family == "macosx" and major > 10 and minor == 0)
        return f"{_VERSION_OF[self.family]} {major}{f'.{minor}' if has_minor else ''}"

    @property
    def sort_key(self) -> tuple[int, str, tuple[int, int]]:
        """Sorts by family, in the order of the table of a release, then by architecture and version."""
        names = list(PLATFORM_NAMES)
        prefix = next((name for name in names if self.family.startswith(name)), names[-1])
        return names.index(prefix), self.architecture or self.family, self.version or (0, 0)

    def accepts(self, tag: str) -> bool:
        """Return whether wheels with a platform tag can be installed here.

        >>> Platform("macosx", "arm64", (11, 0)).accepts("macosx_10_9_universal2")
        True
        >>> Platform("manylinux", "x86_64", (2, 17)).accepts("manylinux_2_28_x86_64")
        False
        """
        return self.accepts_any({tag})

    def accepts_any(self, tags: Set[str]) -> bool:
        """Return whether wheels with one of some platform tags can be installed here."""
        return "any" in tags or bool(tags & _accepted(self))


def platforms_of(tags: Iterable[str]) -> list[Platform]:
    """Return the platforms that platform tags name, each at the oldest version that accepts a tag.

    >>> [(platform.name, platform.requirement) for platform in platforms_of(["macosx_10_9_universal2"])]
    [('macOS arm64', 'macOS 11'), ('macOS x86_64', 'macOS 10.9')]
    """
    platforms = {platform for tag in set(tags) for platform in _named(tag)}
    return sorted(platforms, key=lambda platform: platform.sort_key)


def _named(tag: str) -> list[Platform]:
    if match := _OLD_MANYLINUX.fullmatch(tag):
        return [Platform("manylinux", match[2], _ALIASES[match[1]])]
    if match := _VERSIONED.fullmatch(tag):
        family, version, architecture = match[1], (int(match[2]), int(match[3])), match[4]
        if family == "macosx":
            return _macs(tag, version)
        return [Platform(family, architecture, version)]
    if match := _ANDROID.fullmatch(tag):
        return [Platform("android", match[2], (int(match[1]), 0))]
    if match := _LINUX.fullmatch(tag):
        return [Platform("linux", match[1])]
    return [Platform(tag)]


def _macs(tag: str, version: tuple[int, int]) -> list[Platform]:
    """Return the Macs that a tag is for; those with an arm64 processor have macOS 11 or later."""
    candidates = (
        Platform("macosx", architecture, max(version, (11, 0)) if architecture == "arm64" else version)
        for architecture in _MAC_ARCHITECTURES
    )
    return [platform for platform in candidates if platform.accepts(tag)]


@cache
def _accepted(platform: Platform) -> frozenset[str]:
    """Return the platform tags of wheels that can be installed on a platform."""
    family, architecture, version = platform.family, platform.architecture, platform.version
    if family == "linux":
        return frozenset({f"linux_{architecture}", *_manylinux((2, _NEWEST_GLIBC), architecture)})
    if version is None:
        return frozenset({family})
    if family == "manylinux":
        return frozenset({f"linux_{architecture}", *_manylinux(version, architecture)})
    if family == "musllinux":
        major, newest = version
        tags = (f"musllinux_{major}_{minor}_{architecture}" for minor in range(newest + 1))
        return frozenset({f"linux_{architecture}", *tags})
    if family == "macosx":
        return frozenset(mac_platforms(version, architecture))
    if family == "ios":
        return frozenset(ios_platforms(version, architecture))
    return frozenset(android_platforms(version[0], architecture))


def _manylinux(version: tuple[int, int], architecture: str) -> set[str]:
    """Return the manylinux tags that systems with a version of glibc accept (PEP 600)."""
    major, newest = version
    tags = {f"manylinux_{major}_{minor}_{architecture}" for minor in range(newest + 1)}
    return tags | {f"{alias}_{architecture}" for alias, needed in _ALIASES.items() if needed <= version}
