"""What the certificate of a trusted publisher must say, as policies of the public `sigstore` library."""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from wheelrelay.signing.attestations import SOURCE_DIGEST_OID, SOURCE_REF_OID

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from sigstore.verify.policy import VerificationPolicy

ENVIRONMENT_OID = "1.3.6.1.4.1.57264.1.23"
"""The claim that names the deployment environment of a job (Fulcio's ``oid-info.md``)."""


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
