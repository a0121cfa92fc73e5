"""What a preflight is about: the projects, the versions and the remotes, and what the remotes hold."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import field, replace

from packaging.utils import NormalizedName
from packaging.version import Version

from wheelrelay.engine.context import ConnectedSink, RelayOptions, Runtime
from wheelrelay.errors import TimedOut, Unavailable, WheelrelayError
from wheelrelay.expect import Expected
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.model import DistFile
from wheelrelay.reports import PreflightItem, Verdict


@dataclass(frozen=True, slots=True)
class Target:
    """A project to publish.

    Attributes:
        project: The normalized name.
        version: The version to publish; ``None`` if it is not known yet.
    """

    project: NormalizedName
    version: Version | None = None

    def __str__(self) -> str:
        return f"{self.project} {self.version}" if self.version else self.project


@dataclass(frozen=True)
class PreflightRequest:
    """The input of a preflight; both sides are connected.

    Attributes:
        targets: The projects to publish.
        sinks: The connected sinks, in order.
        staged: The files that the source holds of these projects; empty if they cannot be read.
        commit: The commit that will be built; ``None`` if it is not known.
        expected: The files that the release must consist of.
        options: Retries and progress.
    """

    targets: Sequence[Target]
    sinks: Sequence[ConnectedSink]
    staged: Sequence[DistFile] = ()
    commit: str | None = None
    expected: Expected = Expected()
    options: RelayOptions = field(default_factory=RelayOptions)


@dataclass(frozen=True, slots=True)
class HeldProject:
    """A project as a sink holds it.

    Attributes:
        target: The project to publish.
        sink: The sink.
        published: Its files, of all versions.
        status: Its status (PEP 792); ``None`` if the sink does not have the project, or no status.
        is_readable: Whether the sink can be read; otherwise, it is write-only.
    """

    target: Target
    sink: ConnectedSink
    published: tuple[DistFile, ...] = ()
    status: str | None = None
    is_readable: bool = True

    @property
    def exists(self) -> bool:
        """Whether the sink has the project, perhaps without files."""
        return bool(self.published) or self.status is not None

    @property
    def of_version(self) -> list[DistFile]:
        """The published files of the version."""
        return [file for file in self.published if file.version == self.target.version]

    def item(self, check: str, verdict: Verdict, reason: str, *, hint: str | None = None) -> PreflightItem:
        """Return the result of a check of this project."""
        return PreflightItem(check, verdict, reason, self.sink.name, self.target.project, hint)


Check = Callable[[], "PreflightItem | Iterator[PreflightItem] | None"]
"""A check that returns its results; ``None`` if it does not apply."""


def results_of(check: Check, name: str, remote: str, runtime: Runtime) -> Iterator[PreflightItem]:
    """Yield the results of a check; an error is a failure, or unknown if it is temporary.

    Args:
        check: The check.
        name: Its id, for an error.
        remote: The remote that it is about.
        runtime: Retries.
    """

    def run() -> list[PreflightItem]:
        result = check()
        if result is None:
            return []
        return [result] if isinstance(result, PreflightItem) else list(result)

    try:
        yield from runtime.retrier.call(f"the check {name} of {remote}", run)
    except WheelrelayError as error:
        yield failed_by(error, name, remote)


def failed_by(error: WheelrelayError, check: str, remote: str, project: str | None = None) -> PreflightItem:
    """Return the result of a check that an error ended."""
    is_temporary = isinstance(error, Unavailable | TimedOut)
    verdict = Verdict.UNKNOWN if is_temporary else Verdict.FAIL
    return PreflightItem(check, verdict, error.message, remote, project, error.hint)


def renamed(file: DistFile, version: Version) -> DistFile:
    """Return a file as it may be called in another version."""
    from wheelrelay.filenames import dist_file

    name, old, *tags = file.filename.split("-")
    suffix = old.removeprefix(str(file.version)) if not tags else ""
    new = dist_file("-".join([name, f"{version}{suffix}", *tags]), project=file.project)
    return replace(new, size=file.size)
