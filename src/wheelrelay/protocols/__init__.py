"""The protocols of backends: `Source`, `Sink` and `Store`, and optional capabilities of one method each.

`Engine` is the protocol of engines, which run parts of a relay in other processes.

A connected backend is called from several threads at once. It raises only errors of `wheelrelay.errors`,
does not retry, and prints nothing. The engine detects capabilities with `isinstance`.
"""

from wheelrelay.protocols.changes import Snapshot, SupportsSerials, SupportsSnapshots
from wheelrelay.protocols.engines import Engine, Report, Task
from wheelrelay.protocols.installers import InstallerIndex, SupportsInstallers
from wheelrelay.protocols.reading import (
    LimitsParallelRanges,
    SupportsAnonymousReading,
    SupportsBulkInventory,
    SupportsBulkListing,
    SupportsBulkLook,
    SupportsCacheStatus,
    SupportsCompanions,
    SupportsInventory,
    SupportsLocalPath,
    SupportsLook,
    SupportsProjects,
    SupportsProvenance,
    SupportsRange,
    SupportsReuse,
    SupportsServerTime,
    SupportsStatus,
)
from wheelrelay.protocols.remotes import (
    Backend,
    ByteStream,
    Sink,
    Source,
    Store,
    SupportsLength,
)
from wheelrelay.protocols.writing import (
    SupportsAttestations,
    SupportsCompanionStorage,
    SupportsCredentialCheck,
    SupportsDelete,
    SupportsDoubt,
    SupportsFinalize,
    SupportsPages,
    SupportsReadiness,
    SupportsReplace,
    SupportsServerSideCopy,
    SupportsUploadForm,
    SupportsUpstreamState,
    SupportsYank,
)

__all__ = [
    "Backend",
    "ByteStream",
    "Engine",
    "InstallerIndex",
    "LimitsParallelRanges",
    "Report",
    "Sink",
    "Snapshot",
    "Source",
    "Store",
    "SupportsAnonymousReading",
    "SupportsAttestations",
    "SupportsBulkInventory",
    "SupportsBulkListing",
    "SupportsBulkLook",
    "SupportsCacheStatus",
    "SupportsCompanionStorage",
    "SupportsCompanions",
    "SupportsCredentialCheck",
    "SupportsDelete",
    "SupportsDoubt",
    "SupportsFinalize",
    "SupportsInstallers",
    "SupportsInventory",
    "SupportsLength",
    "SupportsLocalPath",
    "SupportsLook",
    "SupportsPages",
    "SupportsProjects",
    "SupportsProvenance",
    "SupportsRange",
    "SupportsReadiness",
    "SupportsReplace",
    "SupportsReuse",
    "SupportsSerials",
    "SupportsServerSideCopy",
    "SupportsServerTime",
    "SupportsSnapshots",
    "SupportsStatus",
    "SupportsUploadForm",
    "SupportsUpstreamState",
    "SupportsYank",
    "Task",
]
