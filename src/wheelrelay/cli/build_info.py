"""Read the build information that a user passes as `--build key=value`."""

from wheelrelay.errors import ConfigError


def parse_build_info(pairs: tuple[str, ...]) -> dict[str, str]:
    """Read ``key=value`` pairs.

    Raises:
        ConfigError: one is not a pair, or its key is not plain.
    """
    build = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.isidentifier() or not key.isascii() or not value.isprintable():
            raise ConfigError(
                f"{pair!r} is not build information.", hint="Write key=value, as in commit=1f2e3d."
            )
        build[key.lower()] = value
    return build
