"""Check distribution files and releases before they are published.

`wheelrelay.checks.contract` explains how to write a check. The rules are in one module a family: ``archive``
(zip and tar), ``filename``, ``wheel``, ``tags``, ``record``, ``metadata``, ``description``, ``variants``,
``binaries``, ``release``, ``coverage``, ``provenance`` and ``sink``.
"""

from typing import TYPE_CHECKING

from wheelrelay.exports import lazy_names

if TYPE_CHECKING:
    from wheelrelay.archives import ArchiveContents, Member
    from wheelrelay.checks.config import ChecksConfig, IgnoredCheck
    from wheelrelay.checks.contract import (
        Check,
        FileChecks,
        Inspection,
        Profile,
        ReleaseChecks,
        ReleaseContext,
        Violation,
    )
    from wheelrelay.checks.distribution import CoreMetadata, Distribution, open_distribution
    from wheelrelay.checks.policy import CheckPolicy
    from wheelrelay.checks.registry import all_checks
    from wheelrelay.checks.run import check_files, inspect, run_release_checks
    from wheelrelay.printable import join_names, printable

__all__ = [
    "ArchiveContents",
    "Check",
    "CheckPolicy",
    "ChecksConfig",
    "CoreMetadata",
    "Distribution",
    "FileChecks",
    "IgnoredCheck",
    "Inspection",
    "Member",
    "Profile",
    "ReleaseChecks",
    "ReleaseContext",
    "Violation",
    "all_checks",
    "check_files",
    "inspect",
    "join_names",
    "open_distribution",
    "printable",
    "run_release_checks",
]


# Imported on first use: to read a configuration, no module that reads archives is needed.
__getattr__ = lazy_names(
    __name__,
    {
        "wheelrelay.archives": ("ArchiveContents", "Member"),
        "wheelrelay.checks.config": ("ChecksConfig", "IgnoredCheck"),
        "wheelrelay.checks.contract": (
            "Check",
            "FileChecks",
            "Inspection",
            "Profile",
            "ReleaseChecks",
            "ReleaseContext",
            "Violation",
        ),
        "wheelrelay.checks.distribution": ("CoreMetadata", "Distribution", "open_distribution"),
        "wheelrelay.checks.policy": ("CheckPolicy",),
        "wheelrelay.checks.registry": ("all_checks",),
        "wheelrelay.checks.run": ("check_files", "inspect", "run_release_checks"),
        "wheelrelay.printable": ("join_names", "printable"),
    },
)
