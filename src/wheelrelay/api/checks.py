"""Check local distribution files without a network."""

from collections.abc import Sequence

from wheelrelay.backends.local.paths import Pathlike, find_paths
from wheelrelay.checks import ChecksConfig, check_files
from wheelrelay.records import Finding


def check(paths: Sequence[Pathlike], config: ChecksConfig | None = None) -> list[Finding]:
    """Check local distribution files, each on its own and all together.

    Args:
        paths: Distribution files, directories that contain some, or glob patterns.
        config: Profile, limits and checks to ignore. [default: the profile ``pypi``]

    Returns:
        The errors and warnings; empty if there are none.

    Raises:
        ConfigError: A path leads to no distribution file.
    """
    files = find_paths(paths)
    return [*check_files(files.paths(), (config or ChecksConfig()).policy()), *files.dangling()]
