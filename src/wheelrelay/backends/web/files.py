"""Files that have web addresses of their own, and what lies beside them."""

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
from wheelrelay.model import Companion, DistFile
from wheelrelay.protocols import ByteStream
from wheelrelay.signing import parse_provenance

MAX_COMPANION = 1 << 20
"""Bytes that a companion file may have; signatures and attestations are far smaller."""

PROVENANCE_TYPE = "application/vnd.pypi.integrity.v1+json, application/json;q=0.5"
"""The media types of what an index tells of a file's attestations, that of PyPI first."""

_PARTIAL_CONTENT = 206


class LinkedFiles:
    """Files that some page links to: the part of a source that streams them.

    Args:
        http: how to reach them.
    """

    def __init__(self, http: HttpClient) -> None:
        self.http = http

    @contextmanager
    def open(self, file: DistFile) -> Iterator[ByteStream]:
        """Stream a file from its address, byte for byte as the server keeps it.

        Raises:
            NotFound: it is not there any more.
            IntegrityError: a page came in its place; or the file is plain HTTP, of a remote that is https,
                and there is no digest to prove it by.
            SizeMismatch: while reading, if the stream ends early.
            BackendError: it cannot be read.
        """
        with self._answer(_address_of(file), may_be_page=bool(file.digests.known())) as response:
            self._refuse_unproven(file, response)
            if response.status_code == _PARTIAL_CONTENT:
                raise BackendError(f"{display_url(response.url)} gives out only a part of the file.")
            yield RawBody(response)

    @contextmanager
    def open_range(self, file: DistFile, start: int, stop: int | None) -> Iterator[ByteStream]:
        """Stream a part of a file (RFC 9110, section 14); see `wheelrelay.protocols.SupportsRange`.

        Raises:
            Rejected: the server gives out the whole, or another part than was asked for.
            BackendError: as `open`.
        """
        wanted = {"Range": range_header(start, stop)}
        with self._answer(_address_of(file), wanted, may_be_page=bool(file.digests.known())) as response:
            self._refuse_unproven(file, response)
            given = response.headers.get("Content-Range", "")
            if response.status_code != _PARTIAL_CONTENT or not content_range_starts_at(start, given):
                told = f"{display_url(response.url)} gives out only the whole file."
                raise Rejected(told, status=response.status_code)
            yield RawBody(response)

    def read_companion(self, file: DistFile, suffix: str) -> bytes:
        """Read what lies beside a file; see `wheelrelay.protocols.SupportsCompanions`.

        A redirect to another host is refused: no digest tells what that gives out, and it would be
        published under the name of this place.
        """
        parts = urlsplit(_address_of(file))
        address = parts._replace(path=parts.path + suffix).geturl()
        with self._answer(address, same_host=True) as response:
            return response.read_whole(MAX_COMPANION)

    def _refuse_unproven(self, file: DistFile, response: Response) -> None:
        if not (file.digests.known() or is_secure(response.url)) and self.http.uses_tls:
            raise IntegrityError(
                f"{display_url(response.url)} is plain HTTP, and the page that links it gives no digest: "
                "it can be changed on the way.",
                hint="Link it as https, or with its digest (#sha256=...).",
            )

    @contextmanager
    def _answer(
        self,
        url: str,
        headers: Mapping[str, str] = MappingProxyType({}),
        *,
        same_host: bool = False,
        may_be_page: bool = False,
    ) -> Iterator[Response]:
        """An answer that is a file. Some servers call every file HTML: a digest shows whether it is one."""
        sent = {"Accept-Encoding": "identity", **headers}
        with self.http.get(url, headers=sent, same_host=same_host) as response:
            if media_type_of(response) in HTML_TYPES and not may_be_page:
                raise IntegrityError(
                    f"{display_url(url)} answered with a page, not with a file.",
                    hint="Look at it in a browser: it may ask for a login, or tell what is wrong.",
                )
            yield response


class IndexedFiles(LinkedFiles):
    """Files of a package index, which may tell of attestations too."""

    def read_provenance(self, file: DistFile) -> tuple[Companion, ...]:
        """The attestations that the index tells of; see `wheelrelay.protocols.SupportsProvenance`."""
        if not file.provenance:
            return ()
        with self._answer(file.provenance, {"Accept": PROVENANCE_TYPE}) as response:
            document = response.read_whole(MAX_COMPANION)
        try:
            return tuple(parse_provenance(document))
        except ValueError as error:
            raise BackendError(
                f"{display_url(file.provenance)} is no provenance of a file: {error}."
            ) from error


def _address_of(file: DistFile) -> str:
    """The web address of a file.

    Raises:
        Rejected: the index lists the file without an address that can be requested.
    """
    if not file.url:
        raise Rejected(
            f"The index lists {file.filename} without a usable http or https address.",
            hint="Tell its operators, or leave the file out with --wheels.",
        )
    return file.url
