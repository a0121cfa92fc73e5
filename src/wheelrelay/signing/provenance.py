"""Check the provenance objects of indexes (PEP 740): documents with the attestations of one file."""

import json
import re
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from wheelrelay.model import PROVENANCE_SUFFIX, Companion
from wheelrelay.signing.attestations import (
    Subject,
    attestations_of,
    builder_url,
    parse_provenance,
    statement_in,
)
from wheelrelay.staged import StagedFile

_GITHUB = re.compile(r"https://github\.com/([^/]+/[^/]+)/\.github/workflows/([^/]+)")
_GITLAB = re.compile(r"https://gitlab\.com/([^?#]+?)//([^?#]+)")


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


def with_provenance(staged: StagedFile) -> StagedFile:
    """Return a file with the provenance object of its attestations as a companion, if it brings none.

    Its publishers are those in the certificates, which are not verified. Attestations by publishers that are
    neither GitHub nor GitLab are not in it, and it needs the package pypi-attestations.
    """
    if any(companion.suffix == PROVENANCE_SUFFIX for companion in staged.companions):
        return staged
    bundles: dict[str, dict[str, Any]] = {}
    for attestation in attestations_of(staged):
        publisher = _publisher(builder_url(attestation) or "")
        if publisher:
            bundle = bundles.setdefault(str(publisher), {"publisher": publisher, "attestations": []})
            bundle["attestations"].append(json.loads(attestation.content))
    if not bundles:
        return staged
    document = {"version": 1, "attestation_bundles": list(bundles.values())}
    provenance = Companion(PROVENANCE_SUFFIX, json.dumps(document).encode())
    return replace(staged, companions=(*staged.companions, provenance))


def _publisher(url: str) -> dict[str, str | None] | None:
    """Return the publisher of a workflow or pipeline, as provenance objects describe it.

    >>> _publisher("https://github.com/acme/sample/.github/workflows/release.yml")["repository"]
    'acme/sample'
    """
    if match := _GITHUB.fullmatch(url):
        return {"kind": "GitHub", "repository": match[1], "workflow": match[2], "environment": None}
    if match := _GITLAB.fullmatch(url):
        return {"kind": "GitLab", "repository": match[1], "workflow_filepath": match[2], "environment": None}
    return None


def _statements(provenance: dict[str, Any]) -> Iterator[bytes]:
    for bundle in provenance["attestation_bundles"]:
        for attestation in bundle["attestations"]:
            yield b64decode(attestation["envelope"]["statement"])
