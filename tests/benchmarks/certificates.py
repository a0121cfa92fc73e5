"""A certificate authority that nobody knows, and how each tool is told to trust it."""

from dataclasses import dataclass
from pathlib import Path

import trustme

from tests.servers.process import HOST


@dataclass(frozen=True, slots=True)
class Certificates:
    """Files of a server's identity.

    Attributes:
        server: key and certificates, for the server.
        bundle: the authority's certificate, for clients.
    """

    server: Path
    bundle: Path

    def environment(self) -> dict[str, str]:
        """By which urllib and uv, and requests, find the authority."""
        return {"SSL_CERT_FILE": str(self.bundle), "REQUESTS_CA_BUNDLE": str(self.bundle)}


def make_certificates(folder: Path) -> Certificates:
    """Make an authority and a server's certificate by it."""
    authority = trustme.CA()
    made = Certificates(folder / "server.pem", folder / "bundle.pem")
    authority.issue_cert(HOST, "localhost").private_key_and_cert_chain_pem.write_to_path(str(made.server))
    authority.cert_pem.write_to_path(str(made.bundle))
    return made
