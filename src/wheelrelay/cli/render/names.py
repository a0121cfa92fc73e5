"""Shorten the names of distribution files to the width of a terminal, and keep what differs: the tags."""

from collections.abc import Iterator
from itertools import product

MIN_STARTS = (8, 3)
"""Characters of the project that a shortened name keeps: the first number if they fit."""

ELLIPSIS, ASCII_ELLIPSIS = "\u2026", "..."

_SUFFIXES = (".tar.gz", ".whl", ".zip", ".tar.bz2", ".tgz", ".json")


def shortened(filename: str, width: int, *, ellipsis: str = ELLIPSIS) -> str:
    """Return a filename in at most ``width`` characters.

    The beginning of the project and the end of the name stay: version, tags and suffix. If that is too long,
    the version is left out, and of several platform tags only the first is kept. Words that follow the name,
    such as ``and 3 more``, stay.

    >>> shortened("scikit_image-0.25.0-cp312-cp312-win_amd64.whl", 40)
    'scikit_image\u2026-cp312-cp312-win_amd64.whl'
    >>> shortened("scikit_image-0.25.0.tar.gz", 22)
    'scikit_\u2026-0.25.0.tar.gz'
    """
    if len(filename) <= width:
        return filename
    filename, space, words = filename.partition(" ")
    if words:
        return f"{shortened(filename, width - len(words) - 1, ellipsis=ellipsis)}{space}{words}"
    project = filename.partition("-")[0]
    for start, (end, has_version) in product(MIN_STARTS, _ends(filename, ellipsis)):
        if has_version and len(project) + len(end) <= width:
            return f"{project}{end}"
        room = width - len(end) - len(ellipsis)
        if room >= start:
            return f"{project[:room]}{ellipsis}{end}"
    kept = max(width - len(ellipsis), 0)
    start = kept // 3
    return f"{filename[:start]}{ellipsis}{filename[len(filename) - (kept - start) :]}"[: max(width, 0)]


def _ends(filename: str, ellipsis: str) -> Iterator[tuple[str, bool]]:
    """Yield what may remain of the end of a filename, and whether it has the version; the longest first."""
    suffix = next((suffix for suffix in _SUFFIXES if filename.endswith(suffix)), "")
    parts = filename.removesuffix(suffix).split("-")
    tags = parts[-3:] if suffix == ".whl" and len(parts) >= 5 else []
    version = parts[1 : len(parts) - len(tags)]
    platforms = tags[-1].split(".") if tags else []
    first_platform = [*tags[:-1], f"{platforms[0]}{ellipsis}"] if len(platforms) > 1 else tags
    for kept in ([*version, *tags], [*version, *first_platform], tags, first_platform):
        if kept:
            yield f"-{'-'.join(kept)}{suffix}", kept[: len(version)] == version
