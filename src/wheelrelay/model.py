"""What travels: distribution files, as a remote describes them and as they lie on local disk."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import product
from typing import NamedTuple, Self

from packaging.tags import Tag
from packaging.utils import BuildTag, NormalizedName
from packaging.version import Version

__all__ = [
    "COMPANION_SUFFIXES",
    "Companion",
    "Confirm",
    "Digests",
    "DistFile",
    "Kind",
    "Mode",
    "Order",
    "Release",
]

COMPANION_SUFFIXES = (".asc", ".sigstore", ".publish.attestation", ".slsa.attestation")
"""What may follow a distribution file's name to make the name of one of its companions."""

DIGEST_LENGTHS: Mapping[str, int] = {
    name: 2 * hashlib.new(name, usedforsecurity=False).digest_size
    for name in sorted(hashlib.algorithms_guaranteed)
    if not name.startswith("shake_")  # their digests have any length
}
"""How many hexadecimal digits a digest has, for each algorithm that `hashlib` guarantees."""

EMPTY: Mapping[str, str] = {}
"""One empty mapping shared by all files that have none of their own, to save memory."""


def expanded_tags(text: str) -> frozenset[Tag]:
    """The single tags that ``python-abi-platform`` stands for, each part perhaps a compressed set (PEP 425).

    Other than `packaging.tags.parse_tag` it takes any Python that a name may have, as ``cp3.14``.
    """
    pythons, abis, platforms = (part.split(".") for part in text.split("-"))
    return frozenset(Tag(*parts) for parts in product(pythons, abis, platforms))


class WheelParts(NamedTuple):
    """What follows name and version in a wheel's filename.

    Attributes:
        build: the build tag; empty if there is none.
        tags: ``python-abi-platform``.
        variant: the label of a variant wheel (PEP 825); empty for all others.
    """

    build: str
    tags: str
    variant: str


def wheel_parts(filename: str) -> WheelParts:
    """Take the filename of a wheel apart; a build tag begins with a digit.

    >>> wheel_parts("sample-1.0-1-cp313-cp313-win_amd64-cu130.whl")
    WheelParts(build='1', tags='cp313-cp313-win_amd64', variant='cu130')
    """
    parts = filename.removesuffix(".whl").split("-")[2:]
    build = parts.pop(0) if len(parts) > 3 and parts[0][0].isdigit() else ""
    return WheelParts(build, "-".join(parts[:3]), "-".join(parts[3:]))


class Kind(StrEnum):
    """The two kinds of distribution files that indexes take, and what lists the variants of a release.

    ``NAME-VERSION-variants.json`` (PEP 825, a draft) travels as a file of its own beside variant wheels.
    """

    WHEEL = "wheel"
    SDIST = "sdist"
    VARIANTS = "variants"


class Mode(StrEnum):
    """Whether files stand or fall together."""

    RELEASE = "release"
    MIRROR = "mirror"


class Order(StrEnum):
    """In which order the files of a release are published."""

    SDIST_LAST = "sdist-last"
    ANY = "any"


class Confirm(StrEnum):
    """How a relay proves that a sink holds the very bytes that were staged."""

    INDEX = "index"
    DOWNLOAD = "download"
    NONE = "none"


CONFIRM_TIMEOUT = 900.0
"""Default seconds to wait until a sink shows what was published: PyPI's pages may be ten minutes old."""


@dataclass(frozen=True, slots=True)
class Digests:
    """Hexadecimal digests of one file, lower case, as far as they are known.

    Attributes:
        sha256: the digest by which files are compared.
        sha512: likewise, where it is declared.
        md5: likewise.
        others: algorithm and digest, for the other algorithms in `DIGEST_LENGTHS`; sorted.

    >>> Digests.of({"sha1": "0" * 40, "sha256": "f" * 64}).known() == {"sha256": "f" * 64, "sha1": "0" * 40}
    True
    """

    sha256: str | None = None
    sha512: str | None = None
    md5: str | None = None
    others: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, named: Mapping[str, str]) -> Self:
        """The digests in a mapping from algorithms, as `hashlib` spells them, to hexadecimal digests."""
        own = {name: named.get(name) for name in ("sha256", "sha512", "md5")}
        return cls(**own, others=tuple(sorted((name, named[name]) for name in named.keys() - own.keys())))

    def known(self) -> dict[str, str]:
        """Algorithm names, as `hashlib` spells them, with the digests that are known."""
        named = {"sha256": self.sha256, "sha512": self.sha512, "md5": self.md5}
        return {name: digest for name, digest in (*named.items(), *self.others) if digest}


@dataclass(frozen=True, slots=True)
class DistFile:
    """A distribution file as a remote describes it; made by `wheelrelay.filenames.dist_file`.

    Attributes:
        filename: the plain name, as published.
        project: the normalised project name (PEP 503).
        version: the version (PEP 440), taken from the filename.
        kind: wheel or sdist; or the list of a release's variants.
        size: in bytes, where the remote says.
        digests: what the remote says that the bytes hash to.
        url: where the bytes can be had: a web address, a path or an object's name, as the backend likes.
        requires_python: the specifier that the remote gives.
        yanked: the reason, perhaps empty, if the file was yanked (PEP 592).
        upload_time: when the remote took the file, with a time zone.
        companions: the suffixes, as ``.asc``, of the companion files that the remote holds beside it.
        provenance: the address where the remote tells of the file's attestations (PEP 740).
        build: what CI reported about its build when it was pushed, such as ``commit`` or ``run``.
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
    upload_time: datetime | None = None
    companions: tuple[str, ...] = ()
    provenance: str | None = None
    build: Mapping[str, str] = field(default_factory=lambda: EMPTY, compare=False)

    @property
    def sha256(self) -> str | None:
        """The sha256 that the remote declares, in hexadecimal."""
        return self.digests.sha256

    @property
    def tags(self) -> frozenset[Tag]:
        """The compatibility tags of a wheel (PEP 425), compressed sets expanded; none for an sdist."""
        if self.kind is not Kind.WHEEL:
            return frozenset()
        return expanded_tags(wheel_parts(self.filename).tags)

    @property
    def build_tag(self) -> BuildTag:
        """The build tag of a wheel (PEP 427); empty if it has none."""
        build = wheel_parts(self.filename).build if self.kind is Kind.WHEEL else ""
        if not build:
            return ()
        digits = re.match(r"\d*", build, re.ASCII)
        number = digits[0] if digits else ""
        return int(number or 0), build.removeprefix(number)

    @property
    def variant(self) -> str:
        """The label of a variant wheel (PEP 825); empty for all other files."""
        return wheel_parts(self.filename).variant if self.kind is Kind.WHEEL else ""


@dataclass(frozen=True, slots=True)
class Companion:
    """A small file that belongs to a distribution file, such as a detached signature.

    Attributes:
        suffix: what follows the distribution's filename, as ``.asc``.
        content: the bytes.
    """

    suffix: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Release:
    """All files of one version of one project."""

    project: NormalizedName
    version: Version
    files: tuple[DistFile, ...]
