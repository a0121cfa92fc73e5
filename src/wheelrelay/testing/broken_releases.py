"""Releases that each break exactly one check, with twins that do not break it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from wheelrelay.checks import CheckPolicy, Profile, ReleaseContext
from wheelrelay.checks.policy import PYPI_POLICY
from wheelrelay.filenames import dist_file
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.model import DistFile
from wheelrelay.testing.broken import sdist, wheel
from wheelrelay.testing.broken_archives import zip_sdist
from wheelrelay.testing.samples import make_variants

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
WHEEL = "sample-1.0-py3-none-any.whl"
VARIANT = "sample-1.0-py3-none-any-cu130.whl"
OLD = "sample-1.0-py2-none-any.whl"


@dataclass(frozen=True, slots=True)
class Situation:
    """A release, and what is around it.

    Attributes:
        files: write the files into a folder.
        context: what is known around the release.
        policy: the checks of its sink.
    """

    files: Sequence[Callable[[Path], Path]] = (wheel(),)
    context: ReleaseContext = field(default_factory=lambda: ReleaseContext(now=NOW))
    policy: CheckPolicy = PYPI_POLICY


@dataclass(frozen=True, slots=True)
class BrokenRelease:
    """A situation in which a release breaks one check, and one in which it does not break it."""

    broken: Situation
    repaired: Situation


def at_sink(*, days_ago: int = 1, size: int = 1000, yanked: str | None = None) -> tuple[DistFile, ...]:
    """Return the files of the release at a sink: one wheel."""
    time = NOW - timedelta(days=days_ago)
    return (dist_file(OLD, size=size, yanked=yanked, upload_time=time),)


def around(broken: ReleaseContext, repaired: ReleaseContext) -> BrokenRelease:
    """Return the same wheel in two contexts."""
    return BrokenRelease(Situation(context=broken), Situation(context=repaired))


def limited(broken: CheckPolicy, repaired: CheckPolicy) -> BrokenRelease:
    """Return the same wheel for sinks with two configurations."""
    return BrokenRelease(Situation(policy=broken), Situation(policy=repaired))


def together(
    broken: Sequence[Callable[[Path], Path]], repaired: Sequence[Callable[[Path], Path]]
) -> BrokenRelease:
    """Return files that do not fit together, and files that do."""
    return BrokenRelease(Situation(files=broken), Situation(files=repaired))


def from_commits(*commits: str, expected: str | None = None) -> ReleaseContext:
    """Return a context in which the wheel and the sdist come from these commits."""
    commit_of = dict(zip((WHEEL, "sample-1.0.tar.gz"), commits, strict=False))
    return ReleaseContext(commits=commit_of, required_commit=expected, now=NOW)


BOTH = (wheel(), sdist())
MACOS = "cp311-cp311-macosx_{}_0_arm64"


def after(previous: str, **arguments: Any) -> Situation:
    """Return a release with one wheel and no sdist, after one whose wheel has other tags.

    Args:
        previous: the tags of the wheel of version 0.9, which the sink has.
        arguments: of `make_wheel`, for the wheel of version 1.0.
    """
    published = (dist_file(f"sample-0.9-{previous}.whl"),)
    context = ReleaseContext(published=published, is_whole_release=True, now=NOW)
    return Situation((wheel(**arguments),), context)


BROKEN_RELEASES: Mapping[str, BrokenRelease] = {
    "coverage-pythons": BrokenRelease(
        after("py3-none-any", metadata={"Requires-Python": "<3.14"}),
        after("py3-none-any", metadata={"Requires-Python": ">=3.14"}),
    ),
    "coverage-systems": BrokenRelease(
        after(MACOS.format(11), tag=MACOS.format(14)), after(MACOS.format(14), tag=MACOS.format(11))
    ),
    "coverage-wheels": BrokenRelease(
        after("cp312-cp312-win_arm64", tag="cp311-cp311-win_arm64"),
        after("cp312-cp312-win_arm64", tag="cp311-abi3-win_arm64"),
    ),
    "file-size": limited(
        CheckPolicy(Profile.INDEX, max_file_size=100),
        CheckPolicy(Profile.INDEX, max_file_size=10 << 10),
    ),
    "mixed-commits": BrokenRelease(
        Situation(BOTH, from_commits("1234567", "89abcde")),
        Situation(BOTH, from_commits("1234567", "1234567")),
    ),
    "other-commit": around(
        from_commits("89abcde", expected="1234567"), from_commits("1234567890", expected="1234567")
    ),
    "project-closed": around(
        ReleaseContext(project_status="quarantined", now=NOW),
        ReleaseContext(project_status="active", now=NOW),
    ),
    "project-deprecated": around(
        ReleaseContext(project_status="deprecated", now=NOW), ReleaseContext(project_status="active", now=NOW)
    ),
    "project-size": around(
        ReleaseContext(published=at_sink(size=10 << 30), now=NOW),
        ReleaseContext(published=at_sink(size=9 << 30), now=NOW),
    ),
    "release-metadata-differ": together(
        (wheel(metadata={"Requires-Dist": "other"}), sdist()),
        (
            wheel(metadata={"Requires-Dist": "other"}),
            sdist(metadata={"Dynamic": "Requires-Dist"}),
        ),
    ),
    "release-one-sdist": together((zip_sdist, sdist()), (wheel(), sdist())),
    "release-same-content": together((wheel(), wheel(filename=OLD)), (wheel(), wheel(tag="py2-none-any"))),
    "release-yanked": around(
        ReleaseContext(published=at_sink(yanked="broken"), now=NOW),
        ReleaseContext(published=at_sink(), now=NOW),
    ),
    "sha256sums": around(
        ReleaseContext(required_sha256={WHEEL: "0" * 64}, now=NOW),
        ReleaseContext(required_sha256=None, now=NOW),
    ),
    "variants-unlisted": together(
        (wheel(filename=VARIANT), make_variants),
        (wheel(filename=VARIANT), partial(make_variants, labels=["cu130", "null"])),
    ),
    "upload-window": around(
        ReleaseContext(published=at_sink(days_ago=14), now=NOW),
        ReleaseContext(published=at_sink(days_ago=13), now=NOW),
    ),
}
"""Releases that break only this check of releases, by its id."""
