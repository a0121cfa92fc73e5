"""Which checks there are: those of wheelrelay and those of other installed distributions, alike."""

import difflib
import logging
from functools import cache

from wheelrelay.checks.check import Check, Violation
from wheelrelay.checks.contract import FileChecks, ReleaseChecks
from wheelrelay.errors import PluginLoadError
from wheelrelay.plugins import CHECK_GROUP, Plugin, installed_plugins
from wheelrelay.records import Severity

logger = logging.getLogger(__name__)

FAILED = Check(
    "check-failed",
    "Every installed check can be loaded, and comes to an end.",
    hint="This is a fault of the check, not of the file: report it to those who maintain the check.",
    below=Severity.WARNING,
)
OUR_FAULT = (
    "This is a fault of wheelrelay, not of the file: report it with the file's name and what -vv shows. "
    'Until it is mended, ignore = ["check-failed"] lets the file pass without these checks.'
)


@cache
def families() -> dict[str, FileChecks | ReleaseChecks]:
    """The installed checks by the name of their entry point, imported.

    Raises:
        PluginLoadError: one cannot be imported, or is no checks; nothing may pass for checked then.
        DuplicateBackend: two distributions provide checks of one name.
    """
    return {name: _load(plugin) for name, plugin in installed_plugins(CHECK_GROUP).items()}


def file_checks() -> dict[str, FileChecks]:
    """The checks of single files whose needs are met, by name."""
    return {
        name: family
        for name, family in families().items()
        if isinstance(family, FileChecks) and family.is_available
    }


def release_checks() -> dict[str, ReleaseChecks]:
    """The checks of whole releases, by name."""
    return {name: family for name, family in families().items() if isinstance(family, ReleaseChecks)}


def all_checks() -> tuple[Check, ...]:
    """Every check, sorted by id: for tables, and to know which ids there are."""
    checks = [check for family in families().values() for check in family.checks]
    return tuple(sorted([*checks, FAILED], key=lambda check: check.id))


def unknown_check(given: str) -> str:
    """The sentence that there is no check of this id, with the nearest that there is."""
    ids = [check.id for check in all_checks()]
    near = difflib.get_close_matches(given, ids, n=1, cutoff=0.5)
    meant = f"did you mean {near[0]!r}?" if near else "the README lists all checks"
    return f"there is no check {given!r}; {meant}"


def failed(name: str, error: BaseException) -> Violation:
    """What is found when a family of checks fails instead of finding something; the log has the traceback."""
    logger.debug("The checks %r failed.", name, exc_info=error)
    said = f"{type(error).__name__}: {error}".rstrip(".: ")
    plugin = installed_plugins(CHECK_GROUP).get(name)
    hint = OUR_FAULT if plugin and plugin.package == "wheelrelay" else None
    return FAILED.violation(f"The checks {name!r} failed: {said}.", hint=hint)


def _load(plugin: Plugin) -> FileChecks | ReleaseChecks:
    loaded = plugin.load()
    if not isinstance(loaded, FileChecks | ReleaseChecks):
        raise PluginLoadError(f"{plugin.name!r} from {plugin.package} names no FileChecks or ReleaseChecks.")
    return loaded
