"""Check the format of companion files: signatures, Sigstore bundles and attestations; nothing is verified.

Only companions in the format of their suffix are published. Of OpenPGP signatures (RFC 9580), only the packet
headers are parsed, which is enough to refuse web pages, scripts and keys.
"""

import json
import re
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from wheelrelay.model import PROVENANCE_SUFFIX, Companion
from wheelrelay.records import Finding, Severity
from wheelrelay.signing.attestations import PUBLISH_ATTESTATION, SLSA_ATTESTATION, parse_provenance
from wheelrelay.signing.provenance import provenance_mismatch
from wheelrelay.staged import StagedFile

COMPANION_REFUSED = "companion-refused"
"""The id of findings about companions that are not published."""

BUNDLE_MEDIA_TYPE = "application/vnd.dev.sigstore.bundle"
"""Prefix of the media types of Sigstore bundles (sigstore/protobuf-specs)."""

_BEGIN, _END = b"-----BEGIN PGP SIGNATURE-----", b"-----END PGP SIGNATURE-----"
_HEADER = re.compile(rb"[A-Za-z][A-Za-z-]*:( .*)?")
_CHECKSUM = re.compile(rb"=[A-Za-z0-9+/]{4}")

_SIGNATURE = 2
"""The packet type of signatures (RFC 9580, section 5)."""
_OF_FILES = (0, 1)
"""The signature types of files, binary or text (section 5.2.1)."""
_TYPE_AT = {3: 2, 4: 1, 5: 1, 6: 1}
"""Offset of the signature type by version of the signature packet."""
_SHORTEST = 12
"""Minimum size of a signature in bytes."""

MAX_SIGNATURES = 16
"""Maximum number of signatures in one companion: gpg needs milliseconds for each, and thousands would fit."""


def refused_companion(filename: str, suffix: str, reason: str) -> Finding:
    """Return the finding about a companion that is not published.

    Args:
        filename: The filename of the distribution.
        suffix: The suffix of the companion.
        reason: A sentence without its full stop whose subject is "it".
    """
    message = f"{filename}{suffix} is not published: {reason}."
    return Finding(
        COMPANION_REFUSED, Severity.WARNING, message, filename, hint="Remove it or create it again."
    )


def drop_malformed_companions(staged: StagedFile) -> tuple[StagedFile, Sequence[Finding]]:
    """Return a file without malformed companions and provenance of other files, and a finding for each."""
    reasons = {
        companion.suffix: format_error(companion) or provenance_mismatch(staged, companion)
        for companion in staged.companions
    }
    kept = tuple(companion for companion in staged.companions if reasons[companion.suffix] is None)
    findings = [
        refused_companion(staged.filename, suffix, reason) for suffix, reason in reasons.items() if reason
    ]
    if not findings:
        return staged, ()
    file = replace(staged.file, companions=tuple(companion.suffix for companion in kept))
    return replace(staged, file=file, companions=kept), findings


def format_error(companion: Companion) -> str | None:
    """Return why a companion does not have the format of its suffix, such as "it is empty", or ``None``."""
    try:
        _FORMS[companion.suffix](companion.content)
    except ValueError as error:
        return str(error)
    except RecursionError:
        return "it is nested too deeply"
    return None


def _check_attestation(content: bytes) -> None:
    """Check an attestation; see PEP 740, "Attestation objects"."""
    document = _document(content, "attestation")
    material, envelope = _part(document, "verification_material"), _part(document, "envelope")
    entries = material.get("transparency_entries")
    encoded = [material.get("certificate"), envelope.get("statement"), envelope.get("signature")]
    if document.get("version") != 1 or not isinstance(entries, list) or not entries:
        raise ValueError("it is not an attestation of version 1")
    if not all(isinstance(text, str) and b64decode(text) for text in encoded):
        raise ValueError("it is not an attestation: a field is missing")


def _check_provenance(content: bytes) -> None:
    """Check a provenance object; see PEP 740, "Provenance objects"."""
    if not list(parse_provenance(content)):
        raise ValueError("it has no attestation")


def _check_bundle(content: bytes) -> None:
    """Check a bundle; see ``sigstore_bundle.proto`` of sigstore/protobuf-specs."""
    document = _document(content, "Sigstore bundle")
    _part(document, "verificationMaterial")
    if not str(document.get("mediaType")).startswith(BUNDLE_MEDIA_TYPE):
        raise ValueError("it is not a Sigstore bundle: its mediaType differs")
    if sum(isinstance(document.get(name), dict) for name in ("messageSignature", "dsseEnvelope")) != 1:
        raise ValueError("it is not a Sigstore bundle: it has no signature")


def _document(content: bytes, kind: str) -> Mapping[str, Any]:
    try:
        document = json.loads(content)
    except ValueError as error:
        raise ValueError(f"it is not a {kind}: it is not JSON") from error
    if not isinstance(document, dict):
        raise ValueError(f"it is not a {kind}")  # noqa: TRY004  (the content is invalid, not the type of an argument)
    return document


def _part(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = document.get(name)
    if not isinstance(part, dict):
        raise ValueError(f"its {name} is missing")  # noqa: TRY004  (see above)
    return part


def check_detached(content: bytes) -> None:
    """Ensure that content consists of detached OpenPGP signatures, armored or binary.

    Raises:
        ValueError: It does not.
    """
    text = content.strip()
    packets = _without_armor(text) if text.startswith(b"-----") else content
    if not packets:
        raise ValueError("it is empty")
    count = 0
    while packets:
        packets = _after_signature(packets)
        count += 1
    if count > MAX_SIGNATURES:
        raise ValueError(f"it has {count} signatures, more than {MAX_SIGNATURES}")


def _without_armor(text: bytes) -> bytes:
    """Return the packets in ASCII armor (section 6.2)."""
    first, *lines = [line.rstrip() for line in text.split(b"\n")]
    if first != _BEGIN or not lines or lines.pop() != _END:
        raise ValueError("it is not one armored signature")
    while lines and _HEADER.fullmatch(lines[0]):
        del lines[0]
    if not lines or lines.pop(0):
        raise ValueError("its armor has no empty line after the headers")
    if lines and _CHECKSUM.fullmatch(lines[-1]):
        lines.pop()
    try:
        return b64decode(b"".join(lines), validate=True)
    except ValueError as error:
        raise ValueError("its armor contains invalid base64") from error


def _after_signature(packets: bytes) -> bytes:
    """Check the first packet, and return the packets after it."""
    kind, start, stop = _frame(packets)
    body = packets[start:stop]
    if kind != _SIGNATURE or len(body) != stop - start or len(body) < _SHORTEST:
        raise ValueError("it is truncated, or contains other data than signatures")
    if body[0] not in _TYPE_AT:
        raise ValueError("it is a signature of an unknown version")
    if body[_TYPE_AT[body[0]]] not in _OF_FILES:
        raise ValueError("it is not a signature of a file")
    return packets[stop:]


def _frame(packets: bytes) -> tuple[int, int, int]:
    """Return the type of the first packet, and the offsets of its body (section 4.2)."""
    first = packets[0]
    if not first & 0x80:
        raise ValueError("it is not OpenPGP data")
    if first & 0x40:
        size, start = _new_length(packets)
        return first & 0x3F, start, start + size
    octets = {0: 1, 1: 2, 2: 4}.get(first & 0x03)
    if octets is None:
        raise ValueError("it has a packet of unknown length")
    start = 1 + octets
    return (first >> 2) & 0x0F, start, start + int.from_bytes(packets[1:start], "big")


def _new_length(packets: bytes) -> tuple[int, int]:
    """Return the length of the first packet's body and its offset (section 4.2.1)."""
    octets = [*packets[1:3], 0, 0]
    if octets[0] < 192:
        return octets[0], 2
    if octets[0] < 224:
        return ((octets[0] - 192) << 8) + octets[1] + 192, 3
    if octets[0] == 255:
        return int.from_bytes(packets[2:6], "big"), 6
    raise ValueError("it has a packet with partial lengths")


_FORMS: Mapping[str, Callable[[bytes], None]] = {
    ".asc": check_detached,
    ".sigstore": _check_bundle,
    PUBLISH_ATTESTATION: _check_attestation,
    SLSA_ATTESTATION: _check_attestation,
    PROVENANCE_SUFFIX: _check_provenance,
}
