"""Trusted publishers: verify attestations offline against their identities."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from wheelrelay.errors import ConfigError
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.model import Companion
from wheelrelay.records import Finding, Severity
from wheelrelay.signing.attestations import (
    ATTESTATION_BAD,
    PREDICATE_TYPES,
    SOURCE_DIGEST_OID,
    SOURCE_REF_OID,
    Statement,
    Subject,
    attestations_of,
    claims_of,
    require_package,
    statement_in,
)
from wheelrelay.staged import StagedFile

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from pypi_attestations import Attestation
    from sigstore.verify import Verifier
    from sigstore.verify.policy import VerificationPolicy

ENVIRONMENT_OID = "1.3.6.1.4.1.57264.1.23"
"""The certificate claim with the deployment environment of a job (Fulcio's ``oid-info.md``)."""

ATTESTATION_MISSING = "attestation-missing"
"""The id of findings about missing attestations."""

PAYLOAD_TYPE = "application/vnd.in-toto+json"
"""The payload type of attestations (in-toto's specification of envelopes)."""


@dataclass(frozen=True, slots=True)
class TrustedPublisher:
    """An identity whose attestations are trusted.

    Attributes:
        kind: The identity provider: ``GitHub``, ``GitLab``, ``Google`` or ``CircleCI``.
        details: The identity there: ``repository`` and ``workflow``; ``email``; ``project`` and ``pipeline``.
        ref: Pattern for the git ref of the build, such as ``refs/tags/v*``; ``None`` allows any.
        environment: The required deployment environment of the job; ``None`` allows any.
    """

    kind: str
    details: Mapping[str, str]
    ref: str | None = None
    environment: str | None = None

    def __str__(self) -> str:
        return f"{self.kind} {' '.join(self.details.values())}"


class TrustedPublishers:
    """Verifies that files have an attestation by one of several publishers.

    Args:
        publishers: The trusted publishers.
        trust_root: A file with the keys of a private Sigstore instance; the public one by default.

    Raises:
        ConfigError: The package for attestations is not installed, or the file does not exist.
    """

    def __init__(self, publishers: Sequence[TrustedPublisher], trust_root: Path | None = None) -> None:
        require_package()
        self._publishers = publishers
        self._trust_root = trust_root
        if trust_root and not trust_root.exists():
            raise ConfigError(f"The trust root {trust_root} does not exist.")

    def findings(self, staged: StagedFile) -> list[Finding]:
        """Return a finding unless a file has a valid attestation by one of the publishers."""
        attestations = attestations_of(staged)
        if not attestations:
            return [
                Finding(ATTESTATION_MISSING, Severity.ERROR, "The file has no attestation.", staged.filename)
            ]
        reasons = []
        for attestation in attestations:
            reason = self._distrust(staged, attestation)
            if reason is None:
                return []
            reasons.append(reason)
        return [
            Finding(
                ATTESTATION_BAD,
                Severity.ERROR,
                f"No attestation is valid and by a trusted publisher: {'; '.join(dict.fromkeys(reasons))}.",
                staged.filename,
                hint="Find out why before you publish it.",
            )
        ]

    def _distrust(self, staged: StagedFile, companion: Companion) -> str | None:
        """Return why an attestation is not trusted, or ``None``."""
        from pydantic import ValidationError
        from pypi_attestations import Attestation

        try:
            attestation = Attestation.model_validate_json(companion.content)
            claims = claims_of(attestation)
        except ValidationError:
            return f"{staged.filename}{companion.suffix} is not an attestation"
        except ValueError as error:
            return str(error)
        about = Statement(PREDICATE_TYPES[companion.suffix], Subject(staged.filename, staged.sha256))
        reasons = [self._distrust_of(publisher, attestation, claims, about) for publisher in self._publishers]
        return None if None in reasons else "; ".join(dict.fromkeys(filter(None, reasons)))

    def _distrust_of(
        self,
        publisher: TrustedPublisher,
        attestation: "Attestation",
        claims: Mapping[str, str],
        about: Statement,
    ) -> str | None:
        """Return why an attestation is not one by a publisher, or ``None``."""
        from sigstore.errors import Error

        try:
            policy = policy_of(publisher, claims)
            # `Attestation.verify` of the library supports only the keys of the public Sigstore.
            payload_type, payload = self._verifier.verify_dsse(attestation.to_bundle(), policy)
            if payload_type != PAYLOAD_TYPE:
                return f"its payload type is {payload_type!r:.60}"
            stated = statement_in(payload)
        except (Error, ValueError) as error:
            return str(error).partition("\n")[0].rstrip(".")
        if stated.predicate != about.predicate:
            return f"its predicate type is {stated.predicate!r:.80}"
        return None if stated.subject == about.subject else "it is about another file"

    @cached_property
    def _verifier(self) -> "Verifier":
        from sigstore.models import TrustedRoot
        from sigstore.verify import Verifier

        with _readable(self._trust_root):
            if self._trust_root:
                return Verifier(trusted_root=TrustedRoot.from_file(str(self._trust_root)))
            return Verifier.production(offline=True)


def policy_of(publisher: TrustedPublisher, claims: Mapping[str, str]) -> "VerificationPolicy":
    """Return the policy that a certificate of the publisher must satisfy.

    Args:
        publisher: The publisher.
        claims: The unverified claims of the certificate, by object identifier. They provide only the ref and
            commit with which the URL of the workflow ends; the policy compares the rest.

    Raises:
        ValueError: The git ref of the build does not match.
    """
    from sigstore.verify.policy import AllOf

    _check_ref(publisher, claims)
    policies = [*_identity(publisher, claims)]
    if publisher.environment is not None:
        policies.append(_Environment(publisher.environment))
    return AllOf(policies)


def _check_ref(publisher: TrustedPublisher, claims: Mapping[str, str]) -> None:
    ref = claims.get(SOURCE_REF_OID, "")
    if publisher.ref is not None and not fnmatchcase(ref, publisher.ref):
        raise ValueError(f"it was built from {ref or 'no ref'}, not from {publisher.ref}")


def _identity(publisher: TrustedPublisher, claims: Mapping[str, str]) -> "list[VerificationPolicy]":
    from sigstore.verify.policy import Identity, OIDCBuildSignerURI, OIDCIssuerV2

    details = publisher.details
    match publisher.kind:
        case "GitHub":
            repository = f"https://github.com/{details['repository']}"
            run = f"{repository}/.github/workflows/{details['workflow']}"
            return _build("https://token.actions.githubusercontent.com", repository, run, claims)
        case "GitLab":
            repository = f"https://gitlab.com/{details['repository']}"
            return _build("https://gitlab.com", repository, f"{repository}//{details['workflow']}", claims)
        case "Google":
            return [Identity(identity=details["email"], issuer="https://accounts.google.com")]
        case "CircleCI":
            project = f"https://circleci.com/api/v2/projects/{details['project']}"
            pipeline = f"{project}/pipeline-definitions/{details['pipeline']}"
            return [OIDCIssuerV2("https://oidc.circleci.com"), OIDCBuildSignerURI(pipeline)]
    raise ValueError(f"publishers of kind {publisher.kind} are not supported")


def _build(issuer: str, repository: str, run: str, claims: Mapping[str, str]) -> "list[VerificationPolicy]":
    from sigstore.verify.policy import AnyOf, OIDCBuildConfigURI, OIDCIssuerV2, OIDCSourceRepositoryURI

    ends = [claims[name] for name in (SOURCE_REF_OID, SOURCE_DIGEST_OID) if claims.get(name)]
    return [
        OIDCIssuerV2(issuer),
        OIDCSourceRepositoryURI(repository),
        AnyOf([OIDCBuildConfigURI(f"{run}@{end}") for end in ends]),
    ]


class _Environment:
    """A policy for the deployment environment of the job, which `sigstore` lacks."""

    def __init__(self, name: str) -> None:
        self._name = name

    def verify(self, cert: "Certificate") -> None:
        """See `sigstore.verify.policy.VerificationPolicy`."""
        from cryptography.x509 import UnrecognizedExtension
        from sigstore.errors import VerificationError

        values = [found.value for found in cert.extensions if found.oid.dotted_string == ENVIRONMENT_OID]
        environments = [value.value for value in values if isinstance(value, UnrecognizedExtension)]
        if environments != [_utf8_string(self._name)]:
            raise VerificationError(f"it was not built in the environment {self._name}")


def _utf8_string(text: str) -> bytes:
    """Encode text as in a certificate (X.690, UTF8String)."""
    content = text.encode()
    size = len(content)
    length = bytes([size]) if size < 0x80 else b"\x82" + size.to_bytes(2, "big")
    return b"\x0c" + (length if not 0x80 <= size < 0x100 else bytes([0x81, size])) + content


@contextmanager
def _readable(path: Path | None) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        where = f"The trust root {path}" if path else "The trust root of the public Sigstore"
        reason = str(error).partition("\n")[0].rstrip(".") or type(error).__name__
        raise ConfigError(f"{where} cannot be read: {reason}.") from error
