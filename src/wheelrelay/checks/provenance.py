"""Checks of the origin of a release's files: their commit, and their digests in a list of SHA-256 sums."""

from collections.abc import Iterator, Mapping, Sequence

from wheelrelay.checks.contract import Check, Inspection, Profile, ReleaseChecks, ReleaseContext, Violation
from wheelrelay.printable import join_names
from wheelrelay.records import Severity

MIN_ABBREVIATION = 7
"""Characters of an abbreviated commit id that are enough to identify the commit."""

MIXED_COMMITS = Check(
    "mixed-commits",
    "All files of a release were built from one commit.",
    hint="Build all files from one commit, or require a commit with `commit` in `expect`.",
    severity=Severity.WARNING,
    profile=Profile.STORAGE,
)
OTHER_COMMIT = Check(
    "other-commit",
    "Every file was built from the required commit.",
    hint="Build the file from that commit, and push it with its build information.",
    profile=Profile.STORAGE,
)
SHA256SUMS = Check(
    "sha256sums",
    "Every file has the digest that the list of SHA-256 sums has for it.",
    hint="Find out whether the file or the list was changed. Do not publish the file before you know.",
    profile=Profile.STORAGE,
)


def _find(inspections: Sequence[Inspection], context: ReleaseContext) -> Iterator[Violation]:
    yield from _check_commits([inspection.filename for inspection in inspections], context)
    if context.required_sha256 is not None:
        yield from _check_digests(inspections, context.required_sha256)


def _check_commits(filenames: Sequence[str], context: ReleaseContext) -> Iterator[Violation]:
    if context.required_commit is None:
        commits = {context.commits[name] for name in filenames if name in context.commits}
        if len(commits) > 1:
            message = f"The files were built from several commits: {join_names(sorted(commits))}."
            yield MIXED_COMMITS.violation(message)
        return
    for name in filenames:
        commit = context.commits.get(name)
        if commit is None or not _is_same_commit(commit, context.required_commit):
            message = (
                f"The file was built from {commit or 'an unknown commit'}, not {context.required_commit}."
            )
            yield OTHER_COMMIT.violation(message, filename=name)


def _check_digests(inspections: Sequence[Inspection], sha256: Mapping[str, str]) -> Iterator[Violation]:
    for inspection in inspections:
        expected = sha256.get(inspection.filename)
        if expected is None:
            message = "The list of SHA-256 sums does not contain the file."
        elif expected.lower() != inspection.sha256:
            message = f"The SHA-256 digest is {inspection.sha256}; the list of sums has {expected}."
        else:
            continue
        yield SHA256SUMS.violation(message, filename=inspection.filename)


def _is_same_commit(commit: str, other: str) -> bool:
    """Return whether two commit ids are the same; one may be abbreviated."""
    short, long = sorted((commit.lower(), other.lower()), key=len)
    return short == long or (len(short) >= MIN_ABBREVIATION and long.startswith(short))


CHECKS = ReleaseChecks((MIXED_COMMITS, OTHER_COMMIT, SHA256SUMS), _find)
