"""The rules that a file or a release must satisfy before anything is published.

The public names, imported when they are first used: reading a configuration needs no archive to be read.
"""

from typing import TYPE_CHECKING

from wheelrelay.exports import lazy_names

if TYPE_CHECKING:
    from wheelrelay.checks.archive_contents import Member
    from wheelrelay.checks.check import Check, Profile, Violation
    from wheelrelay.checks.config import ChecksConfig, Ignored
    from wheelrelay.checks.contract import FileChecks, Inspection, ReleaseChecks, ReleaseContext
    from wheelrelay.checks.distribution import CoreMetadata, Distribution, open_distribution
    from wheelrelay.checks.policy import CheckPolicy
    from wheelrelay.checks.registry import all_checks
    from wheelrelay.checks.run import check_files, inspect, run_release_checks
    from wheelrelay.checks.sums import parse_sums

__all__ = [
    "Check",
    "CheckPolicy",
    "ChecksConfig",
    "CoreMetadata",
    "Distribution",
    "FileChecks",
    "Ignored",
    "Inspection",
    "Member",
    "Profile",
    "ReleaseChecks",
    "ReleaseContext",
    "Violation",
    "all_checks",
    "check_files",
    "inspect",
    "open_distribution",
    "parse_sums",
    "run_release_checks",
]


__getattr__ = lazy_names(
    __name__,
    {
        "wheelrelay.checks.check": (
            "Violation",
            "Check",
            "Profile",
        ),
        "wheelrelay.checks.config": (
            "ChecksConfig",
            "Ignored",
        ),
        "wheelrelay.checks.archive_contents": ("Member",),
        "wheelrelay.checks.distribution": (
            "CoreMetadata",
            "Distribution",
            "open_distribution",
        ),
        "wheelrelay.checks.contract": (
            "FileChecks",
            "Inspection",
            "ReleaseChecks",
            "ReleaseContext",
        ),
        "wheelrelay.checks.policy": ("CheckPolicy",),
        "wheelrelay.checks.registry": ("all_checks",),
        "wheelrelay.checks.run": (
            "check_files",
            "inspect",
            "run_release_checks",
        ),
        "wheelrelay.checks.sums": ("parse_sums",),
    },
)
