"""Options that `relay` and `push` share."""

from dataclasses import field

from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.signing import Attester, Signer, SigstoreAttester


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishOptions:
    """How files are published; the defaults follow the configuration of each sink.

    Options are data, and pickle for other processes; functions such as ``progress`` are parameters.

    Attributes:
        replace: Overwrite files that a container holds under the same name with other bytes. An index
            never overwrites files.
        allow_unexpected: Publish files that match nothing in the route's ``expect``.
        confirm_timeout: Seconds to wait until a sink shows what was published, instead of each sink's own
            ``confirm_timeout``.
        sign: Publish an OpenPGP signature with each file, also to sinks that are configured without
            ``sign``.
        signer: Creates the signatures.
        attester: Creates the attestations for sinks that are configured with ``attest``.
        finalize: Update the index pages of containers at the end. Without it, the files are published and
            the pages do not list them until `wheelrelay.index` is called with the projects, for example once
            after several relays to the same container: ``index(sink, receipt.projects(name))``.
        resolve: Resolve the release with uv before it is published, also if the route does not set
            ``resolve``; for `relay` only.
    """

    replace: bool = False
    allow_unexpected: bool = False
    confirm_timeout: float | None = None
    sign: bool = False
    signer: Signer = field(default_factory=Signer)
    attester: Attester = field(default_factory=SigstoreAttester)
    finalize: bool = True
    resolve: bool = False


DEFAULT_OPTIONS = PublishOptions()
