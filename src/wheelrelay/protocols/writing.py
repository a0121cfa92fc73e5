"""Optional capabilities of remotes that are written."""

from collections.abc import Collection, Mapping
from typing import Literal, Protocol

from wheelrelay.model import CredentialCheck, DistFile, ProjectStatus
from wheelrelay.protocols.remotes import Source
from wheelrelay.runtime_checks import runtime_checkable
from wheelrelay.staged import StagedFile


@runtime_checkable
class SupportsCompanionStorage(Protocol):
    """A sink that stores companions as files: a file is complete only with its companions."""

    keeps_companions: Literal[True]


@runtime_checkable
class SupportsDoubt(Protocol):
    """A sink that notices answers to uploads that do not prove that it stored the files."""

    def doubt(self) -> str | None:
        """Return why files may not be stored and what to change, as sentences; ``None`` without a doubt."""
        ...


@runtime_checkable
class SupportsUploadForm(Protocol):
    """An index whose uploads are forms with fields from the core metadata."""

    def validate_form(self, staged: StagedFile) -> None:
        """Build the form for a file without sending it.

        Raises:
            Rejected: The file has no metadata, or a required field is missing.
        """
        ...


@runtime_checkable
class SupportsReadiness(Protocol):
    """A sink that can check before publishing whether it is ready, for example has credentials."""

    def make_ready(self) -> None:
        """Resolve the credentials.

        Raises:
            MissingSecret: A referenced secret does not exist.
            BackendError: A service that issues credentials refused or failed.
        """
        ...


@runtime_checkable
class SupportsCredentialCheck(Protocol):
    """A sink that can check its credentials without publishing anything."""

    def check_credentials(self, projects: Collection[str], new_projects: Collection[str]) -> CredentialCheck:
        """Resolve the credentials, and check as far as possible that the sink accepts them.

        Nothing is published, and no project is created. Tokens that are issued for the check are revoked when
        the remote is closed.

        Args:
            projects: The projects to publish files of.
            new_projects: Those of them that the sink does not have.

        Raises:
            MissingSecret: A required secret does not exist.
            AuthenticationFailed: The sink refuses the credentials.
            PermissionDenied: The credentials do not permit uploads to one of the projects.
            BackendError: The sink refused the request or failed.
        """
        ...


@runtime_checkable
class SupportsAttestations(Protocol):
    """A sink that accepts attestations (PEP 740) only from the uploading identity."""

    def ensure_accepts_attestations(self) -> None:
        """Ensure that the sink will accept an attestation made with the identity of this job.

        Raises:
            ConfigError: The sink would refuse it.
            BackendError: A service refused or failed, so that this is unknown.
        """
        ...


@runtime_checkable
class SupportsFinalize(Protocol):
    """A sink that needs a step after the last file, such as writing index pages."""

    def finalize(self, projects: Collection[str]) -> None:
        """Complete publishing; called after all files, also if all of them were skipped.

        Args:
            projects: The projects of the files.

        Raises:
            BackendError: It failed. The files are published, and a re-run repeats this step.
        """
        ...


@runtime_checkable
class SupportsReplace(Protocol):
    """A store that can replace a file on request, for example after a CI re-run; indexes never can."""

    def replace(self, staged: StagedFile) -> None:
        """Publish a file in place of the one of the same name, and remove the old companions.

        Raises:
            ChangedWhileReading: The local file was modified; the old file is unchanged.
            BackendError: The store refused the file or failed.
        """
        ...


@runtime_checkable
class SupportsServerSideCopy(Protocol):
    """A sink that can copy a file from a source on the same server, without an upload."""

    def put_from(self, source: Source, staged: StagedFile) -> None:
        """Publish like `Sink.put`, but copy within the server where that is as safe.

        It is as safe if the server proves that the source still has the staged bytes, and refuses to
        overwrite. In all other cases the staged bytes are uploaded.

        Raises:
            AlreadyExists: The name is taken by other bytes; nothing was changed.
            ChangedWhileReading: The local file was modified; nothing was published.
            BackendError: The sink refused the file or failed.
        """
        ...


@runtime_checkable
class SupportsDelete(Protocol):
    """A store that can delete files."""

    def delete(self, files: Collection[DistFile]) -> None:
        """Delete files with their companions, from the index pages first; missing files are no error.

        Raises:
            BackendError: Deleting failed part-way; a re-run completes it.
        """
        ...


@runtime_checkable
class SupportsPages(Protocol):
    """A store that can serve as an index, with pages next to the files."""

    def rebuild_pages(self) -> None:
        """Write all pages again from the stored files.

        Raises:
            BackendError: Files or pages cannot be read or written.
        """
        ...

    def check_pages(self) -> Collection[str]:
        """Return the names of pages and metadata files that are missing or out of date.

        Raises:
            BackendError: Files or pages cannot be read.
        """
        ...


@runtime_checkable
class SupportsUpstreamState(Protocol):
    """A store that keeps what the upstream index lists for the files of a mirror: time, yanked, status."""

    def keeps_state(self) -> bool:
        """Return whether recorded state is kept; a container without index pages has no place for it."""
        ...

    def record_upstream(
        self,
        project: str,
        files: Collection[DistFile],
        status: ProjectStatus | None,
        provenance: Mapping[str, bytes],
    ) -> None:
        """Record what the upstream index lists, for the pages that `SupportsFinalize.finalize` writes.

        Args:
            project: The project.
            files: Files of the project as upstream lists them, with sha256. Other files stay as they are.
            status: The status of the project; ``None`` to keep the recorded one.
            provenance: Verified provenance objects (PEP 740) by filename, to store as companions of files.

        Raises:
            BackendError: It cannot be read or written; a re-run completes it.
        """
        ...


@runtime_checkable
class SupportsYank(Protocol):
    """A store that can mark files as yanked (PEP 592) on its index pages."""

    def yank(
        self, files: Collection[DistFile], reason: str | None, *, dry_run: bool = False
    ) -> Collection[DistFile]:
        """Yank files, or restore them, and update the pages.

        Args:
            files: Files that `Source.iter_files` returned.
            reason: Why, possibly empty; ``None`` to restore them.
            dry_run: Change nothing.

        Returns:
            The files that were not in this state before.

        Raises:
            ConfigError: The store has no index pages.
            BackendError: It failed part-way; a re-run completes it.
        """
        ...
