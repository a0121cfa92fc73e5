"""Make attestations of publishing (PEP 740) with the identity that the CI system gives to this job."""

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
    """Whoever can say that a file is published by this very job."""

    def attest(self, staged: StagedFile) -> Companion:
        """The attestation of a file, to be published beside it.

        Raises:
            MissingSecret: there is no identity to attest with.
            AuthenticationFailed: the identity is not accepted.
            ConfigError: what it takes is not installed.
            Unavailable: a service that it takes cannot be reached.
        """
        ...


class SigstoreAttester:
    """Attests by the public Sigstore, each file with a certificate of its own that lives for minutes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def attest(self, staged: StagedFile) -> Companion:
        """See `Attester.attest`."""
        with self._lock, _told(), self._signer() as signer:
            from pypi_attestations import Attestation, Distribution

            distribution = Distribution(name=staged.filename, digest=staged.sha256)
            made = Attestation.sign(signer, distribution)
            return Companion(PUBLISH_ATTESTATION, made.model_dump_json().encode())

    @contextmanager
    def _signer(self) -> "Iterator[Signer]":
        """Somebody who signs for a few minutes.

        Raises:
            MissingSecret: the CI system gives this job no identity, or this is none.
        """
        require_package()
        from sigstore.oidc import IdentityToken, detect_credential

        identity = detect_credential()
        if identity is None:
            raise MissingSecret(
                "There is no identity to attest with: this is no CI job, or it may not have one.",
                hint="On GitHub, give the job permissions: id-token: write; elsewhere, leave attest away.",
            )
        with self._context.signer(IdentityToken(identity)) as signer:
            yield signer

    @cached_property
    def _context(self) -> "SigningContext":
        """The services of the public Sigstore; which they are is asked for once."""
        from sigstore.models import ClientTrustConfig
        from sigstore.sign import SigningContext

        return SigningContext.from_trust_config(ClientTrustConfig.production())


def require_package() -> None:
    """Make sure that attestations can be dealt with at all.

    Raises:
        ConfigError: the package that does it is not installed.
    """
    from importlib.util import find_spec

    if find_spec("pypi_attestations") is None:
        raise ConfigError(
            "Attestations need the package pypi-attestations, which is not installed.",
            hint="pip install 'wheelrelay[attestations]'",
        )


@contextmanager
def _told() -> Iterator[None]:
    """Turn what Sigstore raises into our errors."""
    try:
        yield
    except ConfigError:
        raise
    except Exception as error:
        from sigstore.oidc import ExpiredIdentity, IdentityError

        from wheelrelay.http import sanitized  # heavy, and not needed where all goes well

        reason = str(error).partition("\n")[0].rstrip(".") or type(error).__name__
        if isinstance(error, IdentityError | ExpiredIdentity):
            # Not chained, and cut short: it repeats what the CI system said.
            said = sanitized(reason.partition("body=")[0]).rstrip("(, ")
            raise AuthenticationFailed(f"There is no identity that Sigstore takes: {said}.") from None
        raise Unavailable(f"Sigstore did not sign: {reason}.") from error
