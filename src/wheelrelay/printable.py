"""Names from files in messages: shortened, and with unprintable characters escaped."""

from collections.abc import Collection

MAX_LENGTH = 120
"""Characters of a name that are shown."""

MAX_NAMES = 5
"""Names of a list that are shown."""


def printable(name: str) -> str:
    r"""Return a name or value from a file, shortened, and quoted if it has unprintable characters.

    >>> print(printable("sample.py"), printable("Icon\r"))
    sample.py 'Icon\r'
    """
    short = name if len(name) <= MAX_LENGTH else f"{name[: MAX_LENGTH - 3]}..."
    return short if short.isprintable() and short else repr(short)


def join_names(names: Collection[str]) -> str:
    """Return the first names of a list, and how many more it has.

    >>> join_names("abcdefg")
    'a, b, c, d, e and 2 more'
    """
    first = ", ".join(printable(name) for name in list(names)[:MAX_NAMES])
    return f"{first} and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else first
