"""The packages of an owner on anaconda.org as a store."""

import logging
import threading
from collections import defaultdict
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain

from packaging.utils import NormalizedName

from wheelrelay import DistFile, StagedFile
from wheelrelay.errors import AlreadyExists, NotFound, Rejected
from wheelrelay_anaconda.api import AnacondaApi, Taken
from wheelrelay_anaconda.documents import Package, StoredFile, new_package, new_release
from wheelrelay_anaconda.source import AnacondaSource
from wheelrelay_anaconda.upload import md5_of, upload

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Policy:
    """What a store may do with packages.

    Attributes:
        create: create packages that do not exist.
        public: make created packages public.
        delete_packages: delete and replace only files, with which the server deletes the package.
    """

    create: bool = True
    public: bool = True
    delete_packages: bool = False


class AnacondaStore(AnacondaSource):
    """The files of an owner's packages that have certain labels.

    Args:
        api: the API.
        labels: the labels.
        policy: what may be done with packages.
    """

    def __init__(self, api: AnacondaApi, labels: tuple[str, ...], policy: Policy = Policy()) -> None:
        super().__init__(api, labels)
        self._policy = policy
        self._creating = threading.Lock()
        # One removal at a time: two threads that replace the two files of a package would delete both first.
        self._removing = threading.Lock()
        self._created: set[tuple[str, ...]] = set()

    def make_ready(self) -> None:
        """Resolve the token; see `wheelrelay.protocols.SupportsReadiness`."""
        self._api.require_token()

    def put(self, staged: StagedFile) -> None:
        """Upload a file; see `wheelrelay.protocols.Sink`.

        A file that the package has under other labels gets those of this store too.

        Raises:
            AlreadyExists: the package has other bytes under the name, whatever their labels.
            NotFound: there is no package, and none is to be created.
        """
        md5 = md5_of(replace(staged, watcher=None))  # not progress: the file is read again
        package, existing = self._locate(staged)
        if package and existing:
            self._keep(package, existing, staged)
        else:
            self._publish(package, staged, self._labels, md5)

    def replace(self, staged: StagedFile) -> None:
        """Upload a file in place of another one; see `wheelrelay.protocols.SupportsReplace`.

        The server accepts a name only if it is free. So the old file is deleted after the new one was
        verified, and is missing until the upload ends. If the upload fails, repeating it completes it.

        Raises:
            Rejected: it is the only file of its package, which the server would delete with it.
        """
        with self._removing:
            package, existing = self._locate(staged)
            if package is None or existing is None or existing.digests.sha256 == staged.sha256:
                self.put(staged)
                return
            self._require_others(package, [existing], "replaced")
            md5 = md5_of(staged)
            self._delete(package, existing)
            labels = (*self._labels, *sorted(existing.labels - {*self._labels}))
            self._publish(self._find(staged.file.project), staged, labels, md5)

    def delete(self, files: Collection[DistFile]) -> None:
        """Delete files; see `wheelrelay.protocols.SupportsDelete`.

        A file that also has other labels loses only those of this store.

        Raises:
            Rejected: no file of a package would be left; nothing was deleted.
        """
        names: dict[NormalizedName, set[str]] = defaultdict(set)
        for file in files:
            names[file.project].add(file.filename)
        with self._removing:
            found = [*chain.from_iterable(self._deletable(*project) for project in names.items())]
            for package, stored in found:
                if self._is_last_label(stored):
                    self._delete(package, stored)
                else:
                    self._change_labels("DELETE", package, stored, stored.labels & {*self._labels})

    def _deletable(
        self, project: NormalizedName, filenames: Collection[str]
    ) -> list[tuple[Package, StoredFile]]:
        """Return files of a project that exist, with its package.

        Raises:
            Rejected: no other file of the package would be left.
        """
        package = self._find(project)
        if package is None:
            return []
        stored = list(filter(None, map(package.find, sorted(filenames))))
        self._require_others(package, [file for file in stored if self._is_last_label(file)], "deleted")
        return [(package, file) for file in stored]

    def _locate(self, staged: StagedFile) -> tuple[Package | None, StoredFile | None]:
        """Return the package of a file, and the file in it, as far as they exist."""
        package = self._find(staged.file.project)
        return package, package.find(staged.filename) if package else None

    def _publish(
        self, package: Package | None, staged: StagedFile, labels: tuple[str, ...], md5: bytes
    ) -> None:
        """Upload a file that the package did not have when it was read."""
        _warn_of_companions(staged)
        name = self._prepare(package, staged)
        try:
            upload(self._api, name, staged, labels, md5)
        except Taken:  # another upload was faster
            package, existing = self._locate(staged)
            if package is None or existing is None:
                raise
            self._keep(package, existing, staged)

    def _is_last_label(self, file: StoredFile) -> bool:
        return file.labels <= {*self._labels}

    def _require_others(self, package: Package, files: Collection[StoredFile], verb: str) -> None:
        """Refuse to delete all files of a package: the server then deletes the package.

        With it go its description, its access rights and, if it was private, that it is.

        Raises:
            Rejected: no other file would be left, and that is not configured.
        """
        if not files or self._policy.delete_packages or len(package.files) > len(files):
            return
        name = next(iter(files)).name if len(files) == 1 else f"{len(files)} files"
        raise Rejected(
            f"{name} cannot be {verb}: no other file of the package {package.name} would be left, and "
            "anaconda.org deletes packages without files.",
            hint="Upload another file first, or set delete_packages = true.",
        )

    def _delete(self, package: Package, file: StoredFile) -> None:
        """Delete a file; the server deletes its release with it, and its package, if they are empty."""
        with suppress(NotFound):
            self._api.send("DELETE", self._api.url("dist", package.name, file.version, file.name))
        with self._creating:
            self._created.clear()

    def _prepare(self, package: Package | None, staged: StagedFile) -> str:
        """Create the package and the release of a file if they do not exist; return the package's name.

        Raises:
            NotFound: there is no package, and none is to be created.
        """
        name = package.name if package else staged.file.project
        version = str(staged.file.version)
        if package is None and not self._policy.create:
            raise NotFound(
                f"{self._api.owner} has no package {name} on anaconda.org.",
                hint="Create it there, or set create = true in the remote's configuration.",
            )
        with self._creating:
            if package is None:
                self._create("package", name, document=new_package(staged, is_public=self._policy.public))
            if package is None or version not in package.versions:
                self._create("release", name, version, document=new_release(staged))
        return name

    def _create(self, *parts: str, document: dict[str, object]) -> None:
        if parts in self._created:
            return
        with suppress(Taken):  # created by another job
            self._api.send("POST", self._api.url(*parts), document)
        self._created.add(parts)

    def _keep(self, package: Package, existing: StoredFile, staged: StagedFile) -> None:
        """Keep a file that has the same bytes, and add missing labels.

        Raises:
            AlreadyExists: it has other bytes.
        """
        digests = existing.digests
        is_same = (
            digests.sha256 == staged.sha256 if digests.sha256 else self._has_same_bytes(existing, staged)
        )
        if not is_same:
            raise AlreadyExists(
                f"{self._api.owner} has {staged.filename} with other bytes, with the labels "
                f"{', '.join(sorted(existing.labels))}.",
                hint="Nothing is overwritten; `wheelrelay push --replace` replaces it on purpose.",
            )
        self._change_labels("POST", package, existing, {*self._labels} - existing.labels)

    def _has_same_bytes(self, existing: StoredFile, staged: StagedFile) -> bool:
        """Compare by MD5, which is all that the API has for old files."""
        md5 = md5_of(replace(staged, watcher=None)).hex()
        return existing.size in (None, staged.size) and existing.digests.md5 == md5

    def _change_labels(
        self, method: str, package: Package, file: StoredFile, labels: Collection[str]
    ) -> None:
        document = {"package": package.name, "version": file.version, "basename": file.name}
        for label in sorted(labels):
            self._api.send(method, self._api.url("channels", label), document)


def _warn_of_companions(staged: StagedFile) -> None:
    for companion in staged.companions:
        logger.warning(
            "%s%s is not uploaded: anaconda.org stores no signatures and attestations.",
            staged.filename,
            companion.suffix,
        )
