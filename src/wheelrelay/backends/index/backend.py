"""A connected index: what can be read by the Simple API, and what can be sent by the upload API."""

import logging
from collections.abc import Iterator
from dataclasses import replace

from packaging.utils import NormalizedName

from wheelrelay.backends.index.credentials import IndexAuth
from wheelrelay.backends.index.simple_api import SimpleApi
from wheelrelay.backends.web.files import IndexedFiles
from wheelrelay.errors import AlreadyExists, PermissionDenied, Rejected
from wheelrelay.http import HttpClient, display_url
from wheelrelay.model import Companion, DistFile
from wheelrelay.protocols import Backend
from wheelrelay.signing import ATTESTATION_SUFFIXES, builder_url
from wheelrelay.staged import StagedFile

logger = logging.getLogger(__name__)


class IndexReader(IndexedFiles):
    """An index that is only read."""

    def __init__(self, api: SimpleApi) -> None:
        super().__init__(api.http)
        self._api = api

    def iter_files(self, project: str | None) -> Iterator[DistFile]:
        """The files of one project; of all projects by one page each, which is long on a public index."""
        names = self._api.projects() if project is None else (project,)
        for name in names:
            yield from self._api.files(name, fresh=False)

    def projects(self) -> Iterator[NormalizedName]:
        """The projects that the index has."""
        return self._api.projects()

    def inventory(self, project: str) -> Iterator[DistFile]:
        """The files of one project, past all caches."""
        return self._api.files(project, fresh=True)

    def is_cached(self) -> bool:
        """Whether the pages that were read came through a cache."""
        return self._api.cached

    def project_status(self, project: str) -> str | None:
        """The state that the index says the project is in."""
        found = self._api.project(project)
        return found.status if found else None


class Uploader:
    """An index that is only written to: nothing can be compared or confirmed there.

    Args:
        http: how to reach it.
        upload_url: of the upload API.
        auth: whose credentials go with a file.
    """

    def __init__(self, http: HttpClient, upload_url: str, auth: IndexAuth) -> None:
        self._http = http
        self._upload_url = upload_url
        self._auth = auth

    def put(self, staged: StagedFile) -> None:
        """Upload a file with its signature."""
        from wheelrelay.backends.index.upload import upload

        auth = self._auth.for_project(staged.file.project)
        sent = replace(staged, companions=tuple(self._taken(staged)))
        upload(self._http.with_auth(auth, self._upload_url), self._upload_url, sent)

    def validate_form(self, staged: StagedFile) -> None:
        """Make the form of an upload without sending it."""
        from wheelrelay.backends.index.upload_form import form_fields

        form_fields(staged)

    def make_ready(self) -> None:
        """Resolve the credentials, so that a missing secret shows before anything is published."""
        self._auth.make_ready()

    def ensure_accepts_attestations(self) -> None:
        """Make sure that files go by trusted publishing: there is no other way for attestations."""
        self._auth.demand_trusted_publishing()

    def _taken(self, staged: StagedFile) -> Iterator[Companion]:
        """The companions that the index takes: of attestations, those that the publishing identity has made.

        Others would have the whole file refused.
        """
        publisher = self._auth.publisher()
        for companion in staged.companions:
            if companion.suffix not in ATTESTATION_SUFFIXES or (
                publisher and builder_url(companion) == publisher
            ):
                yield companion
            else:
                logger.warning(
                    "%s%s stays behind: %s takes attestations only by trusted publishing, of whom publishes.",
                    staged.filename,
                    companion.suffix,
                    display_url(self._upload_url),
                )


class Index(IndexReader):
    """An index that is read and written."""

    def __init__(self, api: SimpleApi, uploader: Uploader) -> None:
        super().__init__(api)
        self._uploader = uploader

    def inventory(self, project: str) -> Iterator[DistFile]:
        """The files of one project that were published to this very index; see `SimpleApi.own_files`."""
        return self._api.own_files(project)

    def put(self, staged: StagedFile) -> None:
        """Upload a file with its signature.

        Indexes answer a taken name with 409, 400 or 403, and 400 and 403 can mean anything. So a refusal
        is settled by looking whether the name is there, never by the words that came with it.
        """
        try:
            self._uploader.put(staged)
        except (AlreadyExists, Rejected, PermissionDenied) as refusal:
            there = self._find(staged)
            if there is None:
                raise
            if there.sha256 != staged.sha256:
                bytes_ = "with other bytes" if there.sha256 else "and does not say with which bytes"
                raise AlreadyExists(f"The index has a file {staged.filename} {bytes_}.") from refusal

    def validate_form(self, staged: StagedFile) -> None:
        """Make the form of an upload without sending it."""
        self._uploader.validate_form(staged)

    def make_ready(self) -> None:
        """Resolve the credentials."""
        self._uploader.make_ready()

    def ensure_accepts_attestations(self) -> None:
        """Make sure that attestations are taken."""
        self._uploader.ensure_accepts_attestations()

    def _find(self, staged: StagedFile) -> DistFile | None:
        there = self.inventory(staged.file.project)
        return next((file for file in there if file.filename == staged.filename), None)


def open_index(reader: SimpleApi | None, uploader: Uploader | None) -> Backend:
    """The backend that has just the roles that its addresses give it; one of the two is given."""
    if reader and uploader:
        return Index(reader, uploader)
    if reader:
        return IndexReader(reader)
    assert uploader is not None
    return uploader
