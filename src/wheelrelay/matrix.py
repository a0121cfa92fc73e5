"""The wheels of a release as a matrix of platforms and Pythons.

A platform is a family and an architecture, without the version of manylinux or macOS.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import field

from wheelrelay.lazy_dataclass import dataclass
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
"""Names of platforms by prefix of the platform tag, in the order of the rows."""

_PYTHON = re.compile(r"(cp|pp|graalpy|py)(\d)(\d*)(t?)")
_PYTHONS = ("cp", "pp", "graalpy", "py")


@dataclass(frozen=True, slots=True)
class Cell:
    """The wheels for one Python on one platform.

    Attributes:
        files: Filenames of the wheels; several if they differ in build tag or platform version.
        unexpected: Whether one of them meets no expectation.
        missing: Whether an expected wheel is missing.
    """

    files: tuple[str, ...] = ()
    unexpected: bool = False
    missing: bool = False


@dataclass(frozen=True, slots=True)
class Matrix:
    """The wheels of one release.

    Attributes:
        pythons: The columns, such as ``cp313``, ``cp313t``, ``cp39 abi3`` and ``py3``; older ones first.
        platforms: The rows, such as ``manylinux x86_64``.
        cells: The cells that are not empty, by platform and Python.
    """

    pythons: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    cells: dict[tuple[str, str], Cell] = field(default_factory=dict)

    def cell(self, platform: str, python: str) -> Cell:
        """Return the cell of a platform and a Python."""
        return self.cells.get((platform, python), Cell())


def matrix_of(
    wheels: Iterable[str],
    *,
    missing: Iterable[tuple[str, str, str]] = (),
    unexpected: Sequence[str] = (),
) -> Matrix:
    """Arrange wheels by platform and Python.

    Args:
        wheels: Valid filenames of wheels.
        missing: Python, ABI and platform of each missing wheel, as in a tag pattern. A wildcard becomes a
            part of the label.
        unexpected: Filenames that meet no expectation.

    >>> matrix = matrix_of(["foo-1.0-cp313-cp313t-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"])
    >>> matrix.platforms, matrix.pythons
    (('manylinux x86_64',), ('cp313t',))
    """
    files: dict[tuple[str, str], list[str]] = {}
    for filename in wheels:
        python, abi, platforms = wheel_parts(filename).tags.split("-")
        for platform in dict.fromkeys(platform_label(tag) for tag in platforms.split(".")):
            files.setdefault((platform, python_label(python, abi)), []).append(filename)
    absent = {(platform_label(platform), python_label(python, abi)) for python, abi, platform in missing}
    unexpected_names = set(unexpected)
    cells = {
        place: Cell(
            tuple(sorted(files.get(place, ()))),
            unexpected=not unexpected_names.isdisjoint(files.get(place, ())),
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
    """Return the label of a column.

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
    """Return the label of a row, from a platform tag or pattern.

    >>> platform_label("macosx_11_0_arm64"), platform_label("manylinux*_i686"), platform_label("win32")
    ('macOS arm64', 'manylinux i686', 'Windows x86')
    """
    family = next((family for family in PLATFORM_NAMES if tag.startswith(family)), None)
    if family is None:
        return tag
    rest = re.sub(r"^[\d_.*?]*", "", tag.removeprefix(family)) if tag != "win32" else "x86"
    return f"{PLATFORM_NAMES[family]} {rest}".strip()


def _python_order(label: str) -> tuple[int, int, int, str]:
    """Sort CPython first and older versions first; Python-only tags last."""
    found = _PYTHON.match(label)
    if found is None:
        return len(_PYTHONS), 0, 0, label
    return _PYTHONS.index(found[1]), int(found[2]), int(found[3] or 0), label


def _platform_order(label: str) -> tuple[int, str]:
    names = list(dict.fromkeys(PLATFORM_NAMES.values()))
    family, _, architecture = label.partition(" ")
    return (names.index(family) if family in names else len(names)), architecture
