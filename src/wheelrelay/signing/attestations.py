"""Create attestations (PEP 740) with the identity of the CI job, and parse attestations.

Parsing does not verify them; see `wheelrelay.signing.publishers` for that.
"""

import json
import threading
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from wheelrelay.errors import AuthenticationFailed, ConfigError, MissingSecret, Unavailable
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.model import Companion
from wheelrelay.records import Finding, Severity
from wheelrelay.staged import StagedFile

if TYPE_CHECKING:
    from pypi_attestations import Attestation
    from sigstore.sign import Signer, SigningContext

PUBLISH_ATTESTATION, SLSA_ATTESTATION = ".publish.attestation", ".slsa.attestation"
"""Suffixes of the two kinds of attestations."""

ATTESTATION_SUFFIXES = (PUBLISH_ATTESTATION, SLSA_ATTESTATION)

PREDICATE_TYPES = {
    PUBLISH_ATTESTATION: "https://docs.pypi.org/attestations/publish/v1",
    SLSA_ATTESTATION: "https://slsa.dev/provenance/v1",
}
"""The predicate type of each kind of attestation (PEP 740; https://docs.pypi.org/attestations)."""

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
"""The type of the statement in an attestation."""

SOURCE_DIGEST_OID, SOURCE_REF_OID, BUILD_CONFIG_OID = (
    f"1.3.6.1.4.1.57264.1.{number}" for number in (13, 14, 18)
)
"""Certificate claims with the commit, git ref and workflow of the build (Fulcio's ``oid-info.md``)."""

ATTESTATION_BAD = "attestation-bad"
"""The id of findings about invalid attestations."""


@dataclass(frozen=True, slots=True)
class Subject:
    """The file that an attestation is about.

    Attributes:
        filename: The filename.
        sha256: The SHA-256 digest in hexadecimal.
    """

    filename: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Statement:
    """The statement of an attestation.

    Attributes:
        predicate: The predicate type.
        subject: The file.
    """

    predicate: str
    subject: Subject


def attestations_of(staged: StagedFile) -> list[Companion]:
    """Return the attestations among the companions of a file."""
    return [companion for companion in staged.companions if companion.suffix in ATTESTATION_SUFFIXES]


def parse_provenance(provenance: bytes) -> Iterator[Companion]:
    """Yield the attestations in the provenance object of an index (PEP 740).

    Raises:
        ValueError: It is not a provenance object, or has another version.
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
    """Parse a signed statement.

    Raises:
        ValueError: It is not a statement about one file.
    """
    try:
        statement = json.loads(payload)
        [subject] = statement["subject"]
        about = Subject(str(subject["name"]), str(subject["digest"]["sha256"]))
        kind, predicate = statement["_type"], str(statement["predicateType"])
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise ValueError(f"it is not an attestation of one file ({type(error).__name__})") from error
    if kind != STATEMENT_TYPE:
        raise ValueError(f"its type is {kind!r:.60}, not an in-toto statement")
    return Statement(predicate, about)


def statement_of(attestation: Companion) -> Statement:
    """Return the unverified statement of an attestation.

    Raises:
        ValueError: It is not an attestation of one file.
    """
    try:
        payload = b64decode(json.loads(attestation.content)["envelope"]["statement"])
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise ValueError(f"it is not an attestation of one file ({type(error).__name__})") from error
    return statement_in(payload)


def claims_of(attestation: "Attestation") -> dict[str, str]:
    """Return the unverified certificate claims of an attestation, by object identifier.

    Raises:
        ValueError: The certificate cannot be parsed.
    """
    try:
        return attestation.certificate_claims
    except Exception as error:  # a malformed one raises errors of two parsers
        raise ValueError(f"its certificate cannot be parsed ({type(error).__name__})") from error


def builder_url(attestation: Companion) -> str | None:
    """Return the URL of the workflow or pipeline that created an attestation, without its ref.

    Reads the unverified certificate. Returns ``None`` if it has no such claim or cannot be parsed, or if the
    package to parse it is not installed.
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
    """Yield a finding for each attestation of a file that is malformed or about another file."""
    for attestation in attestations_of(staged):
        name = staged.filename + attestation.suffix
        try:
            stated = statement_of(attestation)
        except ValueError as error:
            message: str | None = f"{name} is not an attestation of its kind: {error}."
        else:
            message = _mismatch(stated, staged, attestation.suffix, name)
        if message is None:
            continue
        yield Finding(
            ATTESTATION_BAD, Severity.ERROR, message, staged.filename, hint="Remove it or create it again."
        )


def _mismatch(stated: Statement, staged: StagedFile, suffix: str, name: str) -> str | None:
    if stated.predicate != PREDICATE_TYPES[suffix]:
        return f"{name} is not an attestation of its kind: its predicate type is {stated.predicate!r:.80}."
    if stated.subject == Subject(staged.filename, staged.sha256):
        return None
    other = "other bytes" if stated.subject.filename == staged.filename else stated.subject.filename
    return f"{name} is about {other}."


class Attester(Protocol):
    """Creates attestations that this job publishes a file."""

    def attest(self, staged: StagedFile) -> Companion:
        """Return the attestation of a file, to publish as its companion.

        Raises:
            MissingSecret: The job has no identity.
            AuthenticationFailed: The identity is refused.
            ConfigError: A required package is not installed.
            Unavailable: A required service cannot be reached.
        """
        ...


class SigstoreAttester:
    """Creates attestations with the public Sigstore, with a new short-lived certificate for each file.

    Pickles without secrets: the identity is that of the job that attests.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), ()

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))

    def attest(self, staged: StagedFile) -> Companion:
        """See `Attester.attest`."""
        with self._lock, _sigstore_errors(), self._signer() as signer:
            from pypi_attestations import Attestation, Distribution

            distribution = Distribution(name=staged.filename, digest=staged.sha256)
            attestation = Attestation.sign(signer, distribution)
            return Companion(PUBLISH_ATTESTATION, attestation.model_dump_json().encode())

    @contextmanager
    def _signer(self) -> "Iterator[Signer]":
        """Open a signer that is valid for a few minutes.

        Raises:
            MissingSecret: The process is not a CI job, or the job has no identity.
        """
        require_package()
        from sigstore.oidc import IdentityToken, detect_credential

        identity = detect_credential()
        if identity is None:
            raise MissingSecret(
                "No identity for attestations: this is not a CI job, or the job has no permission for one.",
                hint="On GitHub, set `permissions: id-token: write`. Elsewhere, disable `attest`.",
            )
        with self._context.signer(IdentityToken(identity)) as signer:
            yield signer

    @cached_property
    def _context(self) -> "SigningContext":
        """The services of the public Sigstore, looked up once."""
        from sigstore.models import ClientTrustConfig
        from sigstore.sign import SigningContext

        return SigningContext.from_trust_config(ClientTrustConfig.production())


def require_package() -> None:
    """Ensure that the package for attestations is installed.

    Raises:
        ConfigError: It is not installed.
    """
    from importlib.util import find_spec

    if find_spec("pypi_attestations") is None:
        raise ConfigError(
            "Attestations need the package pypi-attestations, which is not installed.",
            hint="Run: pip install 'wheelrelay[attestations]'.",
        )


@contextmanager
def _sigstore_errors() -> Iterator[None]:
    """Convert errors of Sigstore into ours."""
    try:
        yield
    except ConfigError:
        raise
    except Exception as error:
        from sigstore.oidc import ExpiredIdentity, IdentityError

        from wheelrelay.http import sanitized  # slow to import, and needed only for errors

        reason = str(error).partition("\n")[0].rstrip(".") or type(error).__name__
        if isinstance(error, IdentityError | ExpiredIdentity):
            # Not chained, and truncated: it repeats the response of the CI system.
            message = sanitized(reason.partition("body=")[0]).rstrip("(, ")
            raise AuthenticationFailed(f"Sigstore refused the identity of this job: {message}.") from None
        raise Unavailable(f"Sigstore could not sign: {reason}.") from error
