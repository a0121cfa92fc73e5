"""The packages of an owner on anaconda.org as a source of distribution files.

They are read by the API: the pages of the Simple API have neither sizes nor upload times, and come through a
cache.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from packaging.utils import canonicalize_name

from wheelrelay import DistFile
from wheelrelay.errors import NotFound, Rejected
from wheelrelay.http import RawBody, content_range_starts_at, display_url, range_header
from wheelrelay.protocols import ByteStream
from wheelrelay_anaconda.api import AnacondaApi
from wheelrelay_anaconda.documents import PYPI, Package, parse_package, parse_packages


class AnacondaSource:
    """Reads the files of an owner's packages that have certain labels.

    Args:
        api: the API.
        labels: the labels; a file must have all of them.
    """

    def __init__(self, api: AnacondaApi, labels: tuple[str, ...]) -> None:
        self._api = api
        self._labels = labels

    def iter_files(self, project: str | None) -> Iterator[DistFile]:
        """Yield the distribution files; see `wheelrelay.protocols.Source`."""
        for name in self._names() if project is None else (project,):
            package = self._find(name)
            if package is not None:
                yield from package.dist_files(frozenset(self._labels))

    def inventory(self, project: str) -> Iterator[DistFile]:
        """Yield the files of a project as they are now; see `wheelrelay.protocols.SupportsInventory`."""
        return self.iter_files(project)

    @contextmanager
    def open(self, file: DistFile) -> Iterator[ByteStream]:
        """Open a file; see `wheelrelay.protocols.Source`."""
        with self._api.download(_url_of(file)) as response:
            yield RawBody(response)

    @contextmanager
    def open_range(self, file: DistFile, start: int, stop: int | None) -> Iterator[ByteStream]:
        """Open a part of a file; see `wheelrelay.protocols.SupportsRange`."""
        with self._api.download(_url_of(file), {"Range": range_header(start, stop)}) as response:
            content_range = response.headers.get("Content-Range", "")
            if response.status_code != 206 or not content_range_starts_at(start, content_range):
                raise Rejected(
                    f"{display_url(response.url)} returns only whole files.", status=response.status_code
                )
            yield RawBody(response)

    def _names(self) -> list[str]:
        """Return the names of all packages with Python distributions.

        Raises:
            NotFound: the owner does not exist.
        """
        return parse_packages(self._api.get(self._api.url("packages", package_type=PYPI)))

    def _find(self, project: str) -> Package | None:
        """Return the package of a project, or ``None``.

        Packages have the names of their projects as these spell them. The normalized name is tried first,
        because most packages have it, and the list of all packages can be long.

        Raises:
            NotFound: the owner does not exist.
        """
        name = canonicalize_name(project)
        if package := self._package(name):
            return package
        others = (other for other in self._names() if other != name and canonicalize_name(other) == name)
        return next(filter(None, map(self._package, others)), None)

    def _package(self, name: str) -> Package | None:
        try:
            document = self._api.get(self._api.url("package", name))
        except NotFound:
            return None
        return parse_package(document, self._api.api_url)


def _url_of(file: DistFile) -> str:
    if not file.url:
        raise NotFound(f"anaconda.org has no address for {file.filename}.")
    return file.url
