"""Lists of environments as text."""

from collections.abc import Collection, Iterable, Sequence

from wheelrelay.environments.coverage import Environment
from wheelrelay.environments.interpreters import Interpreter

_FEW = 3
"""Maximum number of platforms that are always listed by name."""


def describe_environments(environments: Iterable[Environment], known: Collection[Environment] = ()) -> str:
    """Describe environments in few words: Pythons with the same platforms, or the other way round, together.

    Args:
        environments: Interpreters and names of platforms.
        known: All environments of which these are a part. An interpreter with all its platforms is
            described without their names, if there are more than a few.

    >>> cp312, cp313 = Interpreter("cp312", "cp312"), Interpreter("cp313", "cp313")
    >>> describe_environments([(cp312, "macOS arm64"), (cp313, "macOS arm64"), (cp313, "Windows amd64")])
    'CPython 3.12 and 3.13 on macOS arm64; CPython 3.13 on Windows amd64'
    """
    platforms_of: dict[Interpreter, list[str]] = {}
    for python, platform in environments:
        platforms_of.setdefault(python, []).append(platform)
    whole: dict[int, list[Interpreter]] = {}
    rest: list[Environment] = []
    for python, platforms in platforms_of.items():
        if len(platforms) > _FEW and {name for other, name in known if other == python} == set(platforms):
            whole.setdefault(len(platforms), []).append(python)
        else:
            rest += [(python, platform) for platform in platforms]
    parts = [f"{_pythons(pythons)} on all {count} platforms" for count, pythons in whole.items()]
    return "; ".join(parts + _grouped(rest))


def _grouped(environments: Sequence[Environment]) -> list[str]:
    """Return a text for each group of Pythons or of platforms, whichever are fewer."""
    by_python: dict[Interpreter, list[str]] = {}
    by_platform: dict[str, list[Interpreter]] = {}
    for python, platform in environments:
        by_python.setdefault(python, []).append(platform)
        by_platform.setdefault(platform, []).append(python)
    platforms_of: dict[tuple[Interpreter, ...], list[str]] = {}
    for platform, pythons in by_platform.items():
        platforms_of.setdefault(tuple(pythons), []).append(platform)
    pythons_of: dict[tuple[str, ...], list[Interpreter]] = {}
    for python, platforms in by_python.items():
        pythons_of.setdefault(tuple(platforms), []).append(python)
    if len(pythons_of) < len(platforms_of):
        return [f"{_pythons(pythons)} on {_joined(names)}" for names, pythons in pythons_of.items()]
    return [f"{_pythons(pythons)} on {_joined(names)}" for pythons, names in platforms_of.items()]


def _pythons(pythons: Iterable[Interpreter]) -> str:
    """Return the names of interpreters; the name of an implementation is not repeated."""
    parts: dict[str, list[str]] = {}
    for python in sorted(pythons, key=lambda python: python.sort_key):
        name, _, version = python.label.partition(" ")
        parts.setdefault(name, []).append(version)
    return ", ".join(f"{name} {_joined(versions)}" for name, versions in parts.items())


def _joined(texts: Sequence[str]) -> str:
    return " and ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)
