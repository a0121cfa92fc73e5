"""The configuration: remotes, routes, engines, references to secrets, and how they are loaded."""

from typing import TYPE_CHECKING

from wheelrelay.exports import lazy_names

if TYPE_CHECKING:
    from wheelrelay.config.base import (
        ContainerConfig,
        NetworkConfig,
        RemoteConfig,
        Retention,
        SinkConfig,
        StoreConfig,
    )
    from wheelrelay.config.engines import EngineConfig, EngineLike
    from wheelrelay.config.load import Config, load_config, looks_like_remote, which_config
    from wheelrelay.config.remotes import Remote, RemoteLike, as_remote
    from wheelrelay.config.routes import Route
    from wheelrelay.config.secrets import SecretReference, SecretValue, TextOrReference
    from wheelrelay.config.values import BucketName, Duration, FolderPrefix, LocalPath, Timeout, WebAddress
    from wheelrelay.redaction import register_secret

__all__ = [
    "BucketName",
    "Config",
    "ContainerConfig",
    "Duration",
    "EngineConfig",
    "EngineLike",
    "FolderPrefix",
    "LocalPath",
    "NetworkConfig",
    "Remote",
    "RemoteConfig",
    "RemoteLike",
    "Retention",
    "Route",
    "SecretReference",
    "SecretValue",
    "SinkConfig",
    "StoreConfig",
    "TextOrReference",
    "Timeout",
    "WebAddress",
    "as_remote",
    "load_config",
    "looks_like_remote",
    "register_secret",
    "which_config",
]

__getattr__ = lazy_names(
    __name__,
    {
        "wheelrelay.config.base": (
            "ContainerConfig",
            "NetworkConfig",
            "RemoteConfig",
            "Retention",
            "SinkConfig",
            "StoreConfig",
        ),
        "wheelrelay.config.engines": ("EngineConfig", "EngineLike"),
        "wheelrelay.config.load": ("Config", "load_config", "looks_like_remote", "which_config"),
        "wheelrelay.config.remotes": (
            "Remote",
            "RemoteLike",
            "as_remote",
        ),
        "wheelrelay.config.routes": ("Route",),
        "wheelrelay.config.secrets": (
            "SecretReference",
            "SecretValue",
            "TextOrReference",
        ),
        "wheelrelay.config.values": (
            "BucketName",
            "Duration",
            "FolderPrefix",
            "LocalPath",
            "Timeout",
            "WebAddress",
        ),
        "wheelrelay.redaction": ("register_secret",),
    },
)
