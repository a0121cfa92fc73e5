"""The installed checks: those of wheelrelay and those of other distributions, through entry points."""

import difflib
import logging
from functools import cache

from wheelrelay.checks.contract import Check, FileChecks, ReleaseChecks, Violation
from wheelrelay.errors import PluginLoadError
from wheelrelay.plugins import CHECK_GROUP, Plugin, installed_plugins
from wheelrelay.records import Severity
from wheelrelay.version import DOCUMENTATION, PROJECT

logger = logging.getLogger(__name__)

CHECK_FAILED = Check(
    "check-failed",
    "Every check runs without an error.",
    hint="This is a bug in the check, not a problem of the file. Report it to the maintainers of the check.",
    lenient_severity=Severity.WARNING,
)
_BUG_HINT = (
    "This is a bug in wheelrelay, not a problem of the file. Report it with the filename and the output of "
    '-vv. To publish without these checks, set ignore = ["check-failed"].'
)


@cache
def families() -> dict[str, FileChecks | ReleaseChecks]:
    """Import the installed checks and return them by the name of their entry point.

    Raises:
        PluginLoadError: One cannot be imported, or is not a family of checks.
        DuplicateBackend: Two distributions provide checks with the same name.
    """
    return {name: _load(plugin) for name, plugin in installed_plugins(CHECK_GROUP).items()}


def file_checks() -> dict[str, FileChecks]:
    """Return the checks of single files whose required module is installed, by name."""
    return {
        name: family
        for name, family in families().items()
        if isinstance(family, FileChecks) and family.is_available
    }


def release_checks() -> dict[str, ReleaseChecks]:
    """Return the checks of whole releases, by name."""
    return {name: family for name, family in families().items() if isinstance(family, ReleaseChecks)}


def all_checks() -> tuple[Check, ...]:
    """Return every installed check, sorted by id."""
    checks = [check for family in families().values() for check in family.checks]
    return tuple(sorted([*checks, CHECK_FAILED], key=lambda check: check.id))


def unknown_check(check_id: str) -> str:
    """Return a message about an unknown id, with the most similar known one."""
    ids = [check.id for check in all_checks()]
    similar = difflib.get_close_matches(check_id, ids, n=1, cutoff=0.5)
    advice = (
        f"did you mean {similar[0]!r}?"
        if similar
        else f"{DOCUMENTATION}reference/checks.html lists all checks"
    )
    return f"unknown check {check_id!r}; {advice}"


def check_failed(name: str, error: BaseException) -> Violation:
    """Return the violation for a family of checks that raised an error, and log the traceback."""
    logger.debug("The checks %r failed.", name, exc_info=error)
    reason = f"{type(error).__name__}: {error}".rstrip(".: ")
    hint = _BUG_HINT if provider_of(name) == PROJECT else None
    return CHECK_FAILED.violation(f"The checks {name!r} failed: {reason}.", hint=hint)


def provider_of(name: str) -> str:
    """Return the distribution that a family of checks is from; empty if the family is not installed."""
    plugin = installed_plugins(CHECK_GROUP).get(name)
    return plugin.package if plugin else ""


def _load(plugin: Plugin) -> FileChecks | ReleaseChecks:
    family = plugin.load()
    if not isinstance(family, FileChecks | ReleaseChecks):
        raise PluginLoadError(
            f"The entry point {plugin.name!r} of {plugin.package} is not a FileChecks or ReleaseChecks."
        )
    return family
