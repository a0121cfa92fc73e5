"""What a user says of where a build comes from."""

from wheelrelay.errors import ConfigError


def parse_origin(pairs: tuple[str, ...]) -> dict[str, str]:
    """Read ``key=value`` pairs.

    Raises:
        ConfigError: one is not a pair, or its key is not plain.
    """
    origin = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.isidentifier() or not key.isascii() or not value.isprintable():
            raise ConfigError(f"{pair!r} is not an origin.", hint="Write key=value, as in commit=1f2e3d.")
        origin[key.lower()] = value
    return origin
