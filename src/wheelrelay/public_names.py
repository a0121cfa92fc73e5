"""The names that the package `wheelrelay` offers, by the module that defines them."""

from collections.abc import Mapping

MODULES: Mapping[str, str] = {
    "wheelrelay.api": (
        "PublishOptions audit check check_index compare index list_files plan preflight prune push "
        "read_receipt relay remove verify yank"
    ),
    "wheelrelay.backends.fsspec": "FsspecConfig",
    "wheelrelay.backends.index": "IndexConfig PyPIConfig TestPyPIConfig",
    "wheelrelay.backends.local.directory": "DirectoryConfig",
    "wheelrelay.backends.web.listing": "ListingConfig",
    "wheelrelay.checks": "ChecksConfig Profile",
    "wheelrelay.comparison": "ComparedRelease Differences ReleaseComparison ReleaseMetadata",
    "wheelrelay.config": (
        "Config EngineConfig EngineLike Remote RemoteConfig RemoteLike Retention Route SinkConfig load_config"
    ),
    "wheelrelay.config.routes": "Expect",
    "wheelrelay.config.secrets": "CommandSecret EnvSecret FileSecret KeyringSecret",
    "wheelrelay.config.trust": "CircleCIPublisher GitHubPublisher GitLabPublisher GooglePublisher Trust",
    "wheelrelay.errors": (
        "AlreadyExists AuthenticationFailed BackendError ChangedWhileReading CheckFailed ConfigError "
        "Conflict DigestMismatch DuplicateBackend EngineFailed Incomplete IntegrityError InvalidFilename "
        "MissingSecret NotFound NothingMatched PermissionDenied PluginLoadError Rejected RelayFailed "
        "ReleaseRefused SeveralVersions SizeMismatch TimedOut Unavailable UnknownBackend UnknownEngine "
        "WheelrelayError WorkerLost"
    ),
    "wheelrelay.events": (
        "AwaitingFiles BytesMoved Event FileBegan FileEnded Interrupting Planned Progress SizeKnown Step "
        "StepBegan StepEnded Verified Waiting"
    ),
    "wheelrelay.filenames": "dist_file",
    "wheelrelay.lock_files": "Lock LockedRelease read_lock",
    "wheelrelay.model": "Confirm Digests DistFile Kind Mode Order ProjectStatus Release Shard",
    "wheelrelay.protocols": "Backend Engine Sink Source Store",
    "wheelrelay.records": (
        "Action Delivery Finding Intent Outcome Plan PlannedFile Receipt ReceiptFile Severity"
    ),
    "wheelrelay.reports": "AuditedFile AuditIssue AuditReport PreflightItem PreflightReport Verdict",
    "wheelrelay.select": "Selection",
    "wheelrelay.signing": "Attester Signer SigstoreAttester",
    "wheelrelay.staged": "StagedFile",
    "wheelrelay.tags": "TagPattern",
}
