"""The artifacts of a workflow run as a source of distribution files.

Each artifact is a zip archive, which may hold any number of files. They are read from the archive on GitHub's
storage, member by member; nothing is unpacked to disk but the files that are staged.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Any
from zipfile import ZipInfo

from packaging.utils import canonicalize_name

from wheelrelay import DistFile, dist_file
from wheelrelay.errors import BackendError, IntegrityError, InvalidFilename, NotFound, PermissionDenied
from wheelrelay.http import RawBody, Response, content_range_starts_at, range_header
from wheelrelay.model import COMPANION_SUFFIXES
from wheelrelay.protocols import ByteStream
from wheelrelay_github.api import PER_PAGE, GitHubApi
from wheelrelay_github.remote_zip import BLOCK_SIZE, MAX_TAIL, Archive

MAX_COMPANION = 1 << 20
"""Bytes of a companion file; signatures and attestations are far smaller."""


@dataclass(frozen=True, slots=True)
class RunChoice:
    """Which workflow run the artifacts are taken from: by its id, or the newest successful one.

    Attributes:
        run: the id of the run.
        commit: the full id of the commit that it built.
        branch: the branch that it built.
        workflow: the file name of the workflow, such as ``wheels.yml``.
    """

    run: int | None = None
    commit: str | None = None
    branch: str | None = None
    workflow: str | None = None

    def __str__(self) -> str:
        chosen = [
            *([f"workflow {self.workflow}"] if self.workflow else []),
            *([f"branch {self.branch}"] if self.branch else []),
            *([f"commit {self.commit}"] if self.commit else []),
        ]
        return f"run {self.run}" if self.run else " and ".join(chosen)


@dataclass(frozen=True, slots=True)
class Run:
    """One workflow run."""

    id: int
    build: dict[str, str]


@dataclass(frozen=True, slots=True)
class Artifact:
    """One artifact of a run."""

    url: str
    name: str
    created: datetime | None
    is_expired: bool
    expires: str


@dataclass(frozen=True, slots=True)
class _Member:
    """A file within an artifact."""

    archive: Archive
    info: ZipInfo


@dataclass(slots=True)
class _Contents:
    """The files of all artifacts, by their names."""

    files: dict[str, DistFile] = field(default_factory=dict)
    members: dict[str, _Member] = field(default_factory=dict)


class ArtifactSource:
    """The distribution files in the artifacts of one workflow run.

    Args:
        api: the repository.
        choice: which run.
        names: patterns for the names of artifacts, such as ``wheels-*``.
    """

    def __init__(self, api: GitHubApi, choice: RunChoice, names: Sequence[str] = ("*",)) -> None:
        self._api = api
        self._choice = choice
        self._names = tuple(names)
        self._lock = threading.Lock()
        self._contents: _Contents | None = None

    def iter_files(self, project: str | None) -> Iterator[DistFile]:
        """Yield the distribution files in the artifacts; see `wheelrelay.protocols.Source`.

        Raises:
            NotFound: there is no such run or artifact, or an artifact has expired.
            IntegrityError: an artifact is not a zip archive, or two files have one name.
            BackendError: something cannot be read.
        """
        with self._lock:
            self._contents = self._read()
        wanted = canonicalize_name(project) if project is not None else None
        for name in sorted(self._contents.files):
            file = self._contents.files[name]
            if wanted is None or file.project == wanted:
                yield file

    @contextmanager
    def open(self, file: DistFile) -> Iterator[ByteStream]:
        """Open a file; its CRC-32 is compared at the end. See `wheelrelay.protocols.Source`."""
        member = self._member(file.filename)
        with member.archive.open(member.info.filename) as stream:
            yield stream

    def read_companion(self, file: DistFile, suffix: str) -> bytes:
        """Return a companion of a file; see `wheelrelay.protocols.SupportsCompanions`."""
        member = self._member(file.filename + suffix)
        if member.info.file_size > MAX_COMPANION:
            raise BackendError(f"{file.filename}{suffix} is too large: {member.info.file_size} bytes.")
        with member.archive.open(member.info.filename) as stream:
            return b"".join(iter(lambda: stream.read(BLOCK_SIZE), b""))

    def _member(self, name: str) -> _Member:
        with self._lock:
            contents = self._contents = self._contents or self._read()
        if name not in contents.members:
            raise NotFound(f"The artifacts of {self._choice} have no {name}.")
        return contents.members[name]

    def _read(self) -> _Contents:
        run = self._run()
        contents = _Contents()
        times: dict[str, datetime | None] = {}
        for artifact in self._artifacts(run):
            archive = self._archive(artifact)
            for info in archive.members():
                name = PurePosixPath(info.filename).name
                _refuse_another(contents.members.get(name), info, name)
                contents.members[name] = _Member(archive, info)
                times[name] = artifact.created
        for name, member in contents.members.items():
            with suppress(InvalidFilename):  # artifacts can hold anything
                contents.files[name] = dist_file(
                    name,
                    size=member.info.file_size,
                    upload_time=times[name],
                    companions=tuple(end for end in COMPANION_SUFFIXES if name + end in contents.members),
                    build=run.build,
                )
        return contents

    def _run(self) -> Run:
        if self._choice.run is not None:
            return _run(self._api.get(self._api.url("actions", "runs", self._choice.run)))
        workflow = ("workflows", self._choice.workflow) if self._choice.workflow else ()
        query = {"branch": self._choice.branch, "head_sha": self._choice.commit}
        filters = {name: value for name, value in query.items() if value}
        url = self._api.url("actions", *workflow, "runs", status="success", per_page=1, **filters)
        runs = self._api.get(url).get("workflow_runs") or []
        if not runs:
            raise NotFound(
                f"{self._api.repository} has no successful run of {self._choice}.",
                hint="Wait for the run to end, or check the names.",
            )
        return _run(runs[0])

    def _artifacts(self, run: Run) -> list[Artifact]:
        """Return the newest artifact of each name that matches.

        Raises:
            NotFound: there is none, or one has expired.
        """
        newest: dict[str, Artifact] = {}
        names = []
        url = self._api.url("actions", "runs", run.id, "artifacts", per_page=PER_PAGE)
        for page in self._api.pages(url):
            for artifact in map(_artifact, page["artifacts"]):
                names.append(artifact.name)
                if any(fnmatchcase(artifact.name, pattern) for pattern in self._names):
                    newest.setdefault(artifact.name, artifact)  # GitHub lists the newest first
        for artifact in newest.values():
            if artifact.is_expired:
                raise NotFound(
                    f"The artifact {artifact.name!r} of run {run.id} expired ({artifact.expires}).",
                    hint="Run the workflow again, or raise its retention-days.",
                )
        if not newest:
            found = f" It has {', '.join(sorted(set(names))[:8])}." if names else ""
            patterns = ", ".join(self._names)
            raise NotFound(f"Run {run.id} of {self._api.repository} has no artifact {patterns}.{found}")
        return list(newest.values())

    def _archive(self, artifact: Artifact) -> Archive:
        name = f"artifact {artifact.name!r}"
        if not self._api.has_token:
            raise PermissionDenied(
                f"The {name} cannot be read without a token, even in a public repository.",
                hint="Set `token` in the configuration, or GITHUB_TOKEN in the environment.",
            )

        @contextmanager
        def opened(start: int, stop: int | None) -> Iterator[ByteStream]:
            with self._api.download(artifact.url, {"Range": range_header(start, stop)}) as response:
                body = RawBody(response)
                if not _is_part(response, start):
                    _skip(body, start)
                yield body

        with self._api.download(artifact.url, {"Range": f"bytes=-{MAX_TAIL}"}) as response:
            size, tail = _tail(response)
        return Archive(size, tail, opened, name)


def _tail(response: Response) -> tuple[int, bytes]:
    """Return the size of an archive and its last bytes, also if the server sends all of it."""
    body = RawBody(response)
    size, tail = 0, b""
    while block := body.read(BLOCK_SIZE):
        size += len(block)
        tail = (tail + block)[-MAX_TAIL:]
    if response.status_code == 206:
        _, _, total = response.headers.get("Content-Range", "").rpartition("/")
        if not total.isdecimal() or int(total) < size:
            raise BackendError("GitHub's storage did not report the size of an artifact.")
        size = int(total)
    return size, tail


def _is_part(response: Response, start: int) -> bool:
    given = response.headers.get("Content-Range", "")
    return response.status_code == 206 and content_range_starts_at(start, given)


def _skip(body: ByteStream, count: int) -> None:
    while count > 0 and (block := body.read(min(count, BLOCK_SIZE))):
        count -= len(block)


def _refuse_another(member: _Member | None, info: ZipInfo, name: str) -> None:
    """Refuse a second file of one name, unless it has the same bytes as far as zip archives show."""
    if member and (member.info.CRC, member.info.file_size) != (info.CRC, info.file_size):
        raise IntegrityError(
            f"Two artifacts have different files named {name}.",
            hint="Choose the artifacts by their names: artifacts = [...].",
        )


def _run(document: Any) -> Run:
    try:
        build = {"commit": str(document["head_sha"]), "run": str(document["html_url"])}
        return Run(int(document["id"]), build)
    except (KeyError, TypeError, ValueError) as error:
        raise BackendError("GitHub described a workflow run in an unexpected form.") from error


def _artifact(document: Any) -> Artifact:
    try:
        created = document["created_at"]
        return Artifact(
            url=str(document["archive_download_url"]),
            name=str(document["name"]),
            created=datetime.fromisoformat(created) if created else None,
            is_expired=bool(document["expired"]),
            expires=str(document.get("expires_at") or "at an unknown time"),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BackendError("GitHub described an artifact in an unexpected form.") from error
