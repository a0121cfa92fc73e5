"""Options that `relay` and `push` share."""

from dataclasses import dataclass, field

from wheelrelay.signing import Attester, Signer, SigstoreAttester


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishOptions:
    """How files are published; the defaults follow the configuration of each sink.

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
    """

    replace: bool = False
    allow_unexpected: bool = False
    confirm_timeout: float | None = None
    sign: bool = False
    signer: Signer = field(default_factory=Signer)
    attester: Attester = field(default_factory=SigstoreAttester)


DEFAULT_OPTIONS = PublishOptions()
