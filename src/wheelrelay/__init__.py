"""Moves Python distribution files to the indexes that people install from, never half a release.

The public names, imported when they are first used: a command line should start at once.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wheelrelay.api import list_files, plan, push, relay
    from wheelrelay.config import Config, Mode, Remote, RemoteConfig, Route, SinkConfig, load_config
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
        Unavailable,
        UnknownBackend,
        WheelrelayError,
    )
    from wheelrelay.filenames import dist_file
    from wheelrelay.model import Digests, DistFile, Kind, Release
    from wheelrelay.protocols import Sink, Source, Store
    from wheelrelay.records import Finding, Plan, Receipt
    from wheelrelay.staged import StagedFile

_HOMES = {
    "api": ("list_files", "plan", "push", "relay"),
    "config": ("Config", "Mode", "Remote", "RemoteConfig", "Route", "SinkConfig", "load_config"),
    "errors": (
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
        "Unavailable",
        "UnknownBackend",
        "WheelrelayError",
    ),
    "filenames": ("dist_file",),
    "model": ("Digests", "DistFile", "Kind", "Release"),
    "protocols": ("Sink", "Source", "Store"),
    "records": ("Finding", "Plan", "Receipt"),
    "staged": ("StagedFile",),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME_OF)


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
