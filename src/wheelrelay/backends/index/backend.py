"""A connected index: read by the Simple API, written by the upload API."""

import logging
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path

from packaging.utils import NormalizedName

from wheelrelay.backends.credentials import (
    Account,
    CredentialRequest,
    IndexAuth,
    certificates,
    reading_auth,
    uploading_auth,
)
from wheelrelay.backends.index.simple_api import SimpleApi
from wheelrelay.backends.web.files import IndexedFiles
from wheelrelay.errors import AlreadyExists, PermissionDenied, Rejected
from wheelrelay.http import HttpClient, display_url, is_same_host, is_secure
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.model import Companion, CredentialCheck, DistFile, ProjectStatus
from wheelrelay.protocols import Backend, InstallerIndex
from wheelrelay.signing import ATTESTATION_SUFFIXES, builder_url
from wheelrelay.staged import StagedFile

logger = logging.getLogger(__name__)


class IndexReader(IndexedFiles):
    """An index that is only read."""

    def __init__(self, api: SimpleApi) -> None:
        super().__init__(api.http)
        self._api = api

    def iter_files(self, project: str | None) -> Iterator[DistFile]:
        """Yield the files of one project, or of all projects with one request each."""
        names = self._api.projects() if project is None else (project,)
        for name in names:
            yield from self._api.files(name, fresh=False)

    def projects(self) -> Iterator[NormalizedName]:
        """Yield the names of all projects."""
        return self._api.projects()

    def reuse_pages(self, projects: Collection[str]) -> None:
        """Reuse pages that earlier runs read; see `wheelrelay.protocols.SupportsReuse`."""
        self._api.reuse_pages(projects)

    def current_serials(self) -> Mapping[NormalizedName, int]:
        """Return the number of the last change of each project, from the root page."""
        return self._api.current_serials()

    def read_serials(self) -> Mapping[NormalizedName, int]:
        """Return the serials on the pages of projects that were read."""
        return self._api.read_serials

    def inventory(self, project: str) -> Iterator[DistFile]:
        """Yield the files of one project, bypassing caches."""
        return self._api.files(project, fresh=True)

    def is_cached(self) -> bool:
        """Return whether any page came through a cache."""
        return self._api.cached

    def installer_index(self) -> InstallerIndex:
        """Return the URL and the credentials of the index."""
        return InstallerIndex.at(self._api.url, self._api.http.basic_credentials(self._api.url))

    def project_status(self, project: str) -> ProjectStatus | None:
        """Return the status of a project (PEP 792), or ``None`` if the index does not have it."""
        return self._api.status(project)

    def clock_offset(self) -> float | None:
        """Return the seconds by which the local clock is ahead of the index."""
        return self.http.clock.offset()


class Uploader:
    """An index that is only written to, so files can be neither compared nor confirmed.

    Args:
        http: the client.
        request: the remote with the URL of its upload API.
        auth: the credentials for uploads.
        takes_any_attestation: whether the index accepts attestations by every publisher.
    """

    def __init__(
        self,
        http: HttpClient,
        request: CredentialRequest,
        auth: IndexAuth,
        *,
        takes_any_attestation: bool = False,
    ) -> None:
        self._http = http
        self._takes_any_attestation = takes_any_attestation
        self._request = request
        self._upload_url = request.address
        self._auth = auth
        self._answered_by_page = False

    def put(self, staged: StagedFile) -> None:
        """Upload a file with its companions."""
        from wheelrelay.backends.index.upload import upload

        auth = self._auth.for_project(staged.file.project)
        accepted = replace(staged, companions=tuple(self._accepted_companions(staged)))
        if not upload(self._http.with_auth(auth, self._upload_url), self._upload_url, accepted):
            self._answered_by_page = True

    def doubt(self) -> str | None:
        """Return why files may not be stored: an upload was answered by a web page."""
        if not self._answered_by_page:
            return None
        return (
            f"{display_url(self._upload_url)} responded with a web page and stored no file: it is not the "
            "URL of an upload API. Correct upload_url."
        )

    def validate_form(self, staged: StagedFile) -> None:
        """Create the upload form without sending it."""
        from wheelrelay.backends.index.upload_form import form_fields

        form_fields(staged)

    def make_ready(self) -> None:
        """Resolve the credentials, so that missing ones are reported before anything is published."""
        self._auth.make_ready()

    def check_credentials(self, projects: Collection[str], new_projects: Collection[str]) -> CredentialCheck:
        """Check whether the index accepts the credentials, without uploading anything."""
        from wheelrelay.backends.index.credential_check import check_credentials

        return check_credentials(self._http, self._request, self._auth, projects, new_projects)

    def clock_offset(self) -> float | None:
        """Return the seconds by which the local clock is ahead of the index."""
        return self._http.clock.offset()

    def ensure_accepts_attestations(self) -> None:
        """Make sure that uploads use trusted publishing, if the index requires that for attestations."""
        if self._takes_any_attestation:
            self._auth.make_ready()
        else:
            self._auth.require_trusted_publishing()

    def _accepted_companions(self, staged: StagedFile) -> Iterator[Companion]:
        """Yield the companions that the index accepts.

        PyPI rejects the whole file for an attestation that the uploading identity did not create.
        """
        if self._takes_any_attestation:
            yield from staged.companions
            return
        publisher = self._auth.publisher()
        for companion in staged.companions:
            if companion.suffix not in ATTESTATION_SUFFIXES or (
                publisher and builder_url(companion) == publisher
            ):
                yield companion
            else:
                logger.warning(
                    "%s%s is not uploaded: %s accepts only attestations by the publishing identity, unless "
                    "attestations = 'any' is configured.",
                    staged.filename,
                    companion.suffix,
                    display_url(self._upload_url),
                )


class Index(IndexReader):
    """An index that is read and written."""

    def __init__(self, api: SimpleApi, uploader: Uploader, reading: IndexAuth) -> None:
        super().__init__(api)
        self._uploader = uploader
        self._reading = reading

    def read_without_secrets(self) -> None:
        """Read without credentials if a secret does not exist, unless the index requires them."""
        self._reading.make_optional()

    def inventory(self, project: str) -> Iterator[DistFile]:
        """Yield the files that were published to this very index; see `SimpleApi.own_files`."""
        return self._api.own_files(project)

    def put(self, staged: StagedFile) -> None:
        """Upload a file with its companions.

        Indexes reject an existing filename with 409, 400 or 403, and the last two have other meanings too.
        So the index is read after a refusal; the server's message decides nothing.
        """
        try:
            self._uploader.put(staged)
        except (AlreadyExists, Rejected, PermissionDenied) as refusal:
            existing = self._find(staged)
            if existing is None:
                raise
            if existing.sha256 != staged.sha256:
                difference = "with other content" if existing.sha256 else "with an unknown digest"
                raise AlreadyExists(f"The index already has {staged.filename}, {difference}.") from refusal

    def doubt(self) -> str | None:
        """Return why files may not be stored; see `wheelrelay.protocols.SupportsDoubt`."""
        return self._uploader.doubt()

    def validate_form(self, staged: StagedFile) -> None:
        """Create the upload form without sending it."""
        self._uploader.validate_form(staged)

    def make_ready(self) -> None:
        """Resolve the credentials."""
        self._uploader.make_ready()

    def check_credentials(self, projects: Collection[str], new_projects: Collection[str]) -> CredentialCheck:
        """Check whether the index accepts the credentials, without uploading anything."""
        return self._uploader.check_credentials(projects, new_projects)

    def ensure_accepts_attestations(self) -> None:
        """Make sure that attestations are accepted."""
        self._uploader.ensure_accepts_attestations()

    def _find(self, staged: StagedFile) -> DistFile | None:
        files = self.inventory(staged.file.project)
        return next((file for file in files if file.filename == staged.filename), None)


@dataclass(frozen=True, slots=True)
class Connection:
    """How to connect to an index.

    Attributes:
        ca_cert: the CA bundle to use instead of the default one.
        client_cert: the client certificate with its key.
        allow_insecure: send credentials over plain HTTP to other machines too.
        timeout: seconds that a server may take; see `wheelrelay.http.limits`.
    """

    ca_cert: Path | None
    client_cert: Path | None
    allow_insecure: bool
    timeout: float | None = None

    def client(self, request: CredentialRequest | None, own_urls: tuple[str, ...]) -> HttpClient:
        """Return a client without credentials, with the configured certificates or those for uploads.

        Args:
            request: the remote with its upload URL, if it has one.
            own_urls: the URLs of the index.
        """
        ca_cert, client_cert = certificates(request, self.ca_cert, self.client_cert)
        return HttpClient(
            ca_cert=ca_cert,
            client_cert=client_cert,
            allow_insecure=self.allow_insecure,
            own_urls=own_urls,
            timeout=self.timeout,
        )

    def may_send_credentials(self, url: str) -> bool:
        """Return whether credentials may be sent to a URL; log a warning if they can be overheard."""
        if is_secure(url):
            return True
        if self.allow_insecure:
            logger.warning(
                "%s is plain HTTP: credentials can be read by others on the network.", display_url(url)
            )
        return self.allow_insecure


@contextmanager
def connect(
    account: Account,
    connection: Connection,
    url: str | None,
    upload_url: str | None,
    *,
    is_public: bool,
    takes_any_attestation: bool = False,
) -> Iterator[Backend]:
    """Connect to an index, in the roles that its URLs allow; close it and revoke tokens at the end.

    Args:
        account: the configured credentials.
        connection: how to connect.
        url: the URL of the Simple API, to read; either this or ``upload_url`` is required.
        upload_url: the URL of the upload API, to write.
        is_public: read without credentials, even if there are some.
        takes_any_attestation: whether the index accepts attestations by every publisher.

    Raises:
        ConfigError: a certificate does not exist, or ``~/.pypirc`` cannot be read.
    """
    uploads = CredentialRequest(account, upload_url) if upload_url else None
    with ExitStack() as stack:
        own_urls = tuple(filter(None, (url, upload_url)))
        http = stack.enter_context(closing(connection.client(uploads, own_urls)))
        reader = uploader = reading = None
        if url:
            # Credentials for the upload URL are used to read from the same host, and from no other.
            same_host = upload_url is not None and is_same_host(url, upload_url)
            reads = uploads if uploads and same_host else CredentialRequest(account, url)
            reading = reading_auth(reads, uploads_elsewhere=bool(uploads and not same_host))
            reader = SimpleApi(http if is_public else http.with_auth(reading.for_project(), url), url)
        if uploads:
            may_be_sent = connection.may_send_credentials(uploads.address)
            upload_auth = uploading_auth(uploads, http, may_be_sent=may_be_sent)
            stack.callback(upload_auth.close)
            uploader = Uploader(http, uploads, upload_auth, takes_any_attestation=takes_any_attestation)
        yield _backend(reader, uploader, reading)


def _backend(reader: SimpleApi | None, uploader: Uploader | None, reading: IndexAuth | None) -> Backend:
    """Return the backend that can do what the URLs allow; at least one of the first two is given."""
    if reader and uploader and reading:
        return Index(reader, uploader, reading)
    if reader:
        return IndexReader(reader)
    assert uploader is not None
    return uploader
