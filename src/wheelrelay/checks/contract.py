"""The contract for checks, both the built-in ones and those of other packages.

How to write a check
--------------------
Declare the rule as a `Check`, write a function that yields a `Violation` for each file that breaks it, and
combine both in a `FileChecks`:

>>> from wheelrelay.checks import Check, FileChecks
>>> ICON_SIZE = Check("icon-size", "Icons have at most 1 MiB.", hint="Compress the icon.")
>>> def find_large_icons(distribution):
...     for path, member in distribution.members.items():
...         if path.endswith(".ico") and member.size > 1 << 20:
...             yield ICON_SIZE.violation(f"{path} has {member.size:,} bytes.")
>>> CHECKS = FileChecks((ICON_SIZE,), find_large_icons)

It reports a violation for each large icon:

>>> from pathlib import Path
>>> from tempfile import TemporaryDirectory
>>> from wheelrelay.checks import inspect
>>> from wheelrelay.testing import make_wheel
>>> with TemporaryDirectory() as folder:
...     wheel = make_wheel(Path(folder), files={"sample/app.ico": bytes(2 << 20)})
...     inspect(wheel, families={"icons": CHECKS}).findings[0].message
'sample/app.ico has 2,097,152 bytes.'

To install it, name ``CHECKS`` in an entry point of the package:

.. code-block:: toml

    [project.entry-points."wheelrelay.checks"]
    icons = "icon_checks:CHECKS"

A check that needs all files of a release, or the files that the sink already has, is a `ReleaseChecks`.

The text of a check is a rule in the present tense. A message names the problem and where it is. A hint
tells users what to do. Each is one or more full sentences.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING

from wheelrelay.checks.published import PublishedFiles
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.model import DistFile
from wheelrelay.records import Finding, Severity
from wheelrelay.version import PROJECT

if TYPE_CHECKING:  # a configuration needs the profiles, and reads no archive
    from wheelrelay.checks.distribution import Distribution


class Profile(StrEnum):
    """A set of checks with their severities.

    ``pypi`` checks everything that PyPI refuses; ``index`` what an index or an installer cannot handle;
    ``storage`` only what makes a file unsafe or a different file than its name claims.
    """

    PYPI = "pypi"
    INDEX = "index"
    STORAGE = "storage"


STRICTNESS = {Profile.STORAGE: 0, Profile.INDEX: 1, Profile.PYPI: 2}
"""The order of the profiles: each includes the checks of the less strict ones."""


@dataclass(frozen=True, slots=True)
class Check:
    """One rule for a file or a release.

    Attributes:
        id: a stable id, in lower case with hyphens.
        text: the rule, as one sentence.
        hint: what to do about a violation.
        severity: whether a violation blocks publishing.
        profile: the least strict profile in which the severity applies; it also applies in stricter ones.
        lenient_severity: the severity in less strict profiles; ``None`` if they do not have the check.
    """

    id: str
    text: str
    hint: str
    severity: Severity = Severity.ERROR
    profile: Profile = Profile.INDEX
    lenient_severity: Severity | None = None

    def violation(self, message: str, *, filename: str | None = None, hint: str | None = None) -> "Violation":
        """Return a violation of this rule.

        Args:
            message: what is wrong and where, as a full sentence.
            filename: the distribution file, if the check looks at several.
            hint: what to do, if that differs from the hint of the check.
        """
        return Violation(self, message, filename, hint or self.hint)

    def severity_in(self, profile: Profile) -> Severity | None:
        """Return the severity in a profile; ``None`` if the profile does not have this check."""
        is_strict = STRICTNESS[profile] >= STRICTNESS[self.profile]
        return self.severity if is_strict else self.lenient_severity


@dataclass(frozen=True, slots=True)
class Violation:
    """One violation of a rule. The runner turns it into a `wheelrelay.records.Finding`.

    Attributes:
        check: the rule.
        message: what is wrong and where.
        filename: the distribution file, if the check looks at several.
        hint: what to do about it.
    """

    check: Check
    message: str
    filename: str | None = None
    hint: str | None = None

    def finding(self, filename: str | None = None, *, provider: str = PROJECT) -> Finding:
        """Return the finding.

        Args:
            filename: used if the violation does not name a file.
            provider: the distribution that the check is from.
        """
        check, name = self.check, self.filename or filename
        return Finding(check.id, check.severity, self.message, name, self.hint, provider=provider)


@dataclass(frozen=True, slots=True)
class FileChecks:
    """Checks of one distribution file.

    Attributes:
        checks: the rules.
        find: yields the violations. It is called by several threads at once. If it raises an error, the
            error is reported as a finding, and the other checks continue.
        required_module: a module that must be installed; without it, these checks are skipped.
        all_kinds: whether the checks also apply to a list of variants (PEP 825), which is not an archive.
    """

    checks: tuple[Check, ...]
    find: Callable[["Distribution"], Iterable[Violation]]
    required_module: str | None = None
    all_kinds: bool = False

    @property
    def is_available(self) -> bool:
        """Whether the required module is installed."""
        return self.required_module is None or _is_installed(self.required_module)


@dataclass(frozen=True, slots=True)
class ReleaseChecks:
    """Checks of all files of a release together.

    Attributes:
        checks: the rules.
        find: yields the violations, as in `FileChecks`.
    """

    checks: tuple[Check, ...]
    find: Callable[[Sequence["Inspection"], "ReleaseContext"], Iterable[Violation]]


@dataclass(frozen=True, slots=True)
class Inspection:
    """The result of reading and checking one distribution file.

    Attributes:
        filename: the name under which the file is published.
        size: in bytes.
        sha256: of the file, in hexadecimal.
        file: the parsed filename; ``None`` if it is not the name of a distribution file.
        requires_python: from the metadata.
        requires_dist: from the metadata.
        dynamic: the fields, in lower case, that an sdist declares as dynamic.
        variants: the labels in a list of variants (PEP 825).
        metadata: the bytes of METADATA or PKG-INFO, if they can be read.
        damage: why the archive is damaged, as a sentence; ``None`` if it is not.
        findings: of all file checks, in every profile.
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
    """The sink that a release is published to, and the requirements for the release.

    Attributes:
        published: the files of the project that the sink already has, of all versions; `PublishedFiles`, or
            converted to it.
        project_status: the status of the project at the sink (PEP 792), such as ``quarantined``.
        is_whole_release: whether the inspected files, and those that the sink already has, are the whole
            release; not so if files are checked one by one.
        now: the time of the run.
        max_file_size: the largest file that the sink accepts, in bytes.
        max_project_size: the largest total size of the project's files at the sink, in bytes.
        commits: the commit that each file was built from, by filename, where it is known.
        required_commit: the commit that all files must be built from.
        required_sha256: the SHA-256 digest that each file must have, by filename.
    """

    published: Sequence[DistFile] = ()
    project_status: str | None = None
    is_whole_release: bool = False
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    max_file_size: int | None = None
    max_project_size: int | None = None
    commits: Mapping[str, str] = field(default_factory=dict)
    required_commit: str | None = None
    required_sha256: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.published, PublishedFiles):
            object.__setattr__(self, "published", PublishedFiles(self.published))

    @property
    def at_sink(self) -> PublishedFiles:
        """The files at the sink, with their indexes."""
        assert isinstance(self.published, PublishedFiles)
        return self.published

    def is_published(self, inspection: Inspection) -> bool:
        """Return whether the sink already has this file with the same content."""
        return self.at_sink.has(inspection.filename, inspection.sha256)


@cache
def _is_installed(module: str) -> bool:
    return find_spec(module) is not None
