"""Check the staged files against each sink, and decide whether the release may be published."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from packaging.utils import NormalizedName

from wheelrelay.engine.comparing import is_partial
from wheelrelay.engine.context import ConnectedSink, ReleasePolicy, error_context
from wheelrelay.engine.listing import Inventory
from wheelrelay.errors import (
    CheckFailed,
    Conflict,
    Incomplete,
    Rejected,
    WheelrelayError,
    describe_unexpected,
)
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.lock_matching import LOCK_MISSING
from wheelrelay.model import DistFile
from wheelrelay.protocols import SupportsStatus, SupportsUploadForm, SupportsUpstreamState
from wheelrelay.records import Action, Finding, Intent, Plan, Severity
from wheelrelay.staged import StagedFile
from wheelrelay.transfer.retry import Retrier

if TYPE_CHECKING:  # where all files are in place, nothing is checked
    from wheelrelay.checks import Inspection
    from wheelrelay.checks.published import PublishedFiles

UPLOAD_FORM, CONFLICT, MISSING, UNEXPECTED = "upload-form", "conflict", "missing", "unexpected"


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A staged file and the results of its file checks.

    Attributes:
        staged: The file.
        inspection: The findings of all file checks, for all sinks.
        distrust: Findings about its signature and its other companions.
    """

    staged: StagedFile
    inspection: "Inspection"
    distrust: tuple[Finding, ...] = ()


class ReleaseChecker:
    """Checks staged files against the rules of all sinks; safe for threads.

    Args:
        sinks: The sinks, in order.
        inventories: The files of each sink, by its name; from planning.
        policy: The requirements of the route.
        retrier: Repeats operations that failed.
        has_all_files: Whether `find` gets all files of a release that are not at the sink yet.
    """

    def __init__(
        self,
        sinks: Sequence[ConnectedSink],
        inventories: Mapping[str, Inventory | None],
        policy: ReleasePolicy,
        retrier: Retrier,
        *,
        has_all_files: bool = False,
    ) -> None:
        self._sinks = sinks
        self._inventories = inventories
        self._policy = policy
        self._retrier = retrier
        self._has_all_files = has_all_files
        self._statuses: dict[tuple[str, NormalizedName], str | None] = {}
        self._files: dict[tuple[str, NormalizedName], PublishedFiles] = {}

    def find(self, files: Sequence[CheckedFile]) -> list[Finding]:
        """Return all findings about some staged files.

        Raises:
            BackendError: A sink cannot report the status of a project.
        """
        findings: list[Finding] = []
        for sink in self._sinks:
            with error_context(f"sink {sink.name!r}"):
                findings += self._retrier.call(
                    f"the status of the projects at {sink.name}", partial(self._find_for, sink, files)
                )
        return deduplicated(findings)

    def _find_for(self, sink: ConnectedSink, files: Sequence[CheckedFile]) -> list[Finding]:
        """Return all findings that apply at one sink."""
        if not files:
            return []
        from wheelrelay.checks import ReleaseContext, run_release_checks  # with all checks

        inventory = self._inventories[sink.name] or Inventory()
        findings = [finding for file in files for finding in sink.checks.select(file.inspection.findings)]
        findings += [finding for file in files for finding in file.distrust]
        findings += _form_errors((file.staged for file in files), sink, inventory)
        for project, group in _by_project(files).items():
            context = ReleaseContext(
                published=self._published(sink, project, inventory),
                project_status=self._status(sink, project),
                is_whole_release=self._has_all_files,
                commits={
                    file.staged.filename: file.staged.file.build["commit"]
                    for file in group
                    if "commit" in file.staged.file.build
                },
                required_commit=self._policy.commit,
                required_sha256=self._policy.sums,
            )
            inspections = [file.inspection for file in group]
            findings += run_release_checks(inspections, context, policy=sink.checks)
        return findings

    def _published(
        self, sink: ConnectedSink, project: NormalizedName, inventory: Inventory
    ) -> "PublishedFiles":
        """Return the files of a project at a sink; they are indexed once per relay."""
        from wheelrelay.checks.published import PublishedFiles  # only where files are checked

        key = sink.name, project
        if key not in self._files:
            self._files[key] = PublishedFiles(inventory.of_project(project))
        return self._files[key]

    def _status(self, sink: ConnectedSink, project: NormalizedName) -> str | None:
        """Return the status of a project at a sink (PEP 792); it is read once per relay."""
        key = sink.name, project
        # A container lists the status of the project upstream, which does not close the container.
        has_own_status = isinstance(sink.sink, SupportsStatus) and not isinstance(
            sink.sink, SupportsUpstreamState
        )
        if key not in self._statuses and has_own_status:
            assert isinstance(sink.sink, SupportsStatus)
            found = sink.sink.project_status(project)
            self._statuses[key] = found.status if found else None
        return self._statuses.get(key)


def deduplicated(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings sorted by file and check, each once, with its highest severity at any sink."""
    by_content: dict[object, Finding] = {}
    for finding in findings:
        key = finding.check, finding.message, finding.filename
        if key not in by_content or by_content[key].severity is Severity.WARNING:
            by_content[key] = finding
    return sorted(by_content.values(), key=lambda finding: (finding.filename or "", finding.check))


def blocking_findings(plan: Plan, *, allow_unexpected: bool = False) -> list[Finding]:
    """Return everything in a plan that blocks publishing, and the plan's own findings.

    Args:
        plan: With all actions decided, as far as they can be.
        allow_unexpected: Whether files that match nothing in the expected set are published.
    """
    missing = [
        Finding(
            MISSING,
            Severity.ERROR,
            f"{expectation} is missing.",
            hint="Build it, or remove it from `expect`.",
        )
        for expectation in plan.missing
    ]
    unexpected = () if allow_unexpected else _unexpected(plan)
    conflicts = [
        _conflict(sink, planned.file, intent)
        for planned in plan.files
        for sink, intent in planned.sinks.items()
        if intent.action is Action.CONFLICT
    ]
    return [*missing, *unexpected, *conflicts, *plan.findings]


def refuse(findings: Sequence[Finding]) -> None:
    """Refuse the release if any finding is an error; warnings do not block.

    Raises:
        Conflict: Filenames exist with other bytes, and nothing else is wrong.
        Incomplete: The files are not the expected set, and nothing else is wrong.
        CheckFailed: Checks failed.
    """
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    if not errors:
        return
    checks = {finding.check for finding in errors}
    count = "1 error" if len(errors) == 1 else f"{len(errors)} errors"
    if checks == {CONFLICT}:
        files = len({finding.filename for finding in errors})
        subject = "1 file is" if files == 1 else f"{files} files are"
        raise Conflict(
            f"{subject} already published with other content; nothing was published.", findings=findings
        )
    if checks <= {MISSING, UNEXPECTED, LOCK_MISSING}:
        raise Incomplete(
            f"The files are not the expected release ({count}); nothing was published.", findings=findings
        )
    raise CheckFailed(f"The release failed its checks ({count}); nothing was published.", findings=findings)


def _unexpected(plan: Plan) -> list[Finding]:
    """Return a finding for each file, or number of files, that matches nothing in the expected set."""
    names = {planned.file.filename for planned in plan.files}
    return [
        Finding(
            UNEXPECTED,
            Severity.ERROR,
            "Unexpected file: it matches nothing in `expect`." if entry in names else f"Found {entry}.",
            filename=entry if entry in names else None,
            hint="Add it to `expect`, remove it, or pass `allow_unexpected=True`.",
        )
        for entry in plan.unexpected
    ]


def _form_errors(files: Iterable[StagedFile], sink: ConnectedSink, inventory: Inventory) -> Iterator[Finding]:
    """Yield an error for each file that the upload form of an index cannot describe.

    A file that is ignored by its checks is covered as well: the index would refuse it after others are in.
    """
    if not isinstance(sink.sink, SupportsUploadForm):
        return
    for staged in files:
        if staged.filename in inventory:
            continue
        try:
            sink.sink.validate_form(staged)
        except Rejected as error:
            message = f"The file {error.message.removeprefix(staged.filename).strip()}"
            yield Finding(UPLOAD_FORM, Severity.ERROR, message, staged.filename, error.hint)
        except WheelrelayError:
            raise
        except Exception as error:  # noqa: BLE001  (such as MemoryError, from the metadata of one file)
            message = f"The upload form cannot be created: {describe_unexpected(error)}."
            yield Finding(UPLOAD_FORM, Severity.ERROR, message, staged.filename)


def _by_project(files: Sequence[CheckedFile]) -> dict[NormalizedName, list[CheckedFile]]:
    groups: dict[NormalizedName, list[CheckedFile]] = {}
    for file in files:
        groups.setdefault(file.staged.file.project, []).append(file)
    return groups


def _conflict(sink: str, file: DistFile, intent: Intent) -> Finding:
    """Return the finding about a filename that exists with other content; its hint depends on the sink."""
    held = intent.existing
    is_part = held is not None and is_partial(file, held)
    if held and is_part:
        message = f"{sink} has {held.size} of its {file.size} bytes{_digests(file, held)}."
    elif held and held.sha256 and held.sha256 == file.sha256:  # the bytes are equal, a companion is not
        message = f"At {sink}, the file {intent.reason}."
    else:
        message = f"{sink} has this filename with other bytes{_digests(file, held)}."
    if not intent.can_replace:
        hint = "An index never accepts a filename twice: build a new version, or add a build tag."
    elif is_part:
        hint = (
            "A full disk or an interrupted copy may have truncated it. If so, remove it and run the same "
            f"command again: wheelrelay remove {sink} {file.filename}"
        )
    else:
        hint = "Use `push(replace=True)` to replace it, or build a new version."
    return Finding(CONFLICT, Severity.ERROR, message, filename=file.filename, hint=hint)


def _digests(file: DistFile, held: DistFile | None) -> str:
    ours, theirs = file.sha256, held.sha256 if held else None
    return f" (sha256 {theirs[:12]}..., expected {ours[:12]}...)" if ours and theirs else ""
