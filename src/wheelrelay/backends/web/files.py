"""Download files by URL, with their companions and provenance."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from urllib.parse import urlsplit

from wheelrelay.backends.web.pages import HTML_TYPES, media_type_of
from wheelrelay.errors import BackendError, IntegrityError, Rejected
from wheelrelay.http import (
    HttpClient,
    RawBody,
    Response,
    content_range_starts_at,
    display_url,
    is_secure,
    range_header,
)
from wheelrelay.model import DistFile
from wheelrelay.protocols import ByteStream

MAX_COMPANION = 1 << 20
"""Bytes of a companion file; signatures and attestations are far smaller."""

PROVENANCE_TYPE = "application/vnd.pypi.integrity.v1+json, application/json;q=0.5"
"""The media types of a file's provenance, PyPI's first."""

_PARTIAL_CONTENT = 206


class LinkedFiles:
    """Files that a page links to: the part of a source that downloads them.

    Args:
        http: the client.
    """

    def __init__(self, http: HttpClient) -> None:
        self.http = http

    @contextmanager
    def open(self, file: DistFile) -> Iterator[ByteStream]:
        """Download a file, byte for byte as the server stores it.

        Raises:
            NotFound: it does not exist any more.
            IntegrityError: the server returned a web page; or the file has no digest and is served over plain
                HTTP, although the remote uses https.
            SizeMismatch: while reading, if the stream ends early.
            BackendError: it cannot be read.
        """
        with self._file_response(_url_of(file), may_be_page=bool(file.digests.known())) as response:
            self._require_proof(file, response)
            if response.status_code == _PARTIAL_CONTENT:
                raise BackendError(f"{display_url(response.url)} returned only a part of the file.")
            yield RawBody(response)

    @contextmanager
    def open_range(self, file: DistFile, start: int, stop: int | None) -> Iterator[ByteStream]:
        """Download a part of a file (RFC 9110, section 14); see `wheelrelay.protocols.SupportsRange`.

        Raises:
            Rejected: the server returned the whole file, or another part.
            BackendError: as `open`.
        """
        headers = {"Range": range_header(start, stop)}
        with self._file_response(_url_of(file), headers, may_be_page=bool(file.digests.known())) as response:
            self._require_proof(file, response)
            content_range = response.headers.get("Content-Range", "")
            is_partial = response.status_code == _PARTIAL_CONTENT
            if not (is_partial and content_range_starts_at(start, content_range)):
                raise Rejected(
                    f"{display_url(response.url)} does not support range requests.",
                    status=response.status_code,
                )
            yield RawBody(response)

    def read_companion(self, file: DistFile, suffix: str) -> bytes:
        """Download a companion of a file; see `wheelrelay.protocols.SupportsCompanions`.

        Redirects to other hosts are rejected: a companion has no digest, and it would be published as this
        remote's.
        """
        parts = urlsplit(_url_of(file))
        url = parts._replace(path=parts.path + suffix).geturl()
        with self._file_response(url, same_host=True) as response:
            return response.read_whole(MAX_COMPANION)

    def _require_proof(self, file: DistFile, response: Response) -> None:
        if not (file.digests.known() or is_secure(response.url)) and self.http.uses_tls:
            raise IntegrityError(
                f"{display_url(response.url)} is plain HTTP and its link has no digest, so it could be "
                "changed in transit.",
                hint="Link to it with https, or add its digest (#sha256=...).",
            )

    @contextmanager
    def _file_response(
        self,
        url: str,
        headers: Mapping[str, str] = MappingProxyType({}),
        *,
        same_host: bool = False,
        may_be_page: bool = False,
    ) -> Iterator[Response]:
        """Request a file. Some servers declare all files as HTML, which is accepted if there is a digest."""
        sent = {"Accept-Encoding": "identity", **headers}
        with self.http.get(url, headers=sent, same_host=same_host) as response:
            if media_type_of(response) in HTML_TYPES and not may_be_page:
                raise IntegrityError(
                    f"{display_url(url)} returned a web page instead of a file.",
                    hint="Open it in a browser: it may require a login, or show an error.",
                )
            yield response


class IndexedFiles(LinkedFiles):
    """Files of a package index, which may have attestations."""

    def read_provenance(self, file: DistFile) -> bytes | None:
        """Download the attestations of a file; see `wheelrelay.protocols.SupportsProvenance`."""
        if not file.provenance:
            return None
        headers = {"Accept": PROVENANCE_TYPE}
        with self._file_response(file.provenance, headers, may_be_page=True) as response:
            return response.read_whole(MAX_COMPANION)


def _url_of(file: DistFile) -> str:
    """Return the URL of a file.

    Raises:
        Rejected: the index lists the file without a usable URL.
    """
    if not file.url:
        raise Rejected(
            f"The index lists {file.filename} without a usable http or https URL.",
            hint="Report it to the operators of the index, or exclude the file.",
        )
    return file.url
