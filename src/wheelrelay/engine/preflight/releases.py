"""Checks of the release at a sink: version and filenames, upload window, sizes, status of the project.

The rules are those of the gate. Before a build there are no files, so they are applied to files like those of
the newest earlier release, with their sizes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from packaging.version import Version

from wheelrelay.checks import Inspection, ReleaseContext, run_release_checks
from wheelrelay.checks import sink as sink_rules
from wheelrelay.checks.contract import Check
from wheelrelay.checks.sink import format_size
from wheelrelay.engine.comparing import make_plan
from wheelrelay.engine.listing import Inventory
from wheelrelay.engine.preflight.subject import HeldProject, renamed
from wheelrelay.errors import InvalidFilename
from wheelrelay.expect import Expected
from wheelrelay.filenames import dist_file
from wheelrelay.model import DistFile, Release
from wheelrelay.protocols import SupportsReplace, SupportsUploadForm
from wheelrelay.records import Action, Finding, Severity
from wheelrelay.reports import PreflightItem, Verdict
from wheelrelay.select import releases_of

VERSION, STATUS = "version", "status"

MAX_RELEASES = 3
"""The releases that are named as candidates for deletion."""


def check_version(held: HeldProject, staged: Sequence[DistFile], expected: Expected) -> PreflightItem | None:
    """Check that the version and the expected filenames are free.

    Files that are staged already are compared by their digests, as in a plan. Files that will be built have
    other bytes than published ones.

    Args:
        held: The project at the sink.
        staged: The files of the source.
        expected: The files that the release must consist of.
    """
    version = held.target.version
    if not held.is_readable:
        return None
    if version is None:
        hint = f"Add it, such as '{held.target.project}==1.0'."
        return held.item(VERSION, Verdict.UNKNOWN, "No version was given.", hint=hint)
    published = held.of_version
    if not published:
        reason = f"Version {version} is not published."
        if isinstance(held.sink.sink, SupportsUploadForm):
            reason += " Names of deleted files cannot be used again, and indexes do not list them."
        return held.item(VERSION, Verdict.PASS, reason)
    own = [file for file in staged if (file.project, file.version) == (held.target.project, version)]
    conflicts, undecided = _compared(held, own) if own else (_met(expected, published), ())
    if conflicts:
        hint = (
            "Use `replace=True` to replace them, or release a new version."
            if isinstance(held.sink.sink, SupportsReplace)
            else "An index never accepts a filename twice: release a new version."
        )
        reason = f"Version {version} is published already: {_named(conflicts)}."
        return held.item(VERSION, Verdict.FAIL, reason, hint=hint)
    if undecided:
        reason = f"Whether these files have the published bytes is not known yet: {_named(undecided)}."
        return held.item(VERSION, Verdict.UNKNOWN, reason)
    state = "with the same bytes as in the source" if own else "which are not expected"
    reason = f"Of version {version}, {_named(published)} are published, {state}."
    return held.item(VERSION, Verdict.PASS, reason)


def _named(files: Sequence[DistFile]) -> str:
    """Return the first filename and the number of others."""
    others = f" and {len(files) - 1} more" if len(files) > 1 else ""
    return f"{files[0].filename}{others}"


def _compared(held: HeldProject, staged: Sequence[DistFile]) -> tuple[list[DistFile], list[DistFile]]:
    """Return the staged files that the sink has with other bytes, and those that cannot be compared yet."""
    inventories = {held.sink.name: Inventory(held.of_version)}
    plan = make_plan("source", staged, [held.sink], inventories, Expected())
    conflicts, undecided = (
        [planned.file for planned in plan.files if planned.sinks[held.sink.name].action is action]
        for action in (Action.CONFLICT, Action.UNKNOWN)
    )
    return conflicts, undecided


def _met(expected: Expected, published: Sequence[DistFile]) -> Sequence[DistFile]:
    """Return the published files that meet an expectation; all of them if there is none."""
    return [file for file in published if not expected.unexpected_in([file])]


def check_rules(held: HeldProject) -> Iterator[PreflightItem]:
    """Apply the rules of the sink to a release like the last one; see `wheelrelay.checks.sink`."""
    if not held.is_readable:
        return
    base = _base_release(held)
    new = _expected_files(held, base)
    findings = _findings(held, new)
    policy = held.sink.checks
    if held.status is not None and _applies(held, sink_rules.PROJECT_CLOSED):
        yield _judged(
            held,
            STATUS,
            _of(findings, sink_rules.PROJECT_CLOSED, sink_rules.PROJECT_DEPRECATED),
            f"The project is {held.status}.",
        )
    if held.of_version and _applies(held, sink_rules.UPLOAD_WINDOW_CLOSED):
        window = _of(findings, sink_rules.UPLOAD_WINDOW_CLOSED)
        yield _judged(held, "upload-window", window, "The release still accepts files.")
    if yanked := _of(findings, sink_rules.RELEASE_YANKED):
        yield _judged(held, "yanked", yanked, "")
    limits = {sink_rules.FILE_SIZE: policy.max_file_size, sink_rules.PROJECT_SIZE: policy.max_project_size}
    for rule, limit in limits.items():
        if limit is not None and _applies(held, rule):
            yield _size_item(held, rule, limit, base, _of(findings, rule))


def _base_release(held: HeldProject) -> Release | None:
    """Return the newest final release of another version, or the newest of any kind."""
    others = [release for release in releases_of(held.published) if release.version != held.target.version]
    final = [release for release in others if not release.version.is_prerelease]
    return next(reversed(final or others), None)


def _expected_files(held: HeldProject, base: Release | None) -> list[DistFile]:
    """Return files like those of an earlier release, except those that are published."""
    version = held.target.version or Version("0.dev0")
    files = []
    for file in base.files if base else ():
        try:
            files.append(renamed(file, version))
        except InvalidFilename:  # files that old tools named
            continue
    published = {file.filename for file in held.of_version}
    new = [file for file in files if file.filename not in published]
    if new:
        return new
    name = held.target.project.replace("-", "_")  # the rules apply to new files only, so there must be one
    return [dist_file(f"{name}-{version}-0-py3-none-any.whl", project=held.target.project, size=0)]


def _findings(held: HeldProject, files: Iterable[DistFile]) -> list[Finding]:
    inspections = [Inspection(file.filename, file.size or 0, "", file) for file in files]
    context = ReleaseContext(published=held.published, project_status=held.status)
    rules = {"sink": sink_rules.CHECKS}
    return run_release_checks(inspections, context, policy=held.sink.checks, families=rules)


def _applies(held: HeldProject, rule: Check) -> bool:
    return held.sink.checks.severity_of(rule) is not None


def _of(findings: Iterable[Finding], *rules: Check) -> list[Finding]:
    ids = {rule.id for rule in rules}
    return [finding for finding in findings if finding.check in ids]


def _judged(held: HeldProject, check: str, findings: Sequence[Finding], passed: str) -> PreflightItem:
    """Return the result of a rule: a failure if a finding is an error; a warning passes."""
    if not findings:
        return held.item(check, Verdict.PASS, passed)
    worst = min(findings, key=lambda finding: finding.severity is not Severity.ERROR)
    verdict = Verdict.FAIL if worst.severity is Severity.ERROR else Verdict.PASS
    return held.item(check, verdict, worst.message, hint=worst.hint)


def _size_item(
    held: HeldProject, rule: Check, limit: int, base: Release | None, findings: Sequence[Finding]
) -> PreflightItem:
    """Return whether a release of the size of the last one fits, and what could be deleted if it does not."""
    if base is None and not findings:
        return held.item(rule.id, Verdict.UNKNOWN, "There is no earlier release to compare with.")
    if any(file.size is None for file in held.published) and not findings:
        return held.item(rule.id, Verdict.UNKNOWN, "The sink does not list the sizes of its files.")
    like = f"a release like {base.version}" if base else "the release"
    if findings:
        return _too_large(held, limit, base, findings)
    sizes = [file.size or 0 for file in base.files] if base else [0]
    if rule is sink_rules.FILE_SIZE:
        reason = f"The largest file of {like} has {format_size(max(sizes))} of {format_size(limit)}."
    else:
        used = sum(file.size or 0 for file in held.published)
        reason = (
            f"The project has {format_size(used)} of {format_size(limit)}; {like} adds "
            f"{format_size(sum(sizes))}."
        )
    return held.item(rule.id, Verdict.PASS, reason)


def _too_large(
    held: HeldProject, limit: int, base: Release | None, findings: Sequence[Finding]
) -> PreflightItem:
    """Return the failure for files that are too large, or too many, if the release is like the last one."""
    first = findings[0]
    name = f"{first.filename}: " if first.filename else ""
    sizes = f" The sizes are those of {base.version}." if base else ""
    hint = first.hint or ""
    if first.check == sink_rules.PROJECT_SIZE.id:
        has_higher_limit = sum(file.size or 0 for file in held.published) > limit
        granted = "The project has more already, so its limit is higher: set max_project_size to it."
        hint = granted if has_higher_limit else f"{hint} {_deletable(held)}"
    return held.item(first.check, Verdict.FAIL, f"{name}{first.message}{sizes}", hint=hint)


def _deletable(held: HeldProject) -> str:
    """Return a sentence about releases that an owner may delete by hand: old pre-releases and the largest."""
    releases = releases_of(held.published)
    final = [release.version for release in releases if not release.version.is_prerelease]
    newest = max(final, default=None)
    old = [
        release
        for release in releases
        if release.version.is_prerelease and newest is not None and release.version < newest
    ]
    sizes: Mapping[str, int] = {
        str(release.version): sum(file.size or 0 for file in release.files)
        for release in releases
        if release.version != newest
    }
    largest = sorted(sizes, key=lambda version: -sizes[version])[:MAX_RELEASES]
    parts = []
    if old:
        freed = format_size(sum(sizes[str(release.version)] for release in old))
        parts.append(f"Its {len(old)} old pre-releases have {freed}.")
    if largest:
        named = ", ".join(f"{version} ({format_size(sizes[version])})" for version in largest)
        parts.append(f"Its largest releases: {named}.")
    return " ".join(parts)
