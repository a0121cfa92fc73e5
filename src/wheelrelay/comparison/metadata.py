"""The metadata of a release that installers and users notice."""

from configparser import ConfigParser, Error

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from wheelrelay.core_metadata import parse_core_metadata
from wheelrelay.lazy_dataclass import dataclass

MAX_LICENSE = 80
"""Characters of a license that are kept: some projects put the whole text into the field."""


@dataclass(frozen=True, slots=True)
class ReleaseMetadata:
    """The metadata of a release, read from one of its files.

    Attributes:
        filename: The file that it was read from.
        requires_python: ``Requires-Python``, if any.
        license: ``License-Expression``, or else the first line of ``License`` or the license classifiers.
        dependencies: ``Requires-Dist``, normalized.
        extras: ``Provides-Extra``, normalized.
        entry_points: As ``[group] name = object``; ``None`` if the file is an sdist, which has none.
    """

    filename: str
    requires_python: str | None = None
    license: str | None = None
    dependencies: frozenset[str] = frozenset()
    extras: frozenset[str] = frozenset()
    entry_points: frozenset[str] | None = None

    @classmethod
    def parse(cls, filename: str, core: bytes, entry_points: bytes | None) -> "ReleaseMetadata":
        r"""Parse the metadata files of a distribution file.

        Args:
            filename: The file.
            core: METADATA or PKG-INFO.
            entry_points: ``entry_points.txt``; ``None`` for an sdist.

        >>> text = b"Metadata-Version: 2.4\nName: a\nVersion: 1\nRequires-Dist: B_c >=1\n"
        >>> ReleaseMetadata.parse("a-1-py3-none-any.whl", text, b"[x]\nb = a:b\n").dependencies
        frozenset({'b-c>=1'})
        """
        raw = parse_core_metadata(core).raw
        classifiers = [text for text in raw.get("classifiers", ()) if text.startswith("License ::")]
        named = raw.get("license_expression") or raw.get("license") or "; ".join(classifiers)
        return cls(
            filename,
            raw.get("requires_python"),
            _first_line(named),
            frozenset(map(_normalized, raw.get("requires_dist", ()))),
            frozenset(map(canonicalize_name, raw.get("provides_extra", ()))),
            None if entry_points is None else _entry_points(entry_points),
        )


def _first_line(text: str) -> str | None:
    line = text.strip().partition("\n")[0].strip()
    return f"{line[: MAX_LICENSE - 3]}..." if len(line) > MAX_LICENSE else line or None


def _normalized(text: str) -> str:
    """Return a requirement in one spelling, so that two releases can be compared."""
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        return text
    requirement.name = canonicalize_name(requirement.name)
    return str(requirement)


def _entry_points(text: bytes) -> frozenset[str]:
    parser = ConfigParser(delimiters=("=",), strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[method-assign,assignment]  # names are case-sensitive
    try:
        parser.read_string(text.decode("utf-8", "replace"))
    except Error:
        return frozenset(filter(None, map(str.strip, text.decode("utf-8", "replace").split("\n"))))
    return frozenset(
        f"[{group}] {name} = {value}" for group in parser.sections() for name, value in parser[group].items()
    )
