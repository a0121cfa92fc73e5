"""Check local distribution files without a network."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from wheelrelay.backends.local.paths import Pathlike, find_paths
from wheelrelay.checks.policy import PYPI_POLICY, CheckPolicy
from wheelrelay.checks.run import check_files
from wheelrelay.records import Finding

if TYPE_CHECKING:
    from wheelrelay.checks.config import ChecksConfig  # imports pydantic


def check(paths: Sequence[Pathlike], config: "ChecksConfig | None" = None) -> list[Finding]:
    """Check local distribution files, each on its own and all together.

    Args:
        paths: Distribution files, directories that contain some, or glob patterns.
        config: Profile, limits and checks to ignore. [default: the profile ``pypi``]

    Returns:
        The errors and warnings; empty if there are none.

    Raises:
        ConfigError: A path leads to no distribution file.
    """
    return check_by_policy(paths, config.policy() if config else PYPI_POLICY)


def check_by_policy(paths: Sequence[Pathlike], policy: CheckPolicy) -> list[Finding]:
    """Check local distribution files; see `check`."""
    files = find_paths(paths)
    return [*check_files(files.paths(), policy), *files.dangling()]
