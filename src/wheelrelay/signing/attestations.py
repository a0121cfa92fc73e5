"""Attestations (PEP 740) that lie beside distribution files: what each says, and of which file it says it.

Whether what it says is true is another matter: see `wheelrelay.signing.publishers`.
"""

import json
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wheelrelay.model import Companion
from wheelrelay.records import Finding, Severity
from wheelrelay.staged import StagedFile

if TYPE_CHECKING:
    from pypi_attestations import Attestation

PUBLISH_ATTESTATION, SLSA_ATTESTATION = ".publish.attestation", ".slsa.attestation"
"""What follows a distribution's filename to make the names of its attestations."""

ATTESTATION_SUFFIXES = (PUBLISH_ATTESTATION, SLSA_ATTESTATION)

PREDICATE_TYPES = {
    PUBLISH_ATTESTATION: "https://docs.pypi.org/attestations/publish/v1",
    SLSA_ATTESTATION: "https://slsa.dev/provenance/v1",
}
"""The type of what each kind of attestation states (PEP 740; https://docs.pypi.org/attestations)."""

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
"""The type of the statement within each attestation."""

SOURCE_DIGEST_OID, SOURCE_REF_OID, BUILD_CONFIG_OID = (
    f"1.3.6.1.4.1.57264.1.{number}" for number in (13, 14, 18)
)
"""The claims of a certificate that tell the commit, its ref and what was run (Fulcio's ``oid-info.md``)."""

ATTESTATION_BAD = "attestation-bad"
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


@dataclass(frozen=True, slots=True)
class Statement:
    """What an attestation states.

    Attributes:
        predicate: the type of what is stated.
        subject: of which file.
    """

    predicate: str
    subject: Subject


def attestations_of(staged: StagedFile) -> list[Companion]:
    """The attestations that come with a file."""
    return [companion for companion in staged.companions if companion.suffix in ATTESTATION_SUFFIXES]


def parse_provenance(provenance: bytes) -> Iterator[Companion]:
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
                suffix = (
                    PUBLISH_ATTESTATION
                    if statement["predicateType"] == PREDICATE_TYPES[PUBLISH_ATTESTATION]
                    else SLSA_ATTESTATION
                )
                yield Companion(suffix, json.dumps(attestation).encode())
    except (TypeError, LookupError, RecursionError) as error:
        raise ValueError(f"it is malformed ({type(error).__name__})") from error


def statement_in(payload: bytes) -> Statement:
    """Read the statement that was signed.

    Raises:
        ValueError: it is no statement about one file.
    """
    try:
        statement = json.loads(payload)
        [subject] = statement["subject"]
        about = Subject(str(subject["name"]), str(subject["digest"]["sha256"]))
        kind, predicate = statement["_type"], str(statement["predicateType"])
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise ValueError(f"it is no attestation of one file ({type(error).__name__})") from error
    if kind != STATEMENT_TYPE:
        raise ValueError(f"it is no in-toto statement but {kind!r:.60}")
    return Statement(predicate, about)


def statement_of(attestation: Companion) -> Statement:
    """What an attestation states; nothing is verified.

    Raises:
        ValueError: it is no attestation of one file.
    """
    try:
        payload = b64decode(json.loads(attestation.content)["envelope"]["statement"])
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise ValueError(f"it is no attestation of one file ({type(error).__name__})") from error
    return statement_in(payload)


def claims_of(attestation: "Attestation") -> dict[str, str]:
    """What the certificate of an attestation says of its owner, by object identifier; nothing is verified.

    Raises:
        ValueError: the certificate cannot be read.
    """
    try:
        return attestation.certificate_claims
    except Exception as error:  # what a malformed one raises depends on two parsers
        raise ValueError(f"its certificate cannot be read ({type(error).__name__})") from error


def builder_url(attestation: Companion) -> str | None:
    """The address of the workflow or pipeline that made an attestation, without its ref.

    It is what the certificate says; ``None`` if that cannot be told, also for want of the package that
    reads certificates.
    """
    try:
        from pypi_attestations import Attestation
    except ImportError:
        return None
    try:
        claims = claims_of(Attestation.model_validate_json(attestation.content))
    except ValueError:
        return None
    return claims.get(BUILD_CONFIG_OID, "").partition("@")[0] or None


def attestation_findings(staged: StagedFile) -> Iterator[Finding]:
    """What is wrong with the attestations that came with a file: they may be about another one."""
    for attestation in attestations_of(staged):
        name = staged.filename + attestation.suffix
        try:
            stated = statement_of(attestation)
        except ValueError as error:
            said: str | None = f"{name} is not what its name says: {error}."
        else:
            said = _mistake(stated, staged, attestation.suffix, name)
        if said is None:
            continue
        yield Finding(
            ATTESTATION_BAD, Severity.ERROR, said, staged.filename, hint="Remove it, or have it made again."
        )


def _mistake(stated: Statement, staged: StagedFile, suffix: str, name: str) -> str | None:
    if stated.predicate != PREDICATE_TYPES[suffix]:
        return f"{name} is not what its name says: it states {stated.predicate!r:.80}."
    if stated.subject == Subject(staged.filename, staged.sha256):
        return None
    other = "other bytes" if stated.subject.filename == staged.filename else stated.subject.filename
    return f"{name} is about {other}."
