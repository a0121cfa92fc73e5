"""The wheels of a release as a matrix of platforms by Pythons: one glance shows what is there.

Platforms are families with an architecture: which manylinux version a wheel asks for, or which macOS, matters
to installers, and not to the question whether there is one at all.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from wheelrelay.model import wheel_parts
from wheelrelay.tags import STABLE_ABIS

PLATFORM_NAMES = {
    "manylinux": "manylinux",
    "musllinux": "musllinux",
    "linux": "linux",
    "macosx": "macOS",
    "win": "Windows",
    "ios": "iOS",
    "android": "Android",
    "pyodide": "Pyodide",
    "pyemscripten": "Pyodide",
    "emscripten": "Pyodide",
    "any": "any",
}
"""How platform tags begin, and what people call the platform, in the order of showing."""

_PYTHON = re.compile(r"(cp|pp|graalpy|py)(\d)(\d*)(t?)")
_PYTHONS = ("cp", "pp", "graalpy", "py")


@dataclass(frozen=True, slots=True)
class Cell:
    """What there is for one Python on one platform.

    Attributes:
        files: the filenames of the wheels; several if they differ in build tag or platform version.
        unexpected: whether one of them meets no expectation.
        missing: whether a wheel is expected here, and there is none.
    """

    files: tuple[str, ...] = ()
    unexpected: bool = False
    missing: bool = False


@dataclass(frozen=True, slots=True)
class Matrix:
    """The wheels of one release.

    Attributes:
        pythons: the columns, as ``cp313``, ``cp313t``, ``cp39 abi3``, ``py3``; older ones first.
        platforms: the rows, as ``manylinux x86_64``.
        cells: by platform and Python; where there is nothing to say, there is none.
    """

    pythons: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    cells: dict[tuple[str, str], Cell] = field(default_factory=dict)

    def cell(self, platform: str, python: str) -> Cell:
        """What there is for one Python on one platform."""
        return self.cells.get((platform, python), Cell())


def matrix_of(
    wheels: Iterable[str],
    *,
    missing: Iterable[tuple[str, str, str]] = (),
    unexpected: Sequence[str] = (),
) -> Matrix:
    """Arrange wheels by what they run on.

    Args:
        wheels: filenames of wheels, valid ones.
        missing: Python, ABI and platform of each wheel that is expected and not there, as in a tag
            pattern; where one is left open by an asterisk, that is what its column or row is called.
        unexpected: the filenames that meet no expectation.

    >>> made = matrix_of(["foo-1.0-cp313-cp313t-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"])
    >>> made.platforms, made.pythons
    (('manylinux x86_64',), ('cp313t',))
    """
    files: dict[tuple[str, str], list[str]] = {}
    for filename in wheels:
        python, abi, platforms = wheel_parts(filename).tags.split("-")
        for platform in dict.fromkeys(platform_label(tag) for tag in platforms.split(".")):
            files.setdefault((platform, python_label(python, abi)), []).append(filename)
    absent = {(platform_label(platform), python_label(python, abi)) for python, abi, platform in missing}
    strange = set(unexpected)
    cells = {
        place: Cell(
            tuple(sorted(files.get(place, ()))),
            unexpected=not strange.isdisjoint(files.get(place, ())),
            missing=place in absent,
        )
        for place in files.keys() | absent
    }
    return Matrix(
        tuple(sorted({python for _, python in cells}, key=_python_order)),
        tuple(sorted({platform for platform, _ in cells}, key=_platform_order)),
        cells,
    )


def python_label(python: str, abi: str) -> str:
    """What a column is called.

    >>> python_label("cp313", "cp313"), python_label("cp313", "cp313t"), python_label("cp39", "abi3")
    ('cp313', 'cp313t', 'cp39 abi3')
    >>> python_label("cp315", "abi3.abi3t"), python_label("cp315", "abi3t")
    ('cp315 abi3.abi3t', 'cp315 abi3t')
    >>> python_label("py3", "none"), python_label("pp311", "pypy311_pp73"), python_label("cp313", "*")
    ('py3', 'pp311', 'cp313')
    """
    if STABLE_ABIS.keys() >= set(abi.split(".")):
        return f"{python} {abi}"
    return f"{python}t" if re.fullmatch(r"cp\d+t", abi) and not python.endswith("t") else python


def platform_label(tag: str) -> str:
    """What a row is called, by a platform tag or a pattern of one.

    >>> platform_label("macosx_11_0_arm64"), platform_label("manylinux*_i686"), platform_label("win32")
    ('macOS arm64', 'manylinux i686', 'Windows x86')
    """
    family = next((family for family in PLATFORM_NAMES if tag.startswith(family)), None)
    if family is None:
        return tag
    rest = re.sub(r"^[\d_.*?]*", "", tag.removeprefix(family)) if tag != "win32" else "x86"
    return f"{PLATFORM_NAMES[family]} {rest}".strip()


def _python_order(label: str) -> tuple[int, int, int, str]:
    """CPython first, older ones first; what is for all of them last."""
    found = _PYTHON.match(label)
    if found is None:
        return len(_PYTHONS), 0, 0, label
    return _PYTHONS.index(found[1]), int(found[2]), int(found[3] or 0), label


def _platform_order(label: str) -> tuple[int, str]:
    names = list(dict.fromkeys(PLATFORM_NAMES.values()))
    family, _, architecture = label.partition(" ")
    return (names.index(family) if family in names else len(names)), architecture
