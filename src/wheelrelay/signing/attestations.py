"""Attestations (PEP 740) that lie beside distribution files: what each says, and of which file it says it.

Whether what it says is true is another matter: see `wheelrelay.signing.publishers`.
"""

import json
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass

from wheelrelay.model import Companion
from wheelrelay.records import Finding, Severity
from wheelrelay.staged import StagedFile

PUBLISH, SLSA = ".publish.attestation", ".slsa.attestation"
"""What follows a distribution's filename to make the names of its attestations."""

ATTESTATIONS = (PUBLISH, SLSA)

PUBLISHED = "https://docs.pypi.org/attestations/publish/v1"
"""The type of what an attestation of publishing states."""

BUILD_CONFIG = "1.3.6.1.4.1.57264.1.18"
"""The claim of a certificate that names what was run (Sigstore's registry of object identifiers)."""

BAD = "attestation-bad"
"""The id of findings about an attestation that is there and not good."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What an attestation is about.

    Attributes:
        filename: of the distribution file.
        sha256: of its bytes, in hexadecimal.
    """

    filename: str
    sha256: str


def attestations_of(staged: StagedFile) -> list[Companion]:
    """The attestations that come with a file."""
    return [companion for companion in staged.companions if companion.suffix in ATTESTATIONS]


def attestations_in(provenance: bytes) -> Iterator[Companion]:
    """The attestations that an index tells of, by its provenance object (PEP 740), in their order.

    Raises:
        ValueError: it is no such object, or of a later version.
    """
    try:
        document = json.loads(provenance)
        if document["version"] != 1:
            raise ValueError(f"its version is {document['version']!r}")
        for bundle in document["attestation_bundles"]:
            for attestation in bundle["attestations"]:
                statement = json.loads(b64decode(attestation["envelope"]["statement"]))
                suffix = PUBLISH if statement["predicateType"] == PUBLISHED else SLSA
                yield Companion(suffix, json.dumps(attestation).encode())
    except (TypeError, LookupError) as error:
        raise ValueError(f"it is malformed ({type(error).__name__})") from error


def subject_of(attestation: Companion) -> Subject:
    """What an attestation is about.

    Raises:
        ValueError: it is no attestation of one file.
    """
    try:
        statement = json.loads(b64decode(json.loads(attestation.content)["envelope"]["statement"]))
        [subject] = statement["subject"]
        return Subject(str(subject["name"]), str(subject["digest"]["sha256"]))
    except (ValueError, TypeError, LookupError) as error:
        raise ValueError(f"it is no attestation of one file ({type(error).__name__})") from error


def builder_of(attestation: Companion) -> str | None:
    """The address of the workflow or pipeline that made an attestation, without its ref.

    It is what the certificate says; ``None`` if that cannot be told, also for want of the package that
    reads certificates.
    """
    try:
        from pypi_attestations import Attestation
    except ImportError:
        return None
    try:
        claims = Attestation.model_validate_json(attestation.content).certificate_claims
    except ValueError:
        return None
    return claims.get(BUILD_CONFIG, "").partition("@")[0] or None


def mistaken(staged: StagedFile) -> Iterator[Finding]:
    """What is wrong with the attestations that came with a file: they may be about another one."""
    for attestation in attestations_of(staged):
        name = staged.filename + attestation.suffix
        try:
            about = subject_of(attestation)
        except ValueError as error:
            said = f"{name} is not what its name says: {error}."
        else:
            if about == Subject(staged.filename, staged.sha256):
                continue
            other = "other bytes" if about.filename == staged.filename else about.filename
            said = f"{name} is about {other}."
        yield Finding(BAD, Severity.ERROR, said, staged.filename, hint="Remove it, or have it made again.")
