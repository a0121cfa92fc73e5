"""Checks of a release against the newest earlier one at the sink: which environments lost their wheel."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from packaging.utils import NormalizedName
from packaging.version import Version

from wheelrelay.checks.contract import Check, Inspection, ReleaseChecks, ReleaseContext, Violation
from wheelrelay.environments import (
    Choice,
    CoverageChange,
    CoverageComparison,
    compare_coverage,
    describe_environments,
    earlier_release,
)
from wheelrelay.model import DistFile
from wheelrelay.records import Severity
from wheelrelay.select import releases_of

WHEELS = Check(
    "coverage-wheels",
    "Every Python and platform that the previous release at the sink had a wheel for has one.",
    hint="Build the missing wheels. If they were dropped on purpose, ignore this check.",
    severity=Severity.WARNING,
)
SYSTEMS = Check(
    "coverage-systems",
    "Wheels run on all systems that those of the previous release at the sink ran on (glibc, musl, macOS).",
    hint="Build on the older system as before. If it was dropped on purpose, ignore this check.",
    severity=Severity.WARNING,
)
PYTHONS = Check(
    "coverage-pythons",
    "Requires-Python excludes only old Pythons that the previous release at the sink had a wheel for.",
    hint="Remove the upper limit or the exclusion from Requires-Python.",
    severity=Severity.WARNING,
)

_CONSEQUENCES = {
    Choice.SDIST: "pip builds the sdist",
    Choice.NOTHING: "pip installs an older release",
    Choice.EXCLUDED: "pip installs an older release",
}


def _find(inspections: Sequence[Inspection], context: ReleaseContext) -> Iterator[Violation]:
    if not context.is_whole_release:
        return
    new = [inspection for inspection in inspections if not context.is_published(inspection)]
    releases: dict[NormalizedName, set[Version]] = {}
    for inspection in new:
        if inspection.file:
            releases.setdefault(inspection.file.project, set()).add(inspection.file.version)
    for project, versions in releases.items():
        files = [file for file in _files(inspections, context) if file.project == project]
        for version in sorted(versions):
            yield from _compare(files, version)


def _files(inspections: Sequence[Inspection], context: ReleaseContext) -> Iterable[DistFile]:
    """Return the files that the sink will hold, with the Requires-Python in their metadata."""
    files = {file.filename: file for file in context.published}
    for inspection in inspections:
        if inspection.file:
            files[inspection.filename] = replace(
                inspection.file, requires_python=inspection.requires_python, yanked=None
            )
    return files.values()


def _compare(files: Sequence[DistFile], version: Version) -> Iterator[Violation]:
    earlier = earlier_release(releases_of(files), version)
    if earlier is None:
        return
    comparison = compare_coverage(earlier.files, [file for file in files if file.version == version])
    # A bug-fix release keeps what it supports; a feature release may drop what is outdated.
    is_feature_release = version.release[:2] != earlier.version.release[:2]
    lost = [
        change
        for change in comparison.lost
        if not (is_feature_release and change.interpreter in comparison.retired)
    ]
    for choice in (Choice.NOTHING, Choice.SDIST):
        affected = [change for change in lost if change.after.choice is choice]
        if affected:
            yield WHEELS.violation(
                f"{version} has no wheel, and {earlier.version} has one, for "
                f"{_described(affected, comparison)}. There, {_CONSEQUENCES[choice]}."
            )
    yield from _compare_systems(comparison, earlier.version)
    if comparison.excluded_newer:
        yield PYTHONS.violation(
            f"Requires-Python excludes Pythons that {earlier.version} has a wheel for: "
            f"{_described(comparison.excluded_newer, comparison)}. "
            f"There, {_CONSEQUENCES[Choice.EXCLUDED]}."
        )


def _compare_systems(comparison: CoverageComparison, earlier: Version) -> Iterator[Violation]:
    def key(change: CoverageChange) -> tuple[str, str, Choice]:
        return change.before.minimum, change.after.minimum, change.after.otherwise

    for (before, after, otherwise), changes in groupby(sorted(comparison.raised, key=key), key=key):
        yield SYSTEMS.violation(
            f"Wheels need {after}, and those of {earlier} need only {before}, for "
            f"{_described(changes, comparison)}. On older systems, {_CONSEQUENCES[otherwise]}."
        )


def _described(changes: Iterable[CoverageChange], comparison: CoverageComparison) -> str:
    environments = [(change.interpreter, change.platform) for change in changes]
    return describe_environments(environments, comparison.before)


CHECKS = ReleaseChecks((WHEELS, SYSTEMS, PYTHONS), _find)
