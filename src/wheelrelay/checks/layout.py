"""Checks that the metadata are where installers and indexes look for them."""

from collections.abc import Iterator

from wheelrelay.checks.check import Check, Profile, Violation, listed
from wheelrelay.checks.contract import FileChecks
from wheelrelay.checks.distribution import Distribution
from wheelrelay.records import Severity

DIST_INFO = Check(
    "wheel-dist-info",
    "A wheel has a .dist-info folder for its name and version, with METADATA, WHEEL and RECORD in it.",
    hint="Build it again with a current build tool.",
    below=Severity.WARNING,
)
ONE_DIST_INFO = Check(
    "wheel-one-dist-info",
    "A wheel has the metadata of one distribution: one .dist-info folder with METADATA.",
    hint="Build it again in a clean folder. Installers refuse such wheels.",
    profile=Profile.STORAGE,
)
STRAY_DIST_INFO = Check(
    "wheel-stray-dist-info",
    "A wheel has no second .dist-info folder.",
    hint="Build it again in a clean folder. pip refuses to install such wheels.",
    severity=Severity.WARNING,
    below=Severity.WARNING,
)
SIGNED = Check(
    "wheel-signature",
    "A wheel has no RECORD.jws and no RECORD.p7s, which are deprecated (PEP 815).",
    hint="Sign releases with attestations (PEP 740) instead.",
    severity=Severity.WARNING,
    profile=Profile.STORAGE,
)
DIST_INFO_NAME = Check(
    "wheel-dist-info-name",
    "The .dist-info folder is spelled as the filename is.",
    hint="Build it again with a current build tool; never rename distribution files.",
    profile=Profile.PYPI,
)
PKG_INFO = Check(
    "sdist-pkg-info",
    "An sdist has PKG-INFO in its top folder.",
    hint="Build it with a build tool (python -m build); an archive of a repository is not an sdist.",
    below=Severity.WARNING,
)


def find(distribution: Distribution) -> Iterator[Violation]:
    """Find what is not in its place."""
    if distribution.file is None or not distribution.contents.readable:
        return
    if distribution.is_wheel:
        yield from _wheel(distribution)
    elif distribution.folder is None:
        yield PKG_INFO.violation("There is no PKG-INFO in the top folder.")


def _wheel(distribution: Distribution) -> Iterator[Violation]:
    name, version = distribution.filename.split("-")[:2]
    expected = f"{name}-{version}.dist-info"
    if distribution.folder is None:
        yield DIST_INFO.violation(f"There is no folder {expected}.")
        return
    needed = ("METADATA", "WHEEL", "RECORD")
    missing = [text for text in needed if f"{distribution.folder}/{text}" not in distribution.members]
    if missing:
        yield DIST_INFO.violation(f"{distribution.folder} lacks {listed(missing)}.")
    marks = ("RECORD.jws", "RECORD.p7s")
    signatures = [mark for mark in marks if f"{distribution.folder}/{mark}" in distribution.members]
    if signatures:
        yield SIGNED.violation(f"{distribution.folder} has {listed(signatures)}.")
    yield from _others(distribution)
    if distribution.folder != expected:
        yield DIST_INFO_NAME.violation(f"The folder is {distribution.folder} instead of {expected}.")


def _others(distribution: Distribution) -> Iterator[Violation]:
    """Find further folders of metadata, which one reader may take for the wheel's and another may not."""
    tops = dict.fromkeys(path.partition("/")[0] for path in distribution.members)
    others = [top for top in tops if top.endswith(".dist-info") and top != distribution.folder]
    full = [top for top in others if f"{top}/METADATA" in distribution.members]
    if full:
        yield ONE_DIST_INFO.violation(f"There are several .dist-info folders: {listed(sorted(full))} too.")
    elif others:
        yield STRAY_DIST_INFO.violation(f"There is a second .dist-info folder: {listed(sorted(others))}.")


LAYOUT = FileChecks((DIST_INFO, ONE_DIST_INFO, STRAY_DIST_INFO, DIST_INFO_NAME, PKG_INFO, SIGNED), find)
