"""Run the checks: read each file once, find every violation, and select those that apply at a sink."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from packaging.metadata import RawMetadata

from wheelrelay.archives import MapFunction
from wheelrelay.checks.contract import FileChecks, Inspection, ReleaseChecks, ReleaseContext, Violation
from wheelrelay.checks.distribution import Distribution, open_distribution
from wheelrelay.checks.policy import PYPI_POLICY, CheckPolicy
from wheelrelay.checks.registry import check_failed, file_checks, provider_of, release_checks
from wheelrelay.model import Kind
from wheelrelay.records import Finding
from wheelrelay.staged import StagedFile

MAX_VIOLATIONS = 20
"""Reported violations of one check by one file; an archive can contain tens of thousands."""


def inspect(
    source: Path | StagedFile,
    *,
    policies: Sequence[CheckPolicy] = (),
    families: dict[str, FileChecks] | None = None,
    map_function: MapFunction = map,
) -> Inspection:
    """Read a distribution file once and run all file checks on it. Several threads may do so at once.

    Args:
        source: the file. The digest of a staged file is known and not computed again.
        policies: the policy of each sink. Families of checks that apply at none of them are skipped.
        families: the checks to run, by name; by default the installed ones.
        map_function: reads the parts of a large wheel, possibly in parallel.

    Returns:
        The result with all findings; `CheckPolicy.select` returns those that apply at one sink.

    Raises:
        OSError: The file cannot be opened.
    """
    if isinstance(source, StagedFile):
        distribution = open_distribution(source.path, filename=source.filename, map_function=map_function)
        sha256 = source.sha256
    else:
        distribution, sha256 = open_distribution(source, map_function=map_function), _sha256(source)
    selected = file_checks() if families is None else families
    findings = [
        violation.finding(distribution.filename, provider=provider_of(name))
        for name, family in selected.items()
        if _applies(family, distribution, policies)
        for violation in _run(name, family.find, distribution)
    ]
    return _inspection(distribution, sha256, findings)


def run_release_checks(
    inspections: Sequence[Inspection],
    context: ReleaseContext | None = None,
    *,
    policy: CheckPolicy = PYPI_POLICY,
    families: dict[str, ReleaseChecks] | None = None,
) -> list[Finding]:
    """Check the files of a release together, and against a sink.

    Args:
        inspections: the inspected files.
        context: the sink and the requirements; by default an empty sink and no requirements.
        policy: which checks apply at the sink, and its limits.
        families: the checks to run, by name; by default the installed ones.
    """
    selected = release_checks() if families is None else families
    context = replace(
        context or ReleaseContext(),
        max_file_size=policy.max_file_size,
        max_project_size=policy.max_project_size,
    )
    findings = [
        violation.finding(provider=provider_of(name))
        for name, family in selected.items()
        for violation in _run(name, family.find, inspections, context)
    ]
    return policy.select(findings)


def check_files(paths: Iterable[Path], policy: CheckPolicy = PYPI_POLICY) -> list[Finding]:
    """Check local files, one by one and as a release. Return the findings sorted by filename.

    Args:
        paths: distribution files.
        policy: which checks apply, and the size limits.

    Raises:
        OSError: A file cannot be opened.
    """
    inspections = [inspect(path, policies=[policy]) for path in paths]
    findings = [finding for inspection in inspections for finding in policy.select(inspection.findings)]
    findings += run_release_checks(inspections, policy=policy)
    return sorted(findings, key=lambda finding: (finding.filename or "", finding.check))


def _applies(family: FileChecks, distribution: Distribution, policies: Sequence[CheckPolicy]) -> bool:
    """Return whether a family applies to a file at any sink; without policies, it applies everywhere."""
    file = distribution.file
    if file is not None and file.kind is Kind.VARIANTS and not family.all_kinds:
        return False
    return not policies or any(
        policy.severity_of(check) is not None for policy in policies for check in family.checks
    )


def _run(name: str, find: Callable[..., Iterable[Violation]], *arguments: object) -> Iterator[Violation]:
    """Yield the first violations of each check. An error of a check is a violation, too."""
    counts: Counter[tuple[str, str | None]] = Counter()
    try:
        for violation in find(*arguments):
            key = (violation.check.id, violation.filename)
            counts[key] += 1
            if counts[key] <= MAX_VIOLATIONS:
                yield violation
    except (Exception, SystemExit) as error:  # noqa: BLE001  (a check that exits must not pass the file)
        yield check_failed(name, error)


def _inspection(distribution: Distribution, sha256: str, findings: Sequence[Finding]) -> Inspection:
    raw: RawMetadata = {}
    try:
        raw = distribution.metadata.raw if distribution.metadata else {}
    except Exception as error:  # noqa: BLE001  (such as MemoryError: one file must not end the run)
        findings = [*findings, check_failed("metadata", error).finding(distribution.filename)]
    return Inspection(
        filename=distribution.filename,
        size=distribution.size,
        sha256=sha256,
        file=distribution.file,
        requires_python=raw.get("requires_python"),
        requires_dist=tuple(raw.get("requires_dist", ())),
        dynamic=frozenset(name.lower() for name in raw.get("dynamic", ())),
        variants=distribution.contents.variants,
        metadata=distribution.metadata_text,
        damage=distribution.contents.damage,
        findings=tuple(findings),
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as raw:
        return hashlib.file_digest(raw, "sha256").hexdigest()
