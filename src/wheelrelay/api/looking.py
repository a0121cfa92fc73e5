"""Look at what is somewhere: list it, and hold it against the rules."""

from collections.abc import Sequence
from threading import Event

from wheelrelay.api.connect import Requirements, opened_source
from wheelrelay.backends.paths import Pathlike, find_paths
from wheelrelay.checks import ChecksConfig, check_files
from wheelrelay.config import RemoteLike, as_remote
from wheelrelay.model import DistFile
from wheelrelay.protocols import Source, SupportsInventory
from wheelrelay.records import Finding
from wheelrelay.select import Selection, parse_requirement
from wheelrelay.steps.events import silent
from wheelrelay.steps.plan import chosen_files
from wheelrelay.steps.retry import Patience, Persistence

LOOKS = 3
"""How often to look at a place that fails: somebody is waiting for the answer."""


def list_files(
    remote: RemoteLike, requirements: Requirements = (), *, with_digests: bool = False
) -> list[DistFile]:
    """What is there.

    Args:
        remote: where to look.
        requirements: which projects and versions; none means all that is there.
        with_digests: ask for digests also where that means reading the files, as in a directory.

    Raises:
        NothingMatched: there is none; says what comes nearest.
        ConfigError: the remote cannot be read.
        BackendError: the remote fails.
    """
    selection = Selection(requirements=tuple(parse_requirement(str(wanted)) for wanted in requirements))
    with opened_source(as_remote(remote)) as origin:
        persistence = Persistence(Patience(attempts=LOOKS), silent, Event())
        return persistence.insist(
            f"the files of {origin.name}", lambda: _read(origin.source, selection, with_digests=with_digests)
        )


def check(paths: Sequence[Pathlike], asked: ChecksConfig | None = None) -> list[Finding]:
    """Everything that is wrong with local distribution files, each by itself and all together.

    Args:
        paths: distribution files, directories that hold some, or glob patterns.
        asked: which checks, and which limits; everything that PyPI asks for if not given.

    Raises:
        ConfigError: a path leads to no distribution file.
    """
    return check_files(find_paths(paths).paths(), asked)


def _read(source: Source, selection: Selection, *, with_digests: bool) -> list[DistFile]:
    files = chosen_files(source, selection, one_version=False)
    if with_digests and isinstance(source, SupportsInventory):
        known = {
            file.filename: file
            for project in sorted({file.project for file in files if file.sha256 is None})
            for file in source.inventory(project)
        }
        files = [known.get(file.filename, file) for file in files]
    return files
