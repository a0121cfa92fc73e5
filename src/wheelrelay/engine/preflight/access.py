"""Checks of a sink itself: credentials, attestations, signatures, write permission, clock."""

import os
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from wheelrelay.durations import format_duration
from wheelrelay.engine.context import ConnectedSink, RelayOptions
from wheelrelay.engine.preflight.subject import HeldProject
from wheelrelay.errors import InvalidFilename, NotFound
from wheelrelay.filenames import dist_file
from wheelrelay.model import CredentialCheck
from wheelrelay.protocols import (
    SupportsAttestations,
    SupportsCredentialCheck,
    SupportsLocalPath,
    SupportsReadiness,
    SupportsServerTime,
)
from wheelrelay.reports import PreflightItem, Verdict
from wheelrelay.signing import require_package

CREDENTIALS, ATTESTATIONS, SIGNATURES, WRITABLE, CLOCK = (
    *("credentials", "attestations", "signatures", "write-permission"),
    "clock",
)

CLOCK_TOLERANCE = 60.0
"""Seconds: identities of CI jobs are valid for minutes, and signed requests of S3 for 15 minutes."""


def check_credentials(sink: ConnectedSink, held: Sequence[HeldProject]) -> PreflightItem | None:
    """Resolve the credentials, and check whether the sink accepts them as far as it can be known.

    Raises:
        WheelrelayError: There are none, or the sink refuses them.
    """
    backend = sink.sink
    projects = [project.target.project for project in held]
    if isinstance(backend, SupportsCredentialCheck):
        new = [project.target.project for project in held if project.is_readable and not project.exists]
        checked = backend.check_credentials(projects, new)
    elif isinstance(backend, SupportsReadiness):
        backend.make_ready()
        checked = CredentialCheck(None, "There are credentials. Only an upload shows what they permit.")
    elif isinstance(backend, SupportsLocalPath):
        return None
    else:
        checked = CredentialCheck(None, "It can be read. Only an upload shows whether it can be written.")
    verdict = Verdict.PASS if checked.is_accepted else Verdict.UNKNOWN
    return PreflightItem(CREDENTIALS, verdict, checked.reason, sink.name)


def check_attestations(sink: ConnectedSink, *, has_credentials: bool) -> PreflightItem | None:
    """Check whether the sink accepts attestations, if it is configured to publish some.

    Args:
        sink: The sink.
        has_credentials: Whether it accepts the credentials; otherwise, no token is requested here.

    Raises:
        WheelrelayError: It would refuse them, or a package is missing.
    """
    if not (sink.attest and isinstance(sink.sink, SupportsAttestations)):
        return None
    require_package()
    if not has_credentials:
        reason = "They need trusted publishing; see the credentials."
        return PreflightItem(ATTESTATIONS, Verdict.UNKNOWN, reason, sink.name)
    sink.sink.ensure_accepts_attestations()
    reason = "Attestations by this job are accepted."
    return PreflightItem(ATTESTATIONS, Verdict.PASS, reason, sink.name)


def check_signatures(sink: ConnectedSink, options: RelayOptions) -> PreflightItem | None:
    """Check that files can be signed, if the sink requires signatures.

    Raises:
        WheelrelayError: There is no key, or gpg does not work.
    """
    if not sink.sign:
        return None
    options.signer.make_ready()
    return PreflightItem(SIGNATURES, Verdict.PASS, "There is a key to sign with.", sink.name)


def check_writable(sink: ConnectedSink) -> PreflightItem | None:
    """Check that files can be created in a local directory, which may not exist yet."""
    folder = _folder_of(sink)
    if folder is None:
        return None
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if existing.is_dir() and os.access(existing, os.W_OK | os.X_OK):
        state = "can be written to" if existing == folder else "can be created"
        return PreflightItem(WRITABLE, Verdict.PASS, f"{folder} {state}.", sink.name)
    reason = f"{existing} is not a directory that can be written to."
    return PreflightItem(WRITABLE, Verdict.FAIL, reason, sink.name, hint="Change its permissions.")


def _folder_of(sink: ConnectedSink) -> Path | None:
    if not isinstance(sink.sink, SupportsLocalPath):
        return None
    try:
        return sink.sink.local_path(dist_file("any-1.tar.gz")).parent
    except (InvalidFilename, NotFound):
        return None


def check_clock(sink: ConnectedSink) -> PreflightItem | None:
    """Compare the local clock with that of the sink's server, after other checks have read the sink."""
    if not isinstance(sink.sink, SupportsServerTime) or isinstance(sink.sink, SupportsLocalPath):
        return None  # a local directory has the same clock
    offset = sink.sink.clock_offset()
    if offset is None:
        return PreflightItem(CLOCK, Verdict.UNKNOWN, "The server does not report its time.", sink.name)
    if abs(offset) <= CLOCK_TOLERANCE:
        return PreflightItem(CLOCK, Verdict.PASS, "The local clock agrees with the server's.", sink.name)
    direction = "ahead of" if offset > 0 else "behind"
    difference = format_duration(timedelta(seconds=round(abs(offset))))
    reason = f"The local clock is {difference} {direction} the server's."
    hint = "Set the clock: identities, signatures and tokens are valid for minutes."
    return PreflightItem(CLOCK, Verdict.FAIL, reason, sink.name, hint=hint)
