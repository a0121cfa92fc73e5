"""Derive the expected wheels of a release from those of an earlier one, as tag patterns.

The patterns are exact: each wheel of the earlier release matches one of them, and the loss of any wheel is
noticed. Versions of manylinux, musllinux and macOS become ``*``, unless two wheels differ only in them.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from wheelrelay.expect import GENERAL_ABIS
from wheelrelay.model import DistFile, Kind, Release, wheel_parts
from wheelrelay.select import releases_of

_VERSIONED = re.compile(r"(?P<family>[a-z]+)_?\d+(?:_\d+)?_(?P<architecture>\w+)")
_PYTHON = re.compile(r"(?P<kind>[a-z]+)(?P<version>\d+)")
_FREE_THREADED = re.compile(r"cp\d+t")


class _Wheel(NamedTuple):
    """The tags of one wheel; of several alternative tags, only the first ones."""

    kind: str
    version: str
    abi: str
    platform: str

    @property
    def is_free_threaded(self) -> bool:
        """Whether only free-threaded Pythons can install it."""
        return _FREE_THREADED.fullmatch(self.abi) is not None

    @property
    def general_platform(self) -> str:
        """The platform without its version."""
        return _VERSIONED.sub(r"\g<family>*_\g<architecture>", self.platform)


def derived_patterns(files: Iterable[DistFile]) -> list[str]:
    """Return tag patterns for the wheels of a release, with braces where wheels differ in one part.

    >>> from wheelrelay.filenames import dist_file
    >>> tags = ("cp312-cp312-win32", "cp313-cp313-win32", "cp313-cp313t-win32")
    >>> derived_patterns(dist_file(f"foo-1.0-{tag}.whl") for tag in tags)
    ['cp{312,313}-*-win32', 'cp313-cp*t-win32']
    """
    wheels = {_parse(file.filename) for file in files if file.kind is Kind.WHEEL and not file.variant}
    rows: dict[tuple[str, str, str], set[str]] = {}
    for wheel in wheels:
        same = [other for other in wheels if _differs_in_version_only(wheel, other)]
        platform = wheel.platform if len(same) > 1 else wheel.general_platform
        rows.setdefault((wheel.kind, _abi(wheel, wheels), platform), set()).add(wheel.version)
    groups: dict[tuple[str, str, tuple[str, ...]], list[str]] = {}
    for (kind, abi, platform), versions in sorted(rows.items()):
        groups.setdefault((kind, abi, tuple(sorted(versions, key=_order))), []).append(platform)
    patterns = [
        f"{kind}{_braces(versions)}-{abi}-{platform}"
        for (kind, abi, versions), platforms in groups.items()
        for platform in _merged(platforms)
    ]
    return sorted(patterns, key=lambda pattern: (pattern.split("-")[1] != "*", pattern))


def newest_release(files: Iterable[DistFile]) -> Release:
    """Return the newest final release of the files of one project, or the newest pre-release if none is.

    Args:
        files: Files of one project, at least one.
    """
    return max(releases_of(files), key=lambda release: (not release.version.is_prerelease, release.version))


def _parse(filename: str) -> _Wheel:
    pythons, abis, platforms = wheel_parts(filename).tags.split("-")
    python, abi = pythons.split(".")[-1], abis.split(".")[0]
    match = _PYTHON.fullmatch(python)
    kind, version = (match["kind"], match["version"]) if match else (python, "")
    return _Wheel(kind, version, abi, platforms.split(".")[0])


def _abi(wheel: _Wheel, wheels: Iterable[_Wheel]) -> str:
    """Return the ABI for a pattern: ``*``, unless that would match other wheels as well."""
    if wheel.is_free_threaded:
        return "cp*t"
    is_ambiguous = any(
        other.abi != wheel.abi
        and other[:2] == wheel[:2]
        and other.general_platform == wheel.general_platform
        and not other.is_free_threaded
        for other in wheels
    )
    return wheel.abi if is_ambiguous or wheel.abi in GENERAL_ABIS else "*"


def _differs_in_version_only(wheel: _Wheel, other: _Wheel) -> bool:
    return wheel[:3] == other[:3] and wheel.general_platform == other.general_platform


def _merged(platforms: Sequence[str]) -> Iterator[str]:
    """Yield platforms, those of one family together."""
    for family, group in groupby(sorted(platforms), key=lambda platform: platform.rpartition("*_")[0]):
        names = list(group)
        if family and len(names) > 1:
            yield f"{family}*_{_braces([name.rpartition('*_')[2] for name in names])}"
        else:
            yield from names


def _braces(choices: Sequence[str]) -> str:
    return choices[0] if len(choices) == 1 else f"{{{','.join(choices)}}}"


def _order(version: str) -> tuple[int, int]:
    return int(version[:1] or 0), int(version[1:] or 0)
