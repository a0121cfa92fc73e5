"""Trusted publishers: verify attestations offline against their identities."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from wheelrelay.errors import ConfigError
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
    statement_in,
)
from wheelrelay.signing.attester import require_package
from wheelrelay.staged import StagedFile

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from pypi_attestations import Attestation
    from sigstore.verify import Verifier
    from sigstore.verify.policy import VerificationPolicy

ENVIRONMENT_OID = "1.3.6.1.4.1.57264.1.23"
"""The claim that names the deployment environment of a job (Fulcio's ``oid-info.md``)."""

ATTESTATION_MISSING = "attestation-missing"
"""The id of findings about files without an attestation."""

PAYLOAD_TYPE = "application/vnd.in-toto+json"
"""The type of what an attestation signs (in-toto's specification of envelopes)."""


@dataclass(frozen=True, slots=True)
class TrustedPublisher:
    """Somebody who may attest.

    Attributes:
        kind: the service that vouches for it: ``GitHub``, ``GitLab``, ``Google`` or ``CircleCI``.
        details: what tells it from others there: ``repository`` and ``workflow``; ``email``; ``project``
            and ``pipeline``.
        ref: a pattern that the git ref of the build must match, as ``refs/tags/v*``; any will do without it.
        environment: the deployment environment that the job must have run in.
    """

    kind: str
    details: Mapping[str, str]
    ref: str | None = None
    environment: str | None = None

    def __str__(self) -> str:
        return f"{self.kind} {' '.join(self.details.values())}"


class TrustedPublishers:
    """Those whose attestations count.

    Args:
        publishers: one of them must have attested.
        trust_root: a file with the keys of another Sigstore than the public one.

    Raises:
        ConfigError: attestations cannot be verified here, or that file cannot be read.
    """

    def __init__(self, publishers: Sequence[TrustedPublisher], trust_root: Path | None = None) -> None:
        require_package()
        self._publishers = publishers
        self._trust_root = trust_root
        if trust_root and not trust_root.exists():
            raise ConfigError(f"The trust root {trust_root} is not there.")

    def findings(self, staged: StagedFile) -> list[Finding]:
        """What is wrong with a file's attestations; nothing if a good one is by one of the publishers."""
        attestations = attestations_of(staged)
        if not attestations:
            return [
                Finding(
                    ATTESTATION_MISSING, Severity.ERROR, "There is no attestation beside it.", staged.filename
                )
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
                f"No attestation is a good one by a trusted publisher: {'; '.join(dict.fromkeys(reasons))}.",
                staged.filename,
                hint="Do not publish it before you know why.",
            )
        ]

    def _distrust(self, staged: StagedFile, companion: Companion) -> str | None:
        """Why an attestation does not count; ``None`` if it does."""
        from pydantic import ValidationError
        from pypi_attestations import Attestation

        try:
            attestation = Attestation.model_validate_json(companion.content)
            claims = claims_of(attestation)
        except ValidationError:
            return f"{staged.filename}{companion.suffix} is no attestation"
        except ValueError as error:
            return str(error)
        about = Statement(PREDICATE_TYPES[companion.suffix], Subject(staged.filename, staged.sha256))
        reasons = [self._distrust_of(one, attestation, claims, about) for one in self._publishers]
        return None if None in reasons else "; ".join(dict.fromkeys(filter(None, reasons)))

    def _distrust_of(
        self,
        publisher: TrustedPublisher,
        attestation: "Attestation",
        claims: Mapping[str, str],
        about: Statement,
    ) -> str | None:
        """Why an attestation does not count as one by a publisher; ``None`` if it does."""
        from sigstore.errors import Error

        try:
            policy = policy_of(publisher, claims)
            # The library's own `Attestation.verify` takes the public Sigstore's keys alone.
            payload_type, payload = self._verifier.verify_dsse(attestation.to_bundle(), policy)
            if payload_type != PAYLOAD_TYPE:
                return f"what it signs is {payload_type!r:.60}"
            stated = statement_in(payload)
        except (Error, ValueError) as error:
            return str(error).partition("\n")[0].rstrip(".")
        if stated.predicate != about.predicate:
            return f"it states {stated.predicate!r:.80}"
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
    """What a certificate must say to be the publisher's.

    Args:
        publisher: whose it must be.
        claims: what the certificate says, by object identifier; nothing of it is trusted, but the address
            of what was run ends with the ref or the commit that the certificate names elsewhere.

    Raises:
        ValueError: the build was of a ref that does not count.
    """
    from sigstore.verify.policy import AllOf

    _check_ref(publisher, claims)
    demanded = [*_identity(publisher, claims)]
    if publisher.environment is not None:
        demanded.append(_Environment(publisher.environment))
    return AllOf(demanded)


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
    raise ValueError(f"nothing is known of publishers of {publisher.kind}")


def _build(issuer: str, repository: str, run: str, claims: Mapping[str, str]) -> "list[VerificationPolicy]":
    from sigstore.verify.policy import AnyOf, OIDCBuildConfigURI, OIDCIssuerV2, OIDCSourceRepositoryURI

    ends = [claims[name] for name in (SOURCE_REF_OID, SOURCE_DIGEST_OID) if claims.get(name)]
    return [
        OIDCIssuerV2(issuer),
        OIDCSourceRepositoryURI(repository),
        AnyOf([OIDCBuildConfigURI(f"{run}@{end}") for end in ends]),
    ]


class _Environment:
    """The deployment environment of the job, for which `sigstore` has no policy of its own."""

    def __init__(self, name: str) -> None:
        self._name = name

    def verify(self, cert: "Certificate") -> None:
        """See `sigstore.verify.policy.VerificationPolicy`."""
        from cryptography.x509 import UnrecognizedExtension
        from sigstore.errors import VerificationError

        values = [found.value for found in cert.extensions if found.oid.dotted_string == ENVIRONMENT_OID]
        told = [value.value for value in values if isinstance(value, UnrecognizedExtension)]
        if told != [_utf8_string(self._name)]:
            raise VerificationError(f"it was not built in the environment {self._name}")


def _utf8_string(text: str) -> bytes:
    """``text`` as a certificate has it (X.690, UTF8String)."""
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
