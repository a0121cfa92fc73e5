"""Checks of a release: its files together, and against the files that the sink already has."""

from collections.abc import Iterable, Iterator, Sequence

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from wheelrelay.checks.contract import Check, Inspection, Profile, ReleaseChecks, ReleaseContext, Violation
from wheelrelay.model import DistFile, Kind
from wheelrelay.printable import join_names
from wheelrelay.records import Severity

ONE_SDIST = Check(
    "release-one-sdist",
    "A release has at most one sdist.",
    hint="Keep the .tar.gz file.",
    profile=Profile.PYPI,
)
SAME_CONTENT = Check(
    "release-same-content",
    "No two files of a project have the same content.",
    hint="Remove the copy. Do not rename distribution files.",
    profile=Profile.PYPI,
)
METADATA_DIFFER = Check(
    "release-metadata-differ",
    "All files of a release have the same Requires-Python and Requires-Dist.",
    hint="Make them the same if you can. Indexes and installers apply the fields of one file to all.",
    severity=Severity.WARNING,
    lenient_severity=Severity.WARNING,
)


def _find(inspections: Sequence[Inspection], context: ReleaseContext) -> Iterator[Violation]:
    archives = [
        inspection
        for inspection in inspections
        if inspection.file is None or inspection.file.kind is not Kind.VARIANTS
    ]
    new = [inspection for inspection in archives if not context.is_published(inspection)]
    yield from _check_sdists(new, context)
    yield from _check_copies(new, context)
    yield from _compare_metadata(archives)


def _check_sdists(new: Sequence[Inspection], context: ReleaseContext) -> Iterator[Violation]:
    new_files = [inspection.file for inspection in new if inspection.file]
    releases = {(file.project, file.version) for file in new_files if file.kind is Kind.SDIST}
    for release in sorted(releases):
        files: list[DistFile] = [*new_files, *context.at_sink.of_version(release[1])]
        sdists = {
            file.filename
            for file in files
            if file.kind is Kind.SDIST and (file.project, file.version) == release
        }
        if len(sdists) > 1:
            yield ONE_SDIST.violation(f"The release has several sdists: {join_names(sorted(sdists))}.")


def _check_copies(new: Sequence[Inspection], context: ReleaseContext) -> Iterator[Violation]:
    by_digest: dict[str, set[str]] = {}
    for inspection in new:
        by_digest.setdefault(inspection.sha256, set()).add(inspection.filename)
    for digest, names in by_digest.items():
        names.update(context.at_sink.names_with(digest))
        if len(names) > 1:
            yield SAME_CONTENT.violation(f"Files with the same content: {join_names(sorted(names))}.")


def _compare_metadata(inspections: Sequence[Inspection]) -> Iterator[Violation]:
    """Compare the files of each release. An sdist may declare a field as dynamic."""
    releases: dict[object, list[Inspection]] = {}
    for inspection in inspections:
        if inspection.file:
            releases.setdefault((inspection.file.project, inspection.file.version), []).append(inspection)
    for files in releases.values():
        pythons = {_normalize_specifier(file) for file in files if "requires-python" not in file.dynamic}
        if len(pythons) > 1:
            yield METADATA_DIFFER.violation(f"Requires-Python differs: {' and '.join(sorted(pythons))}.")
        requirements = {
            _normalize_requirements(file.requires_dist)
            for file in files
            if "requires-dist" not in file.dynamic
        }
        if len(requirements) > 1:
            common = frozenset.intersection(*requirements)
            differing = sorted(frozenset.union(*requirements) - common)
            yield METADATA_DIFFER.violation(
                f"Only some of the files have the Requires-Dist {join_names(differing)}."
            )


def _normalize_specifier(inspection: Inspection) -> str:
    try:
        return str(SpecifierSet(inspection.requires_python or "")) or "any"
    except InvalidSpecifier:
        return inspection.requires_python or "any"


def _normalize_requirements(texts: Iterable[str]) -> frozenset[str]:
    """Return requirements in one spelling, so that they can be compared."""
    normalized = set()
    for text in texts:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            normalized.add(text)
        else:
            requirement.name = canonicalize_name(requirement.name)
            normalized.add(str(requirement))
    return frozenset(normalized)


CHECKS = ReleaseChecks((ONE_SDIST, SAME_CONTENT, METADATA_DIFFER), _find)
