"""Check local distribution files without a network."""

from collections.abc import Sequence

from typing import TYPE_CHECKING, Union

from wheelrelay.backends.local.paths import Pathlike, find_paths
from wheelrelay.checks.policy import PYPI_POLICY, CheckPolicy
from wheelrelay.checks.run import check_files
from wheelrelay.records import Finding

if TYPE_CHECKING:
    from wheelrelay.checks.config import ChecksConfig  # imports pydantic


def check(
    paths: Sequence[Pathlike], config: Union["ChecksConfig", CheckPolicy, None] = None
) -> list[Finding]:
    """Check local distribution files, each on its own and all together.

    Args:
        paths: Distribution files, directories that contain some, or glob patterns.
        config: Profile, limits and checks to ignore, as configuration or as a policy.
            [default: the profile ``pypi``]

    Returns:
        The errors and warnings; empty if there are none.

    Raises:
        ConfigError: A path leads to no distribution file.
    """
    files = find_paths(paths)
    policy = PYPI_POLICY if config is None else config if isinstance(config, CheckPolicy) else config.policy()
    return [*check_files(files.paths(), policy), *files.dangling()]
