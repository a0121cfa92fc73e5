"""Distribution files as remotes describe them, and the enumerations of options."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from enum import StrEnum
from itertools import product
from typing import NamedTuple, Self

from packaging.tags import Tag
from packaging.utils import BuildTag, NormalizedName, canonicalize_name
from packaging.version import Version

from wheelrelay.lazy_dataclass import dataclass

__all__ = [
    "COMPANION_SUFFIXES",
    "Companion",
    "Confirm",
    "CredentialCheck",
    "Digests",
    "DistFile",
    "Kind",
    "Mode",
    "Order",
    "ProjectStatus",
    "Release",
    "Shard",
]

PROVENANCE_SUFFIX = ".provenance"
"""The suffix of provenance objects (PEP 740)."""

COMPANION_SUFFIXES = (".asc", ".sigstore", ".publish.attestation", ".slsa.attestation", PROVENANCE_SUFFIX)
"""Suffixes that companion files append to the name of their distribution file."""

DIGEST_LENGTHS: Mapping[str, int] = {
    name: 2 * hashlib.new(name, usedforsecurity=False).digest_size
    for name in sorted(hashlib.algorithms_guaranteed)
    if not name.startswith("shake_")  # these digests have no fixed length
}
"""Number of hexadecimal digits of a digest, by algorithm that `hashlib` guarantees."""

EMPTY: Mapping[str, str] = {}
"""The empty mapping that all files without build information share, to save memory."""


def expanded_tags(text: str) -> frozenset[Tag]:
    """Return the tags in ``python-abi-platform``, whose parts may be compressed sets (PEP 425).

    Unlike `packaging.tags.parse_tag`, accepts any Python tag that a filename may have, such as ``cp3.14``.
    """
    pythons, abis, platforms = (part.split(".") for part in text.split("-"))
    return frozenset(Tag(*parts) for parts in product(pythons, abis, platforms))


class WheelParts(NamedTuple):
    """The parts of a wheel's filename after name and version.

    Attributes:
        build: The build tag, or empty.
        tags: ``python-abi-platform``.
        variant: The label of a variant wheel (PEP 825), or empty.
    """

    build: str
    tags: str
    variant: str


def wheel_parts(filename: str) -> WheelParts:
    """Split the filename of a wheel; a build tag begins with a digit.

    >>> wheel_parts("sample-1.0-1-cp313-cp313-win_amd64-cu130.whl")
    WheelParts(build='1', tags='cp313-cp313-win_amd64', variant='cu130')
    """
    parts = filename.removesuffix(".whl").split("-")[2:]
    build = parts.pop(0) if len(parts) > 3 and parts[0][0].isdigit() else ""
    return WheelParts(build, "-".join(parts[:3]), "-".join(parts[3:]))


class Kind(StrEnum):
    """The kinds of files of a release: wheels, sdists, and the list of its variants.

    The list of variants is ``NAME-VERSION-variants.json`` (PEP 825, a draft).
    """

    WHEEL = "wheel"
    SDIST = "sdist"
    VARIANTS = "variants"


class Mode(StrEnum):
    """Whether a relay publishes all files or none (``release``), or each file on its own (``mirror``)."""

    RELEASE = "release"
    MIRROR = "mirror"


class Order(StrEnum):
    """The order in which the files of a release are published."""

    SDIST_LAST = "sdist-last"
    ANY = "any"


class Confirm(StrEnum):
    """How a relay confirms that a sink has the staged bytes: by its listing, by a download, or not at all."""

    INDEX = "index"
    DOWNLOAD = "download"
    NONE = "none"


CONFIRM_TIMEOUT = 900.0
"""Default seconds to wait until a sink shows what was published: PyPI's pages may be ten minutes old."""


@dataclass(frozen=True, slots=True)
class Digests:
    """The known digests of one file, as lower-case hexadecimal digits.

    Attributes:
        sha256: The digest that identifies the file.
        sha512: The SHA-512 digest, if declared.
        md5: The MD5 digest, if declared.
        others: Sorted pairs of algorithm and digest, for the other algorithms in `DIGEST_LENGTHS`.

    >>> Digests.of({"sha1": "0" * 40, "sha256": "f" * 64}).known() == {"sha256": "f" * 64, "sha1": "0" * 40}
    True
    """

    sha256: str | None = None
    sha512: str | None = None
    md5: str | None = None
    others: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, named: Mapping[str, str]) -> Self:
        """Create digests from a mapping of `hashlib` algorithm names to hexadecimal digests."""
        own = {name: named.get(name) for name in ("sha256", "sha512", "md5")}
        return cls(**own, others=tuple(sorted((name, named[name]) for name in named.keys() - own.keys())))

    def known(self) -> dict[str, str]:
        """Return the known digests by `hashlib` algorithm name."""
        named = {"sha256": self.sha256, "sha512": self.sha512, "md5": self.md5}
        return {name: digest for name, digest in (*named.items(), *self.others) if digest}


@dataclass(frozen=True, slots=True)
class DistFile:
    """A distribution file as a remote describes it; made by `wheelrelay.filenames.dist_file`.

    Attributes:
        filename: The plain filename.
        project: The normalized project name (PEP 503).
        version: The version (PEP 440), parsed from the filename.
        kind: Wheel, sdist, or list of variants.
        size: Size in bytes, if the remote declares it.
        digests: The digests that the remote declares.
        url: Where the backend reads the file: a URL, a path or an object name.
        requires_python: The ``Requires-Python`` specifier, if the remote declares it.
        yanked: The reason, possibly empty, if the file is yanked (PEP 592).
        yanked_here: Whether ``yanked`` was set or cleared at this remote, whatever its upstream lists.
        upload_time: When the file was uploaded, with a time zone.
        companions: Suffixes of the companion files that the remote has, such as ``.asc``.
        provenance: URL of the provenance object with the file's attestations (PEP 740).
        build: What CI reported about the build when the file was pushed, such as ``commit`` or ``run``.
    """

    filename: str
    project: NormalizedName
    version: Version
    kind: Kind
    size: int | None = None
    digests: Digests = Digests()
    url: str | None = None
    requires_python: str | None = None
    yanked: str | None = None
    yanked_here: bool = False
    upload_time: datetime | None = None
    companions: tuple[str, ...] = ()
    provenance: str | None = None
    build: Mapping[str, str] = field(default_factory=lambda: EMPTY, compare=False)

    @property
    def sha256(self) -> str | None:
        """The SHA-256 digest that the remote declares, if any."""
        return self.digests.sha256

    @property
    def tags(self) -> frozenset[Tag]:
        """The tags of a wheel (PEP 425), with compressed sets expanded; empty for other files."""
        if self.kind is not Kind.WHEEL:
            return frozenset()
        return expanded_tags(wheel_parts(self.filename).tags)

    @property
    def build_tag(self) -> BuildTag:
        """The build tag of a wheel (PEP 427), or empty."""
        build = wheel_parts(self.filename).build if self.kind is Kind.WHEEL else ""
        if not build:
            return ()
        digits = re.match(r"\d*", build, re.ASCII)
        number = digits[0] if digits else ""
        return int(number or 0), build.removeprefix(number)

    @property
    def variant(self) -> str:
        """The label of a variant wheel (PEP 825), or empty."""
        return wheel_parts(self.filename).variant if self.kind is Kind.WHEEL else ""


@dataclass(frozen=True, slots=True)
class ProjectStatus:
    """The status of a project (PEP 792).

    Attributes:
        status: ``active``, ``archived``, ``quarantined`` or ``deprecated``, or a later value.
        reason: The reason for the status, if any.
    """

    status: str = "active"
    reason: str | None = None


ACTIVE = ProjectStatus()
"""The status of most projects."""


@dataclass(frozen=True, slots=True)
class CredentialCheck:
    """What is known about the credentials for a sink before anything is published.

    Attributes:
        is_accepted: Whether the sink accepts them; ``None`` if only an upload can show that.
        reason: Where they come from, and how this is known, as sentences.
    """

    is_accepted: bool | None
    reason: str


@dataclass(frozen=True, slots=True)
class Companion:
    """A small file that belongs to a distribution file, such as a detached signature.

    Attributes:
        suffix: The suffix that it appends to the filename of the distribution, such as ``.asc``.
        content: The bytes.
    """

    suffix: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Release:
    """All files of one version of one project."""

    project: NormalizedName
    version: Version
    files: tuple[DistFile, ...]


@dataclass(frozen=True, slots=True, order=True)
class Shard:
    """One of several parts into which the projects of a mirror are divided.

    Each project is in exactly one part: the same on every machine and with every version of Python.

    Attributes:
        index: The number of the part, from 1.
        count: How many parts there are.

    >>> [shard for shard in (Shard(1, 3), Shard(2, 3), Shard(3, 3)) if shard.includes("Astropy")]
    [Shard(index=1, count=3)]
    """

    index: int
    count: int

    def __post_init__(self) -> None:
        if not 1 <= self.index <= self.count:
            raise ValueError(
                f"{self} is not a shard: write the number of the shard, from 1, and how many there are"
            )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse ``i/n``, such as ``2/4``.

        Raises:
            ValueError: The text is not a shard.
        """
        match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text, re.ASCII)
        if not match:
            raise ValueError(f"{text!r} is not a shard: write i/n, such as 1/4")
        return cls(int(match[1]), int(match[2]))

    def includes(self, project: str) -> bool:
        """Return whether a project is in this part; its name may have any spelling."""
        # `hash` would differ between processes.
        digest = hashlib.sha256(canonicalize_name(project).encode()).digest()
        return int.from_bytes(digest[:8], "big") % self.count == self.index - 1

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"
