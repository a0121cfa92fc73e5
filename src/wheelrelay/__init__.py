"""Moves Python distribution files to the indexes that people install from, never half a release.

The public names, imported when they are first used: a command line should start at once.
"""

from typing import TYPE_CHECKING

from wheelrelay.exports import lazy_names

if TYPE_CHECKING:
    from wheelrelay.api import check, index, list_files, plan, prune, push, relay, remove, verify
    from wheelrelay.config import Config, Remote, RemoteConfig, Route, SinkConfig, load_config
    from wheelrelay.errors import (
        AlreadyExists,
        AuthenticationFailed,
        BackendError,
        ChangedWhileReading,
        CheckFailed,
        ConfigError,
        Conflict,
        DigestMismatch,
        DuplicateBackend,
        Incomplete,
        IntegrityError,
        InvalidFilename,
        MissingSecret,
        NotFound,
        NothingMatched,
        PermissionDenied,
        PluginLoadError,
        Rejected,
        RelayFailed,
        ReleaseRefused,
        SeveralVersions,
        SizeMismatch,
        TimedOut,
        Unavailable,
        UnknownBackend,
        WheelrelayError,
    )
    from wheelrelay.filenames import dist_file
    from wheelrelay.model import Digests, DistFile, Kind, Mode, Release
    from wheelrelay.protocols import Sink, Source, Store
    from wheelrelay.records import Finding, Plan, Receipt
    from wheelrelay.staged import StagedFile

__version__ = "0.1.0"

__all__ = [
    "AlreadyExists",
    "AuthenticationFailed",
    "BackendError",
    "ChangedWhileReading",
    "CheckFailed",
    "Config",
    "ConfigError",
    "Conflict",
    "DigestMismatch",
    "Digests",
    "DistFile",
    "DuplicateBackend",
    "Finding",
    "Incomplete",
    "IntegrityError",
    "InvalidFilename",
    "Kind",
    "MissingSecret",
    "Mode",
    "NotFound",
    "NothingMatched",
    "PermissionDenied",
    "Plan",
    "PluginLoadError",
    "Receipt",
    "Rejected",
    "RelayFailed",
    "Release",
    "ReleaseRefused",
    "Remote",
    "RemoteConfig",
    "Route",
    "SeveralVersions",
    "Sink",
    "SinkConfig",
    "SizeMismatch",
    "Source",
    "StagedFile",
    "Store",
    "TimedOut",
    "Unavailable",
    "UnknownBackend",
    "WheelrelayError",
    "__version__",
    "check",
    "dist_file",
    "index",
    "list_files",
    "load_config",
    "plan",
    "prune",
    "push",
    "relay",
    "remove",
    "verify",
]


__getattr__ = lazy_names(
    __name__,
    {
        "wheelrelay.api": (
            "check",
            "index",
            "list_files",
            "plan",
            "prune",
            "push",
            "relay",
            "remove",
            "verify",
        ),
        "wheelrelay.config": (
            "Config",
            "Remote",
            "RemoteConfig",
            "Route",
            "SinkConfig",
            "load_config",
        ),
        "wheelrelay.errors": (
            "AlreadyExists",
            "AuthenticationFailed",
            "BackendError",
            "ChangedWhileReading",
            "CheckFailed",
            "ConfigError",
            "Conflict",
            "DigestMismatch",
            "DuplicateBackend",
            "Incomplete",
            "IntegrityError",
            "InvalidFilename",
            "MissingSecret",
            "NotFound",
            "NothingMatched",
            "PermissionDenied",
            "PluginLoadError",
            "Rejected",
            "RelayFailed",
            "ReleaseRefused",
            "SeveralVersions",
            "SizeMismatch",
            "TimedOut",
            "Unavailable",
            "UnknownBackend",
            "WheelrelayError",
        ),
        "wheelrelay.filenames": ("dist_file",),
        "wheelrelay.model": (
            "Digests",
            "DistFile",
            "Kind",
            "Mode",
            "Release",
        ),
        "wheelrelay.protocols": (
            "Sink",
            "Source",
            "Store",
        ),
        "wheelrelay.records": (
            "Finding",
            "Plan",
            "Receipt",
        ),
        "wheelrelay.staged": ("StagedFile",),
    },
)


def __dir__() -> list[str]:
    return __all__
