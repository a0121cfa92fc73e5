"""Checks of the archive: ``archive-...``, ``zip-...``, ``sdist-...``, ``member-path``, ``protected-code``.

`wheelrelay.archives` finds the problems while it reads a file; the rules are declared here.
"""

from collections.abc import Iterator

from wheelrelay.archives import ProblemKind, limits
from wheelrelay.checks.contract import Check, FileChecks, Profile, Violation
from wheelrelay.checks.distribution import Distribution
from wheelrelay.records import Severity

_REBUILD_SDIST = "Rebuild the sdist with 'python -m build --sdist'."
_USE_ZIPFILE = "Rebuild the file with a standard tool, such as Python's zipfile module."

_ANY_ARCHIVE = (
    Check(
        "archive-unreadable",
        "The file is a complete archive of the type that its extension names.",
        hint="Build or download the file again.",
        profile=Profile.STORAGE,
    ),
    Check(
        "archive-corrupt",
        "Each member matches the size and the checksum recorded in the archive.",
        hint="Build or download the file again.",
        profile=Profile.STORAGE,
    ),
    Check(
        "archive-limits",
        f"An archive has at most {limits.MAX_MEMBERS:,} members and a compression ratio of at most "
        f"{limits.MAX_RATIO} (if it unpacks to more than 64 MiB).",
        hint="Rebuild the file with a current build tool, and remove data that compresses extremely well.",
        profile=Profile.STORAGE,
    ),
    Check(
        "archive-ratio",
        f"A wheel over 64 MiB (unpacked) has a compression ratio of at most {limits.PYPI_MAX_RATIO}.",
        hint="Remove the data that compresses so well, or generate it at run time.",
        profile=Profile.PYPI,
        lenient_severity=Severity.WARNING,
    ),
    Check(
        "archive-stray-data",
        "An archive contains no bytes outside its members and records.",
        hint="Rebuild the file with a standard tool. Do not prepend or append data.",
        profile=Profile.PYPI,
    ),
    Check(
        "member-path",
        "Member paths stay inside the archive: no absolute path, no '..', no backslash, no NUL.",
        hint="Rebuild the file with relative paths and '/' as the separator.",
        profile=Profile.STORAGE,
    ),
    Check(
        "protected-code",
        "No Python file is encrypted with PyArmor or SourceDefender.",
        hint="PyPI's acceptable use policy prohibits such files. Publish the source, or use another index.",
        profile=Profile.PYPI,
    ),
)

_ZIP = (
    Check(
        "zip-also-tar",
        "A file is not a zip archive and a tar archive at the same time.",
        hint="Do not publish this file: zip and tar tools see different contents. Build it again.",
        profile=Profile.STORAGE,
    ),
    Check(
        "zip-compression",
        "Members of a zip archive are stored or deflated.",
        hint="Rebuild the file without bzip2, LZMA or Zstandard compression.",
        profile=Profile.PYPI,
    ),
    Check(
        "zip-data-descriptor",
        "No member of a zip archive has a data descriptor, which tools write when they stream.",
        hint="Write the archive to a regular file, not to a pipe.",
        profile=Profile.PYPI,
    ),
    Check(
        "zip-duplicate-member",
        "No path occurs twice in a zip archive.",
        hint="Rebuild the file; the build adds a file twice.",
        lenient_severity=Severity.WARNING,
    ),
    Check(
        "zip-two-contents",
        "No path occurs twice with different contents in a zip archive.",
        hint="Rebuild the file; the build adds two files under one path, and tools differ in which they use.",
        profile=Profile.STORAGE,
    ),
    Check(
        "zip-member-comment",
        "No member of a zip archive has a comment.",
        hint="Rebuild the file without member comments.",
        profile=Profile.PYPI,
    ),
    Check(
        "zip-headers-differ",
        "The header in front of each member matches the central directory of the zip archive.",
        hint=f"{_USE_ZIPFILE} Tools see different contents in this one.",
        profile=Profile.STORAGE,
    ),
    Check(
        "zip-records",
        "The extra fields and the end records of a zip archive are complete, unique and correct.",
        hint=_USE_ZIPFILE,
        profile=Profile.PYPI,
    ),
    Check(
        "zip-member-name",
        "No member of a zip archive has a control character in its name.",
        hint="Rename the member; many systems cannot unpack it.",
        profile=Profile.PYPI,
        lenient_severity=Severity.WARNING,
    ),
)

_SDIST = (
    Check(
        "sdist-member-name",
        "No member of an sdist has a control character in its name.",
        hint="Rename the member; many systems cannot unpack it.",
        severity=Severity.WARNING,
        lenient_severity=Severity.WARNING,
    ),
    Check(
        "sdist-top-folder",
        "All members of an sdist are in one top-level folder.",
        hint=_REBUILD_SDIST,
        lenient_severity=Severity.WARNING,
    ),
    Check(
        "sdist-pkg-info-path",
        "PKG-INFO is in the folder that all members of an sdist share, and no path begins with './'.",
        hint=f"{_REBUILD_SDIST} Do not use tar.",
        profile=Profile.PYPI,
    ),
    Check(
        "sdist-link",
        "Links in an sdist point to targets inside its top-level folder.",
        hint="Replace the link with the file that it points to.",
        profile=Profile.STORAGE,
    ),
    Check(
        "sdist-special-file",
        "An sdist contains only files, folders and links.",
        hint="Exclude device files and pipes from the sdist.",
        profile=Profile.STORAGE,
    ),
    Check(
        "sdist-sparse-file",
        "No file in an sdist is stored as a sparse file.",
        hint="Rebuild the sdist without tar's option --sparse.",
        profile=Profile.PYPI,
    ),
    Check(
        "sdist-duplicate-member",
        "No path occurs twice in an sdist.",
        hint="Rebuild the sdist; the build adds a file twice.",
        severity=Severity.WARNING,
        lenient_severity=Severity.WARNING,
    ),
    Check(
        "sdist-two-metadata",
        "PKG-INFO does not occur twice with different contents in an sdist.",
        hint="Rebuild the sdist; tools differ in which PKG-INFO they read.",
        profile=Profile.STORAGE,
    ),
    Check(
        "sdist-trailing-data",
        "No data follows the end of an sdist.",
        hint="Installers ignore this data. Rebuild the sdist if you do not know where it comes from.",
        severity=Severity.WARNING,
        lenient_severity=Severity.WARNING,
    ),
)

_BY_KIND = {ProblemKind(check.id): check for check in (*_ANY_ARCHIVE, *_ZIP, *_SDIST)}


def _find(distribution: Distribution) -> Iterator[Violation]:
    for problem in distribution.contents.problems:
        yield _BY_KIND[problem.kind].violation(problem.message, hint=problem.hint)


CHECKS = FileChecks(tuple(_BY_KIND.values()), _find, all_kinds=True)
