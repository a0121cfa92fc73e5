"""The rules that a file or a release must satisfy before anything is published.

The public names, imported when they are first used: reading a configuration needs no archive to be read.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wheelrelay.checks.check import Breach, Check, Profile
    from wheelrelay.checks.config import ChecksConfig, Ignored
    from wheelrelay.checks.contents import Member
    from wheelrelay.checks.distribution import CoreMetadata, Distribution, open_distribution
    from wheelrelay.checks.families import FileChecks, Inspection, ReleaseChecks, ReleaseContext
    from wheelrelay.checks.registry import all_checks
    from wheelrelay.checks.run import check_files, inspect, run_release_checks
    from wheelrelay.checks.sums import parse_sums

_ROOMS = ("check", "config", "sums", "contents", "distribution", "families", "registry", "run")

__all__ = [
    "Breach",
    "Check",
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
    "all_checks",
    "check_files",
    "inspect",
    "open_distribution",
    "parse_sums",
    "run_release_checks",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        for room in _ROOMS:
            module = import_module(f"{__name__}.{room}")
            if hasattr(module, name):
                return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
