"""Hold the staged files against the rules of each sink: file by file, and release by release."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.utils import NormalizedName

from wheelrelay.errors import Rejected
from wheelrelay.model import DistFile
from wheelrelay.records import Finding, Severity
from wheelrelay.signing import TrustPolicy
from wheelrelay.staged import StagedFile

if TYPE_CHECKING:  # where all is in place already, nothing is checked
    from wheelrelay.checks import CheckPolicy, Inspection

UPLOAD_FORM = "upload-form"


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A staged file, and what reading it through has shown.

    Attributes:
        staged: the file.
        inspection: findings of all file checks, whichever sink asks for them.
        distrust: what is wrong with the signature and the other companions that came with it.
    """

    staged: StagedFile
    inspection: "Inspection"
    distrust: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class ReleasePolicy:
    """What is asked of a release, apart from the sink's own rules.

    Attributes:
        commit: the commit that all files have to be built from.
        sums: the sha256 that each file has to have, by filename.
        trust: who must have vouched for each file.
    """

    commit: str | None = None
    sums: Mapping[str, str] | None = None
    trust: TrustPolicy | None = None


@dataclass(frozen=True, slots=True)
class SinkView:
    """What checks know of a sink.

    Attributes:
        policy: which checks apply there, and its limits.
        inventory: what it holds of the projects at hand, by filename.
        status: the state of a project there (PEP 792), if it can tell.
        validate_form: raises `Rejected` for a file that the sink's upload form cannot describe.
    """

    policy: "CheckPolicy"
    inventory: Mapping[str, DistFile]
    status: Callable[[NormalizedName], str | None]
    validate_form: Callable[[StagedFile], None] | None = None


def find_for_sink(files: Sequence[CheckedFile], sink: SinkView, demands: ReleasePolicy) -> list[Finding]:
    """Everything that is wrong with some staged files in the eyes of one sink.

    Raises:
        BackendError: the sink cannot tell a project's status.
    """
    if not files:
        return []
    from wheelrelay.checks import ReleaseContext, run_release_checks

    policy = sink.policy
    found = [finding for file in files for finding in policy.select(file.inspection.findings)]
    found += [finding for file in files for finding in file.distrust]
    found += _unsendable([file.staged for file in files], sink)
    for project, group in _by_project(files).items():
        context = ReleaseContext(
            published=tuple(file for file in sink.inventory.values() if file.project == project),
            project_status=sink.status(project),
            commits={
                file.staged.filename: file.staged.file.build["commit"]
                for file in group
                if "commit" in file.staged.file.build
            },
            required_commit=demands.commit,
            required_sha256=demands.sums,
        )
        found += run_release_checks([file.inspection for file in group], context, policy=policy)
    return found


def once(findings: Iterable[Finding]) -> list[Finding]:
    """The findings in the order of files and rules, each once however many sinks share it.

    Where sinks have different profiles, the strictest decides how severe a finding is.
    """
    worst: dict[object, Finding] = {}
    for finding in findings:
        about = finding.check, finding.message, finding.filename
        if about not in worst or worst[about].severity is Severity.WARNING:
            worst[about] = finding
    return sorted(worst.values(), key=lambda finding: (finding.filename or "", finding.check))


def _unsendable(files: Iterable[StagedFile], sink: SinkView) -> Iterator[Finding]:
    """The files that the sink's upload form cannot describe; no check that is ignored lets them through."""
    if sink.validate_form is None:
        return
    for staged in files:
        if staged.filename in sink.inventory:
            continue
        try:
            sink.validate_form(staged)
        except Rejected as error:
            said = f"The file {error.message.removeprefix(staged.filename).strip()}"
            yield Finding(UPLOAD_FORM, Severity.ERROR, said, staged.filename, error.hint)


def _by_project(files: Sequence[CheckedFile]) -> dict[NormalizedName, list[CheckedFile]]:
    groups: dict[NormalizedName, list[CheckedFile]] = {}
    for file in files:
        groups.setdefault(file.staged.file.project, []).append(file)
    return groups
