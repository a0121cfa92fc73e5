"""The contract for checks, those here and those of others: what they are, and what they are given.

An entry point of the group ``wheelrelay.checks`` names a `FileChecks` or a `ReleaseChecks`: a few checks
that belong together, and the function that finds what breaks them::

    ICON_SIZE = Check("icon-size", "Icons are at most 1 MiB large.", hint="Make them smaller.")

    def find(distribution: Distribution) -> Iterator[Violation]:
        for path, member in distribution.members.items():
            if path.endswith(".ico") and member.size > 1 << 20:
                yield ICON_SIZE.violation(f"{path} has {member.size} bytes.")

    ICONS = FileChecks((ICON_SIZE,), find)
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib.util import find_spec

from wheelrelay.checks.check import Check, Violation
from wheelrelay.checks.distribution import Distribution
from wheelrelay.model import DistFile
from wheelrelay.records import Finding


@dataclass(frozen=True, slots=True)
class FileChecks:
    """Checks of one file at a time.

    Attributes:
        checks: the rules.
        find: finds what breaks them; must not fail on anything that a file may hold, and if it does,
            this is reported as a finding of its own. Called by several threads at once.
        needs: the module that has to be installed for these checks; without it they say nothing.
    """

    checks: tuple[Check, ...]
    find: Callable[[Distribution], Iterable[Violation]]
    needs: str | None = None

    @property
    def is_available(self) -> bool:
        """Whether what they need is installed."""
        return self.needs is None or _is_installed(self.needs)


@dataclass(frozen=True, slots=True)
class Inspection:
    """What remains of a distribution file after it was read and checked: a few facts and the findings.

    Attributes:
        filename: its name.
        size: in bytes.
        sha256: of the file, in hexadecimal.
        file: what the filename says; ``None`` if it is not the name of a wheel or an sdist.
        requires_python: from the metadata.
        requires_dist: from the metadata.
        dynamic: the fields, in lower case, that an sdist says may be other in the wheels.
        metadata: the core metadata as they stand in the archive, if there are some.
        variants: the labels that the list of a release's variants has (PEP 825).
        damage: what shows that these are not the bytes that were once written, if anything does.
        findings: of all file checks, whichever profile they belong to.
    """

    filename: str
    size: int
    sha256: str
    file: DistFile | None = None
    requires_python: str | None = None
    requires_dist: tuple[str, ...] = ()
    dynamic: frozenset[str] = frozenset()
    variants: frozenset[str] = frozenset()
    metadata: bytes | None = field(default=None, repr=False)
    damage: str | None = None
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class ReleaseContext:
    """What is known around a release; the empty one knows of no sink and expects nothing.

    Attributes:
        there: the files of the project that the sink holds already, all versions.
        status: the project's status at the sink (PEP 792), as ``quarantined``, if it has one.
        now: the time of the run.
        max_file_size: bytes that a file may have at the sink, if there is a limit.
        max_project_size: bytes that all files of the project may have at the sink, if there is a limit.
        commits: the commit that each file was built from, by filename, as far as known.
        commit: the commit that all files have to be built from, if one was asked for.
        sums: the sha256 that each file has to have, by filename, if a list was given.
    """

    there: tuple[DistFile, ...] = ()
    status: str | None = None
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    max_file_size: int | None = None
    max_project_size: int | None = None
    commits: Mapping[str, str] = field(default_factory=dict)
    commit: str | None = None
    sums: Mapping[str, str] | None = None

    def is_there(self, inspection: Inspection) -> bool:
        """Whether the sink has the very file, so that it would not be sent."""
        return any(
            file.filename == inspection.filename and file.sha256 in (None, inspection.sha256)
            for file in self.there
        )


@dataclass(frozen=True, slots=True)
class ReleaseChecks:
    """Checks of all files of one release together.

    Attributes:
        checks: the rules.
        find: finds what breaks them, as in `FileChecks`.
    """

    checks: tuple[Check, ...]
    find: Callable[[Sequence[Inspection], ReleaseContext], Iterable[Violation]]


@cache
def _is_installed(module: str) -> bool:
    return find_spec(module) is not None
