"""The generic packages of a GitLab project as a store.

The package has the name of the project, and its version is that of the release. GitLab computes the sha256 of
each file, so planning and confirming read no file.

GitLab has no condition for an upload, and by default keeps several files of one name. So the files of the
package are listed before an upload and after it. Of several files with one name the oldest, which has the
lowest id, is the valid one; the job that uploaded another one deletes it again and reports the conflict.
"""

import re
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from typing import Any, Literal

from packaging.utils import canonicalize_name

from wheelrelay import Digests, DistFile, StagedFile, dist_file
from wheelrelay.errors import AlreadyExists, BackendError, InvalidFilename, NotFound, Rejected
from wheelrelay.http import RawBody
from wheelrelay.model import COMPANION_SUFFIXES
from wheelrelay.protocols import ByteStream
from wheelrelay_gitlab.api import PER_PAGE, GitLabApi
from wheelrelay_gitlab.documents import Package, PackageFile, parse_file, parse_package

SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
"""Names of files and versions that GitLab accepts."""

MAX_COMPANION = 1 << 20
"""Bytes of a companion file; signatures and attestations are far smaller."""

Content = StagedFile | bytes


class GenericPackages:
    """Reads and writes the generic packages of a project.

    Args:
        api: the project.
    """

    keeps_companions: Literal[True] = True

    def __init__(self, api: GitLabApi) -> None:
        self._api = api
        self._existing: set[tuple[str, str]] = set()
        self._creating = threading.Lock()  # of parallel requests that create one package, GitLab fails some

    def iter_files(self, project: str | None) -> Iterator[DistFile]:
        """Yield the distribution files in packages; see `wheelrelay.protocols.Source`."""
        name = canonicalize_name(project) if project is not None else None
        for package in self._packages(name):
            files = self._files(package)
            for filename in sorted(files):
                with suppress(InvalidFilename):  # packages can contain anything
                    file = self._dist_file(package, files, filename)
                    if name in (None, file.project):
                        yield file

    def inventory(self, project: str) -> Iterator[DistFile]:
        """Yield the files of a project as they are now; see `wheelrelay.protocols.SupportsInventory`."""
        return self.iter_files(project)

    @contextmanager
    def open(self, file: DistFile) -> Iterator[ByteStream]:
        """Open a file; see `wheelrelay.protocols.Source`."""
        with self._api.download(file.url or self._url(file, file.filename)) as response:
            yield RawBody(response)

    def read_companion(self, file: DistFile, suffix: str) -> bytes:
        """Return a companion of a file; see `wheelrelay.protocols.SupportsCompanions`."""
        with self._api.download(self._url(file, file.filename + suffix)) as response:
            return response.read_whole(MAX_COMPANION)

    def make_ready(self) -> None:
        """Resolve the token; see `wheelrelay.protocols.SupportsReadiness`."""
        self._api.require_token()

    def put(self, staged: StagedFile) -> None:
        """Upload a file after its companions; see `wheelrelay.protocols.Sink`.

        Raises:
            AlreadyExists: the package has other bytes under the name.
            Rejected: GitLab does not accept such a name.
            Unavailable: GitLab failed; the upload can be repeated.
        """
        _require_safe_names(staged)
        added: list[PackageFile] = []
        try:
            for companion in staged.companions:
                added += self._add(staged.file, staged.filename + companion.suffix, companion.content)
            self._add(staged.file, staged.filename, staged)
        except BaseException:
            if added and not self._may_have(staged):
                for file in added:
                    with suppress(BackendError):  # the first error matters more
                        self._delete(file)
            raise

    def replace(self, staged: StagedFile) -> None:
        """Upload a file in place of another one; see `wheelrelay.protocols.SupportsReplace`.

        GitLab serves the newest file of a name, so readers see the old or the new one. The old one is deleted
        afterwards; if GitLab refuses duplicates, before.
        """
        _require_safe_names(staged)
        contents: dict[str, Content] = {
            staged.filename + companion.suffix: companion.content for companion in staged.companions
        }
        contents[staged.filename] = staged
        for name in (staged.filename + suffix for suffix in COMPANION_SUFFIXES):
            if name not in contents:
                self._delete_all(self._named(staged.file, name))
        for name, content in contents.items():
            old = self._named(staged.file, name)
            if [file.sha256 for file in old] == [_sha256(content)]:
                continue
            try:
                new = self._upload(staged.file, name, content)
            except Rejected:
                self._delete_all(old)
                new = self._upload(staged.file, name, content)
            self._delete_all(file for file in old if file.id != new.id)

    def delete(self, files: Collection[DistFile]) -> None:
        """Delete files and their companions; see `wheelrelay.protocols.SupportsDelete`."""
        for file in files:
            for suffix in ("", *COMPANION_SUFFIXES):
                self._delete_all(self._named(file, file.filename + suffix))

    def _add(self, of: DistFile, name: str, content: Content) -> list[PackageFile]:
        """Upload a file unless the package has it; return what was uploaded.

        Raises:
            AlreadyExists: the package has other bytes under the name.
        """
        if existing := self._named(of, name):
            self._require_same(existing[0], content)
            return []
        try:
            new = self._upload(of, name, content)
        except Rejected:  # GitLab refuses duplicates: another job uploaded it meanwhile
            existing = self._named(of, name)
            if not existing:
                raise
            self._require_same(existing[0], content)
            return []
        oldest = min(self._named(of, name), key=lambda file: file.id, default=new)
        if oldest.id < new.id:
            self._delete(new)
            self._require_same(oldest, content)
            return []
        return [new]

    def _upload(self, of: DistFile, name: str, content: Content) -> PackageFile:
        url = f"{self._url(of, name)}?select=package_file"
        package = (of.project, str(of.version))
        if package not in self._existing:
            with self._creating:
                if package not in self._existing:
                    file = self._sent(url, content)
                    self._existing.add(package)
                    return file
        return self._sent(url, content)

    def _sent(self, url: str, content: Content) -> PackageFile:
        if isinstance(content, bytes):
            file = parse_file(self._api.put(url, content))
        else:
            with content.open() as stream:
                file = parse_file(self._api.put(url, stream))
        if file.sha256 not in (None, _sha256(content)):
            self._delete(file)
            raise BackendError(f"GitLab stored {file.name} with other bytes; it was deleted again.")
        return file

    def _require_same(self, file: PackageFile, content: Content) -> None:
        if file.sha256 != _sha256(content):
            raise AlreadyExists(
                f"{self._api.project} has {file.name} with other bytes.",
                hint="Nothing is overwritten; `wheelrelay push --replace` replaces it on purpose.",
            )

    def _may_have(self, staged: StagedFile) -> bool:
        """Return whether the package has the file, or that cannot be known."""
        try:
            files = self._named(staged.file, staged.filename)
        except BackendError:
            return True
        return any(file.sha256 in (None, staged.sha256) for file in files)

    def _packages(self, name: str | None, version: str | None = None) -> Iterator[Package]:
        """Yield the generic packages of a name and a version, or all of them."""
        query: dict[str, str | int] = {"package_type": "generic", "per_page": PER_PAGE}
        if name is not None:
            query["package_name"] = name  # GitLab also returns packages whose names are similar
        if version is not None:
            query["package_version"] = version
        for document in self._api.entries(self._api.url("packages", **query)):
            package = parse_package(document)
            if name in (None, package.name) and version in (None, package.version):
                yield package

    def _package(self, of: DistFile) -> Package | None:
        return next(self._packages(of.project, str(of.version)), None)

    def _all_files(self, package: Package) -> list[PackageFile]:
        url = self._api.url("packages", package.id, "package_files", per_page=PER_PAGE)
        return sorted(map(parse_file, self._api.entries(url)), key=lambda file: file.id)

    def _files(self, package: Package) -> dict[str, PackageFile]:
        """Return the files of a package by name; of several with one name, the oldest."""
        try:
            files = self._all_files(package)
        except NotFound:  # the package was deleted with its last file
            return {}
        return {file.name: file for file in reversed(files)}

    def _named(self, of: DistFile, name: str) -> list[PackageFile]:
        """Return all files with a name in the package of a file, the oldest first."""
        package = self._package(of)
        if package is None:
            return []
        with suppress(NotFound):
            return [file for file in self._all_files(package) if file.name == name]
        return []

    def _dist_file(self, package: Package, files: dict[str, PackageFile], filename: str) -> DistFile:
        file = files[filename]
        return dist_file(
            filename,
            size=file.size,
            digests=Digests(sha256=file.sha256),
            url=self._api.url("packages", "generic", package.name, package.version, filename),
            upload_time=file.created,
            companions=tuple(suffix for suffix in COMPANION_SUFFIXES if filename + suffix in files),
        )

    def _url(self, of: DistFile, name: str) -> str:
        return self._api.url("packages", "generic", of.project, str(of.version), name)

    def _delete(self, file: PackageFile) -> None:
        self._api.delete(self._api.url("packages", file.package, "package_files", file.id))

    def _delete_all(self, files: Any) -> None:
        for file in files:
            self._delete(file)


def _require_safe_names(staged: StagedFile) -> None:
    for name in (staged.filename, str(staged.file.version)):
        if not SAFE_NAME.fullmatch(name):
            raise Rejected(
                f"GitLab does not accept the name {name!r}.", hint="Publish this file to another remote."
            )


def _sha256(content: Content) -> str:
    return sha256(content).hexdigest() if isinstance(content, bytes) else content.sha256
