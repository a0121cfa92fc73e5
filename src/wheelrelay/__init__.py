"""Move Python distribution files to the indexes that people install from, and never half-publish a release.

Publish:

- `relay` moves a release from a source to one or more sinks;
- `push` publishes local files;
- `plan` returns what `relay` would do, without writing anything;
- `preflight` checks before a build whether a release may be published.

Inspect:

- `list_files` lists the files that a remote holds;
- `compare` compares two releases of a project;
- `check` checks local files by the rules of PyPI, without a network;
- `verify` compares published files with their source, or with their digests;
- `read_receipt` reads the receipt of a relay, and `Receipt.merged` merges those of several.

Maintain a container (a directory or a bucket with index pages):

- `remove` and `prune` remove files;
- `index` rewrites the index pages, `check_index` reports outdated ones.

A remote is a name from the configuration, an address such as ``./dist``, ``pypi`` or
``https://wheels.example.org``, a configuration such as `IndexConfig`, or a connected backend. A `Route` has a
source and sinks; `load_config` reads routes from ``wheelrelay.toml``.
`PublishOptions` has the less common options.

>>> import wheelrelay
>>> from wheelrelay.testing import make_wheel
>>> wheel = make_wheel(tmp_path / "dist", "sample", "1.0")
>>> wheelrelay.check([wheel])
[]
>>> route = wheelrelay.Route(source=str(tmp_path / "dist"), sinks=[str(tmp_path / "wheelhouse")])
>>> receipt = wheelrelay.relay(route, ["sample==1.0"])
>>> receipt.is_complete
True

Every error is a `WheelrelayError` with a ``message`` and a ``hint``. After `ReleaseRefused`, nothing was
published. `RelayFailed` carries the receipt of a partial release; calling `relay` again completes it.

Backends implement the protocols `Source` and `Sink`; ``wheelrelay.testing`` tests them.
"""

from typing import TYPE_CHECKING

from wheelrelay.exports import lazy_names
from wheelrelay.public_names import MODULES
from wheelrelay.version import __version__

if TYPE_CHECKING:
    from wheelrelay.api import (
        PublishOptions,
        audit,
        check,
        check_index,
        compare,
        index,
        list_files,
        plan,
        preflight,
        prune,
        push,
        read_receipt,
        relay,
        remove,
        verify,
        yank,
    )
    from wheelrelay.backends.fsspec import FsspecConfig
    from wheelrelay.backends.index import IndexConfig, PyPIConfig, TestPyPIConfig
    from wheelrelay.backends.local.directory import DirectoryConfig
    from wheelrelay.backends.web.listing import ListingConfig
    from wheelrelay.checks import ChecksConfig, Profile
    from wheelrelay.comparison import (
        ComparedRelease,
        Differences,
        ReleaseComparison,
        ReleaseMetadata,
    )
    from wheelrelay.config import (
        Config,
        EngineConfig,
        EngineLike,
        Remote,
        RemoteConfig,
        RemoteLike,
        Retention,
        Route,
        SinkConfig,
        load_config,
    )
    from wheelrelay.config.routes import Expect
    from wheelrelay.config.secrets import CommandSecret, EnvSecret, FileSecret, KeyringSecret
    from wheelrelay.config.trust import (
        CircleCIPublisher,
        GitHubPublisher,
        GitLabPublisher,
        GooglePublisher,
        Trust,
    )
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
        EngineFailed,
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
        UnknownEngine,
        WheelrelayError,
        WorkerLost,
    )
    from wheelrelay.events import (
        AwaitingFiles,
        BytesMoved,
        Event,
        FileBegan,
        FileEnded,
        Interrupting,
        Planned,
        Progress,
        SizeKnown,
        Step,
        StepBegan,
        StepEnded,
        Verified,
        Waiting,
    )
    from wheelrelay.filenames import dist_file
    from wheelrelay.lock_files import Lock, LockedRelease, read_lock
    from wheelrelay.model import Confirm, Digests, DistFile, Kind, Mode, Order, ProjectStatus, Release, Shard
    from wheelrelay.protocols import Backend, Engine, Sink, Source, Store
    from wheelrelay.records import (
        Action,
        Delivery,
        Finding,
        Intent,
        Outcome,
        Plan,
        PlannedFile,
        Receipt,
        ReceiptFile,
        Severity,
    )
    from wheelrelay.reports import (
        AuditedFile,
        AuditIssue,
        AuditReport,
        PreflightItem,
        PreflightReport,
        Verdict,
    )
    from wheelrelay.select import Selection
    from wheelrelay.signing import Attester, Signer, SigstoreAttester
    from wheelrelay.staged import StagedFile
    from wheelrelay.tags import TagPattern

__all__ = [
    "Action",
    "AlreadyExists",
    "Attester",
    "AuditIssue",
    "AuditReport",
    "AuditedFile",
    "AuthenticationFailed",
    "AwaitingFiles",
    "Backend",
    "BackendError",
    "BytesMoved",
    "ChangedWhileReading",
    "CheckFailed",
    "ChecksConfig",
    "CircleCIPublisher",
    "CommandSecret",
    "ComparedRelease",
    "Config",
    "ConfigError",
    "Confirm",
    "Conflict",
    "Delivery",
    "Differences",
    "DigestMismatch",
    "Digests",
    "DirectoryConfig",
    "DistFile",
    "DuplicateBackend",
    "Engine",
    "EngineConfig",
    "EngineFailed",
    "EngineLike",
    "EnvSecret",
    "Event",
    "Expect",
    "FileBegan",
    "FileEnded",
    "FileSecret",
    "Finding",
    "FsspecConfig",
    "GitHubPublisher",
    "GitLabPublisher",
    "GooglePublisher",
    "Incomplete",
    "IndexConfig",
    "IntegrityError",
    "Intent",
    "Interrupting",
    "InvalidFilename",
    "KeyringSecret",
    "Kind",
    "ListingConfig",
    "Lock",
    "LockedRelease",
    "MissingSecret",
    "Mode",
    "NotFound",
    "NothingMatched",
    "Order",
    "Outcome",
    "PermissionDenied",
    "Plan",
    "Planned",
    "PlannedFile",
    "PluginLoadError",
    "PreflightItem",
    "PreflightReport",
    "Profile",
    "Progress",
    "ProjectStatus",
    "PublishOptions",
    "PyPIConfig",
    "Receipt",
    "ReceiptFile",
    "Rejected",
    "RelayFailed",
    "Release",
    "ReleaseComparison",
    "ReleaseMetadata",
    "ReleaseRefused",
    "Remote",
    "RemoteConfig",
    "RemoteLike",
    "Retention",
    "Route",
    "Selection",
    "SeveralVersions",
    "Severity",
    "Shard",
    "Signer",
    "SigstoreAttester",
    "Sink",
    "SinkConfig",
    "SizeKnown",
    "SizeMismatch",
    "Source",
    "StagedFile",
    "Step",
    "StepBegan",
    "StepEnded",
    "Store",
    "TagPattern",
    "TestPyPIConfig",
    "TimedOut",
    "Trust",
    "Unavailable",
    "UnknownBackend",
    "UnknownEngine",
    "Verdict",
    "Verified",
    "Waiting",
    "WheelrelayError",
    "WorkerLost",
    "__version__",
    "audit",
    "check",
    "check_index",
    "compare",
    "dist_file",
    "index",
    "list_files",
    "load_config",
    "plan",
    "preflight",
    "prune",
    "push",
    "read_lock",
    "read_receipt",
    "relay",
    "remove",
    "verify",
    "yank",
]

__getattr__ = lazy_names(__name__, {module: names.split() for module, names in MODULES.items()})


def __dir__() -> list[str]:
    return __all__
