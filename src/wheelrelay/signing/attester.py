"""Create publish attestations (PEP 740) with the identity of the CI job."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from wheelrelay.errors import AuthenticationFailed, ConfigError, MissingSecret, Unavailable
from wheelrelay.model import Companion
from wheelrelay.signing.attestations import PUBLISH_ATTESTATION
from wheelrelay.staged import StagedFile

if TYPE_CHECKING:
    from sigstore.sign import Signer, SigningContext


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
