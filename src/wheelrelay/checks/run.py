"""Run the checks: read each file once, find everything, and keep what a sink asks for."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from wheelrelay.checks.archive_contents import Each
from wheelrelay.checks.check import Violation
from wheelrelay.checks.contract import FileChecks, Inspection, ReleaseChecks, ReleaseContext
from wheelrelay.checks.distribution import Distribution, open_distribution
from wheelrelay.checks.policy import PYPI_POLICY, CheckPolicy
from wheelrelay.checks.registry import failed, file_checks, release_checks
from wheelrelay.model import Kind
from wheelrelay.records import Finding
from wheelrelay.staged import StagedFile

OF_ANY_FILE = ("archive", "filename")
"""Families of checks that apply to files that are neither wheels nor sdists."""

MOST = 20
"""Violations of one check by one file that are told; an archive can hold tens of thousands."""


def inspect(
    given: Path | StagedFile,
    *,
    policies: Sequence[CheckPolicy] = (),
    families: dict[str, FileChecks] | None = None,
    each: Each = map,
) -> Inspection:
    """Read a distribution file once and run all file checks on it; several threads may do so at once.

    Args:
        given: the file; the digest of a staged one is known and not computed again.
        policies: the policy of each sink. Families of checks that apply at none of them are not run.
        families: the checks to run, by name; the installed ones if not given.
        each: as ``map``; reads the parts of a large wheel.

    Returns:
        A few facts and all findings, for all sinks; `CheckPolicy.select` returns those of one sink.

    Raises:
        OSError: the file cannot be opened.
    """
    if isinstance(given, StagedFile):
        distribution, sha256 = open_distribution(given.path, filename=given.filename, each=each), given.sha256
    else:
        distribution, sha256 = open_distribution(given, each=each), _sha256(given)
    chosen = file_checks() if families is None else families
    if distribution.file and distribution.file.kind is Kind.VARIANTS:
        chosen = {name: family for name, family in chosen.items() if name in OF_ANY_FILE}
    if policies:
        chosen = {name: family for name, family in chosen.items() if _applies(family, policies)}
    found = [
        violation.finding(distribution.filename)
        for name, family in chosen.items()
        for violation in _run(name, family.find, distribution)
    ]
    return _inspection(distribution, sha256, found)


def run_release_checks(
    inspections: Sequence[Inspection],
    context: ReleaseContext | None = None,
    *,
    policy: CheckPolicy = PYPI_POLICY,
    families: dict[str, ReleaseChecks] | None = None,
) -> list[Finding]:
    """Check the files of a release together, and against a sink.

    Args:
        inspections: the files that were inspected.
        context: what is known around the release; without it there is no sink and no expectation.
        policy: which checks apply at the sink, and its limits.
        families: the checks to run, by name; the installed ones if not given.
    """
    chosen = release_checks() if families is None else families
    around = replace(
        context or ReleaseContext(),
        max_file_size=policy.max_file_size,
        max_project_size=policy.max_project_size,
    )
    found = [
        violation.finding()
        for name, family in chosen.items()
        for violation in _run(name, family.find, inspections, around)
    ]
    return policy.select(found)


def check_files(paths: Iterable[Path], policy: CheckPolicy = PYPI_POLICY) -> list[Finding]:
    """Everything that is wrong with local files, each by itself and all together, sorted by filename.

    Args:
        paths: distribution files.
        policy: which checks apply, and the size limits.

    Raises:
        OSError: a file cannot be opened.
    """
    inspections = [inspect(path, policies=[policy]) for path in paths]
    of_files = [finding for inspection in inspections for finding in policy.select(inspection.findings)]
    found = [*of_files, *run_release_checks(inspections, policy=policy)]
    return sorted(found, key=lambda finding: (finding.filename or "", finding.check))


def _run(name: str, find: Callable[..., Iterable[Violation]], *given: object) -> Iterator[Violation]:
    """What a family finds, cut short; its failing is a finding too, for a check must not end the run."""
    told: Counter[tuple[str, str | None]] = Counter()
    try:
        for violation in find(*given):
            about = (violation.check.id, violation.filename)
            told[about] += 1
            if told[about] <= MOST:
                yield violation
    except (Exception, SystemExit) as error:  # noqa: BLE001  (an exit must not pass the file)
        yield failed(name, error)


def _applies(family: FileChecks, policies: Sequence[CheckPolicy]) -> bool:
    return any(policy.severity_of(check) is not None for policy in policies for check in family.checks)


def _inspection(distribution: Distribution, sha256: str, found: Sequence[Finding]) -> Inspection:
    raw = distribution.metadata.raw if distribution.metadata else {}
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
        findings=tuple(found),
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as raw:
        return hashlib.file_digest(raw, "sha256").hexdigest()
