"""Hold local distribution files against the rules, without going anywhere."""

from collections.abc import Sequence

from wheelrelay.backends.local.paths import Pathlike, find_paths
from wheelrelay.checks import ChecksConfig, check_files
from wheelrelay.records import Finding


def check(paths: Sequence[Pathlike], asked: ChecksConfig | None = None) -> list[Finding]:
    """Everything that is wrong with local distribution files, each by itself and all together.

    Args:
        paths: distribution files, directories that hold some, or glob patterns.
        asked: which checks, and which limits; everything that PyPI asks for if not given.

    Raises:
        ConfigError: a path leads to no distribution file.
    """
    found = find_paths(paths)
    return [*check_files(found.paths(), (asked or ChecksConfig()).policy()), *found.dangling()]
