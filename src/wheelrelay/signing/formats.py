"""Tell whether what lies beside a distribution file is what its name says; nothing is verified here.

A companion is published next to the file that it came with. What is not of the form that its suffix names
stays behind.
"""

import json
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from wheelrelay.model import Companion
from wheelrelay.records import Finding, Severity
from wheelrelay.signing.attestations import PUBLISH_ATTESTATION, SLSA_ATTESTATION
from wheelrelay.signing.openpgp import check_detached
from wheelrelay.staged import StagedFile

COMPANION_REFUSED = "companion-refused"
"""The id of findings about companions that are not published."""

BUNDLE_MEDIA_TYPE = "application/vnd.dev.sigstore.bundle"
"""How the media types of Sigstore bundles begin (sigstore/protobuf-specs)."""


def refused_companion(filename: str, suffix: str, reason: str) -> Finding:
    """The finding about a companion that stays behind.

    Args:
        filename: of the distribution file.
        suffix: what follows it.
        reason: a sentence about the companion without its full stop, its subject "it".
    """
    said = f"{filename}{suffix} is not published: {reason}."
    return Finding(
        COMPANION_REFUSED, Severity.WARNING, said, filename, hint="Remove it, or have it made again."
    )


def drop_malformed_companions(staged: StagedFile) -> tuple[StagedFile, Sequence[Finding]]:
    """A file with those of its companions that are what their suffixes say, and a finding for each other."""
    reasons = {companion.suffix: format_error(companion) for companion in staged.companions}
    kept = tuple(companion for companion in staged.companions if reasons[companion.suffix] is None)
    findings = [
        refused_companion(staged.filename, suffix, reason) for suffix, reason in reasons.items() if reason
    ]
    if not findings:
        return staged, ()
    file = replace(staged.file, companions=tuple(companion.suffix for companion in kept))
    return replace(staged, file=file, companions=kept), findings


def format_error(companion: Companion) -> str | None:
    """Why a companion does not have the form that its suffix names, as "it is empty"; else ``None``."""
    try:
        _FORMS[companion.suffix](companion.content)
    except ValueError as error:
        return str(error)
    except RecursionError:
        return "it is nested too deeply"
    return None


def _check_attestation(content: bytes) -> None:
    """See PEP 740, "Attestation objects"."""
    document = _document(content, "attestation")
    material, envelope = _part(document, "verification_material"), _part(document, "envelope")
    entries = material.get("transparency_entries")
    encoded = [material.get("certificate"), envelope.get("statement"), envelope.get("signature")]
    if document.get("version") != 1 or not isinstance(entries, list) or not entries:
        raise ValueError("it is no attestation of version 1")
    if not all(isinstance(text, str) and b64decode(text) for text in encoded):
        raise ValueError("it is no attestation: a part of it is missing")


def _check_bundle(content: bytes) -> None:
    """See ``sigstore_bundle.proto`` of sigstore/protobuf-specs."""
    document = _document(content, "Sigstore bundle")
    _part(document, "verificationMaterial")
    if not str(document.get("mediaType")).startswith(BUNDLE_MEDIA_TYPE):
        raise ValueError("it is no Sigstore bundle: its mediaType is another")
    if sum(isinstance(document.get(name), dict) for name in ("messageSignature", "dsseEnvelope")) != 1:
        raise ValueError("it is no Sigstore bundle: it holds no signature")


def _document(content: bytes, kind: str) -> Mapping[str, Any]:
    try:
        document = json.loads(content)
    except ValueError as error:
        raise ValueError(f"it is no {kind} but no JSON at all") from error
    if not isinstance(document, dict):
        raise ValueError(f"it is no {kind}")  # noqa: TRY004  (of the content, not of an argument)
    return document


def _part(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = document.get(name)
    if not isinstance(part, dict):
        raise ValueError(f"its {name} is missing")  # noqa: TRY004  (likewise)
    return part


_FORMS: Mapping[str, Callable[[bytes], None]] = {
    ".asc": check_detached,
    ".sigstore": _check_bundle,
    PUBLISH_ATTESTATION: _check_attestation,
    SLSA_ATTESTATION: _check_attestation,
}
