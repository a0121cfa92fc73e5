"""Check the provenance objects of indexes (PEP 740): documents with the attestations of one file."""

import json
from base64 import b64decode
from collections.abc import Iterator
from typing import Any

from wheelrelay.model import PROVENANCE_SUFFIX, Companion
from wheelrelay.signing.attestations import Subject, parse_provenance, statement_in
from wheelrelay.staged import StagedFile


def provenance_error(content: bytes, subject: Subject) -> str | None:
    """Return why content is not the provenance of a file, such as "it is about foo-1.0.tar.gz", or ``None``.

    The attestations are not verified: installers and users do that, against the publisher that they trust.

    Args:
        content: The document.
        subject: The file that all attestations must be about.
    """
    try:
        if not list(parse_provenance(content)):
            return "it has no attestation"
        for payload in _statements(json.loads(content)):
            found = statement_in(payload).subject
            if found != subject:
                other = "other bytes" if found.filename == subject.filename else found.filename
                return f"it is about {other}"
    except ValueError as error:
        return str(error)
    return None


def provenance_mismatch(staged: StagedFile, companion: Companion) -> str | None:
    """Return why a companion is not the provenance of its file; ``None`` also for other companions."""
    if companion.suffix != PROVENANCE_SUFFIX:
        return None
    return provenance_error(companion.content, Subject(staged.filename, staged.sha256))


def provenance_of(filename: str, sha256: str, content: bytes | None) -> tuple[Companion | None, str | None]:
    """Return a provenance object as a companion of its file; or ``None``, and why it is not published.

    Args:
        filename: The filename of the distribution.
        sha256: Its digest.
        content: The document; ``None`` if the source lists one that does not exist.
    """
    error = "it does not exist" if content is None else provenance_error(content, Subject(filename, sha256))
    return (None, error) if error or content is None else (Companion(PROVENANCE_SUFFIX, content), None)


def _statements(provenance: dict[str, Any]) -> Iterator[bytes]:
    for bundle in provenance["attestation_bundles"]:
        for attestation in bundle["attestations"]:
            yield b64decode(attestation["envelope"]["statement"])
