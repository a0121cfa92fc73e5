"""Check the source before a build: it must be empty, or hold files of the commit that is built."""

from collections.abc import Sequence

from wheelrelay.engine.preflight.subject import Target
from wheelrelay.model import DistFile
from wheelrelay.printable import join_names
from wheelrelay.reports import PreflightItem, Verdict

STAGING = "staging"

SHORT_COMMIT = 12
"""Characters of a commit that are shown."""


def check_staging(
    source: str, target: Target, staged: Sequence[DistFile], commit: str | None
) -> PreflightItem:
    """Return whether the source holds files that would be mixed with those of this build.

    Args:
        source: The name of the source.
        target: The project, and the version if it is known.
        staged: The files of the source.
        commit: The commit that is built, if it is known.
    """
    own = [
        file for file in staged if file.project == target.project and target.version in (None, file.version)
    ]

    def item(verdict: Verdict, reason: str, hint: str | None = None) -> PreflightItem:
        return PreflightItem(STAGING, verdict, reason, source, target.project, hint)

    if not own:
        return item(Verdict.PASS, f"It holds no file of {target}.")
    count = "1 file" if len(own) == 1 else f"{len(own)} files"
    if commit is None:
        hint = "Run it in a CI job, or pass the commit."
        return item(Verdict.UNKNOWN, f"It holds {count} of {target}; the commit to build is not known.", hint)
    others = [file for file in own if not _is_same(file.build.get("commit", commit), commit)]
    if others:
        commits = sorted({file.build["commit"][:SHORT_COMMIT] for file in others})
        names = join_names([file.filename for file in others])
        hint = "Remove them, or build a new version."
        return item(Verdict.FAIL, f"It holds files of {target} from {join_names(commits)}: {names}.", hint)
    unknown = [file.filename for file in own if "commit" not in file.build]
    if unknown:
        reason = f"It holds files of {target} without a recorded commit: {join_names(unknown)}."
        return item(Verdict.UNKNOWN, reason, "Stage files with `wheelrelay push`, which records the commit.")
    return item(Verdict.PASS, f"It holds {count} of {target}, all from commit {commit[:SHORT_COMMIT]}.")


def _is_same(commit: str, other: str) -> bool:
    """Return whether two commits are the same; one of them may be shortened."""
    return commit.startswith(other) or other.startswith(commit)
