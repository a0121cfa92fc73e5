"""Checks of where a release's files come from: one commit, and the digests that were announced."""

from collections.abc import Iterator, Mapping, Sequence

from wheelrelay.checks.check import Check, Profile, Violation, listed
from wheelrelay.checks.contract import Inspection, ReleaseChecks, ReleaseContext
from wheelrelay.records import Severity

ABBREVIATED = 7
"""Characters of a commit id that tell it from others."""

MIXED = Check(
    "mixed-commits",
    "All files of a release were built from one commit.",
    hint="Build the files again that are from another commit, or say which commit is meant.",
    severity=Severity.WARNING,
    profile=Profile.STORAGE,
)
COMMIT = Check(
    "other-commit",
    "Every file was built from the commit that was asked for.",
    hint="Build the file again from that commit, and push it with its build information.",
    profile=Profile.STORAGE,
)
SUMS = Check(
    "sha256sums",
    "Every file has the sha256 that the given list has for it.",
    hint="Find out who changed the file, or the list.",
    profile=Profile.STORAGE,
)


def find(inspections: Sequence[Inspection], context: ReleaseContext) -> Iterator[Violation]:
    """Find files that come from elsewhere."""
    names = [inspection.filename for inspection in inspections]
    commits = {context.commits[name] for name in names if name in context.commits}
    if context.commit is not None:
        for name in names:
            commit = context.commits.get(name)
            if commit is None or not _is_same(commit, context.commit):
                said = f"The file is from {commit or 'an unknown commit'}, not from {context.commit}."
                yield COMMIT.violation(said, filename=name)
    elif len(commits) > 1:
        yield MIXED.violation(f"The files are from several commits: {listed(sorted(commits))}.")
    if context.sums is not None:
        yield from _sums(inspections, context.sums)


def _sums(inspections: Sequence[Inspection], sums: Mapping[str, str]) -> Iterator[Violation]:
    for inspection in inspections:
        expected = sums.get(inspection.filename)
        if expected is None:
            yield SUMS.violation(
                "The list of sha256 sums does not have the file.", filename=inspection.filename
            )
        elif expected.lower() != inspection.sha256:
            said = f"The list has the sha256 {expected} for the file, which has {inspection.sha256}."
            yield SUMS.violation(said, filename=inspection.filename)


def _is_same(commit: str, other: str) -> bool:
    """Whether two commit ids are the same; one may be abbreviated."""
    short, long = sorted((commit.lower(), other.lower()), key=len)
    return short == long or (len(short) >= ABBREVIATED and long.startswith(short))


ORIGIN = ReleaseChecks((MIXED, COMMIT, SUMS), find)
