"""How two releases of a project differ: environments, sizes and metadata."""

from wheelrelay.comparison.document import comparison_document
from wheelrelay.comparison.metadata import ReleaseMetadata
from wheelrelay.comparison.releases import ComparedRelease, Differences, ReleaseComparison, SizeChange

__all__ = [
    "ComparedRelease",
    "Differences",
    "ReleaseComparison",
    "ReleaseMetadata",
    "SizeChange",
    "comparison_document",
]
