"""Checks of a release's files against one another, and against those that the sink holds already."""

from collections.abc import Iterable, Iterator, Sequence

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from wheelrelay.checks.check import Check, Profile, Violation, listed
from wheelrelay.checks.contract import Inspection, ReleaseChecks, ReleaseContext
from wheelrelay.checks.variants import UNLISTED
from wheelrelay.model import DistFile, Kind
from wheelrelay.records import Severity

ONE_SDIST = Check(
    "release-one-sdist",
    "A release has at most one sdist.",
    hint="Keep the .tar.gz.",
    profile=Profile.PYPI,
)
SAME_CONTENT = Check(
    "release-same-content",
    "No two files of a project have the same content under different names.",
    hint="Remove the copy; a file is never renamed.",
    profile=Profile.PYPI,
)
METADATA_DIFFER = Check(
    "release-metadata-differ",
    "All files of a release have the same Requires-Python and the same Requires-Dist.",
    hint="Indexes and installers read them from one file and take them for all: make them agree if they can.",
    severity=Severity.WARNING,
    below=Severity.WARNING,
)


def find(inspections: Sequence[Inspection], context: ReleaseContext) -> Iterator[Violation]:
    """Find files of a release that do not go together."""
    yield from _unlisted(inspections)
    inspections = [each for each in inspections if not (each.file and each.file.kind is Kind.VARIANTS)]
    new = [inspection for inspection in inspections if not context.is_there(inspection)]
    yield from _sdists(new, context)
    yield from _copies(new, context)
    yield from _differences(inspections)


def _unlisted(inspections: Sequence[Inspection]) -> Iterator[Violation]:
    """Find variant wheels whose labels the list of their release's variants does not have."""
    files = [(each.file, each) for each in inspections if each.file]
    for file, inspection in files:
        if file.kind is Kind.VARIANTS and not inspection.damage:
            of_release = {other.variant for other, _ in files if _release(other) == _release(file)}
            if unlisted := sorted(of_release - inspection.variants - {""}):
                yield UNLISTED.violation(f"It does not list {listed(unlisted)}.", filename=file.filename)


def _release(file: DistFile) -> tuple[str, Version]:
    return file.project, file.version


def _sdists(new: Sequence[Inspection], context: ReleaseContext) -> Iterator[Violation]:
    ours = [inspection.file for inspection in new if inspection.file]
    releases = {(file.project, file.version) for file in ours if file.kind is Kind.SDIST}
    for release in sorted(releases):
        files: list[DistFile] = [*ours, *context.there]
        sdists = {
            file.filename
            for file in files
            if file.kind is Kind.SDIST and (file.project, file.version) == release
        }
        if len(sdists) > 1:
            yield ONE_SDIST.violation(f"The release has several sdists: {listed(sorted(sdists))}.")


def _copies(new: Sequence[Inspection], context: ReleaseContext) -> Iterator[Violation]:
    known = [(file.sha256, file.filename) for file in context.there if file.sha256]
    known += [(inspection.sha256, inspection.filename) for inspection in new]
    for digest in dict.fromkeys(inspection.sha256 for inspection in new):
        names = {name for other, name in known if other == digest}
        if len(names) > 1:
            yield SAME_CONTENT.violation(f"These files have the same content: {listed(sorted(names))}.")


def _differences(inspections: Sequence[Inspection]) -> Iterator[Violation]:
    """Compare each release's files; an sdist may say that a field is dynamic."""
    releases: dict[object, list[Inspection]] = {}
    for inspection in inspections:
        if inspection.file:
            releases.setdefault((inspection.file.project, inspection.file.version), []).append(inspection)
    for files in releases.values():
        pythons = {_specifiers(file) for file in files if "requires-python" not in file.dynamic}
        needs = {_requirements(file.requires_dist) for file in files if "requires-dist" not in file.dynamic}
        if len(pythons) > 1:
            yield METADATA_DIFFER.violation(f"Requires-Python differs: {' and '.join(sorted(pythons))}.")
        if len(needs) > 1:
            common = frozenset.intersection(*needs)
            differing = sorted(frozenset.union(*needs) - common)
            yield METADATA_DIFFER.violation(f"Some files, not all, have Requires-Dist {listed(differing)}.")


def _specifiers(inspection: Inspection) -> str:
    try:
        return str(SpecifierSet(inspection.requires_python or "")) or "any"
    except InvalidSpecifier:
        return inspection.requires_python or "any"


def _requirements(texts: Iterable[str]) -> frozenset[str]:
    """Requirements, spelled alike where they are alike."""
    spelled = set()
    for text in texts:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            spelled.add(text)
        else:
            requirement.name = canonicalize_name(requirement.name)
            spelled.add(str(requirement))
    return frozenset(spelled)


RELEASE = ReleaseChecks((ONE_SDIST, SAME_CONTENT, METADATA_DIFFER, UNLISTED), find)
