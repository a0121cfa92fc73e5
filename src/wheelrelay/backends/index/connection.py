"""Put a connected index together: what reads it, what writes it, and whose credentials go with which."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from wheelrelay.backends.index.backend import Uploader, open_index
from wheelrelay.backends.index.credentials import (
    Account,
    CredentialRequest,
    certificates,
    reading_auth,
    uploading_auth,
)
from wheelrelay.backends.index.simple_api import SimpleApi
from wheelrelay.http import HttpClient, display_url, is_same_host, is_secure
from wheelrelay.protocols import Backend

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reach:
    """How an index is reached.

    Attributes:
        ca_cert: CA bundle to trust instead of the usual one.
        client_cert: client certificate with its key.
        allow_insecure: send credentials over plain HTTP to other machines too.
        timeout: seconds that a server may take; see `wheelrelay.http.limits`.
    """

    ca_cert: Path | None
    client_cert: Path | None
    allow_insecure: bool
    timeout: float | None = None

    def client(self, wanted: CredentialRequest | None, own: tuple[str, ...]) -> HttpClient:
        """HTTP without credentials; certificates that are not configured are those of an upload address.

        Args:
            wanted: what is looked for at the upload address, if there is one.
            own: the addresses of the index.
        """
        ca_cert, client_cert = certificates(wanted, self.ca_cert, self.client_cert)
        return HttpClient(
            ca_cert=ca_cert,
            client_cert=client_cert,
            allow_insecure=self.allow_insecure,
            own_urls=own,
            timeout=self.timeout,
        )

    def may_carry_secrets(self, address: str) -> bool:
        """Whether credentials may be sent to an address; a way that others can listen on is warned of."""
        if is_secure(address):
            return True
        if self.allow_insecure:
            logger.warning(
                "%s is plain HTTP: whoever is on the way there can read credentials.", display_url(address)
            )
        return self.allow_insecure


@contextmanager
def connected(
    account: Account, reach: Reach, url: str | None, upload_url: str | None, *, read_by_all: bool
) -> Iterator[Backend]:
    """An index with the roles that its addresses give it; at the end all is closed and given back.

    Args:
        account: what the configuration says of credentials.
        reach: how to get there.
        url: of the Simple API, if it is to be read.
        upload_url: of the upload API, if it is to be written; one of the two is given.
        read_by_all: whether it is read without credentials, whatever there is.

    Raises:
        ConfigError: a certificate is not there, or ``~/.pypirc`` cannot be read.
    """
    uploads = CredentialRequest(account, upload_url) if upload_url else None
    with ExitStack() as stack:
        http = stack.enter_context(closing(reach.client(uploads, tuple(filter(None, (url, upload_url))))))
        reader = uploader = None
        if url:
            # What is found by the upload address serves to read on the same host, and on no other.
            same = upload_url is not None and is_same_host(url, upload_url)
            reads = uploads if uploads and same else CredentialRequest(account, url)
            auth = reading_auth(reads, elsewhere=bool(uploads and not same)).for_project()
            reader = SimpleApi(http if read_by_all else http.with_auth(auth, url), url)
        if uploads:
            may_be_sent = reach.may_carry_secrets(uploads.address)
            uploading = uploading_auth(uploads, http, may_be_sent=may_be_sent)
            stack.callback(uploading.close)
            uploader = Uploader(http, uploads.address, uploading)
        yield open_index(reader, uploader)
