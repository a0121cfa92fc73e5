"""A comparison of two releases as a JSON document."""

from collections.abc import Sequence
from typing import Literal

from wheelrelay.comparison.releases import ComparedRelease, Differences, ReleaseComparison
from wheelrelay.comparison_document import (
    ComparisonDocument,
    DifferencesDocument,
    EnvironmentDocument,
    ReleaseDocument,
)
from wheelrelay.environments import Choice, CoverageChange, Support
from wheelrelay.model import Kind

_Change = Literal["lost", "excluded", "raised", "lowered", "gained"]


def comparison_document(comparison: ReleaseComparison) -> ComparisonDocument:
    """Return the document for a comparison of two releases."""
    coverage = comparison.coverage
    groups: list[tuple[_Change, Sequence[CoverageChange]]] = [
        ("lost", coverage.lost),
        ("excluded", coverage.excluded),
        ("raised", coverage.raised),
        ("lowered", coverage.lowered),
        ("gained", coverage.gained),
    ]
    return {
        "project": comparison.after.release.project,
        "before": _release(comparison.before),
        "after": _release(comparison.after),
        "environments": [_environment(change, name) for name, changes in groups for change in changes],
        "dependencies": _differences(comparison.dependencies),
        "extras": _differences(comparison.extras),
        "entry_points": _differences(comparison.entry_points),
        "sizes": [
            {
                "before": pair.before.filename,
                "after": pair.after.filename,
                "size_before": pair.before.size or 0,
                "size_after": pair.after.size or 0,
            }
            for pair in comparison.sizes
        ],
    }


def _release(compared: ComparedRelease) -> ReleaseDocument:
    metadata = compared.metadata
    return {
        "version": str(compared.version),
        "wheels": compared.count(Kind.WHEEL),
        "sdists": compared.count(Kind.SDIST),
        "size": compared.size,
        "requires_python": metadata.requires_python if metadata else None,
        "license": metadata.license if metadata else None,
        "metadata_from": metadata.filename if metadata else None,
    }


def _environment(change: CoverageChange, name: _Change) -> EnvironmentDocument:
    return {
        "python": change.interpreter.tag,
        "abi": change.interpreter.abi,
        "platform": change.platform,
        "change": name,
        "before": _support(change.before),
        "after": _support(change.after),
    }


def _support(support: Support) -> str:
    """Return the oldest system of a wheel, such as ``glibc 2.17``, or else what installers take."""
    return (support.minimum if support.choice is Choice.WHEEL else "") or support.choice.value


def _differences(differences: Differences) -> DifferencesDocument:
    return {"removed": list(differences.removed), "added": list(differences.added)}
