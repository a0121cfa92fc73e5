"""Parts of what lies at an address (RFC 9110, section 14)."""


def part_wanted(start: int, stop: int | None) -> str:
    """The ``Range`` header that asks for a part.

    >>> part_wanted(100, 200), part_wanted(100, None)
    ('bytes=100-199', 'bytes=100-')
    """
    return f"bytes={start}-{'' if stop is None else stop - 1}"


def is_part_from(start: int, given: str) -> bool:
    """Whether a ``Content-Range`` header speaks of a part from byte ``start`` on; empty if there is none.

    >>> is_part_from(100, "bytes 100-199/1000"), is_part_from(100, "bytes 0-999/1000"), is_part_from(100, "")
    (True, False, False)
    """
    return given.strip().lower().startswith(f"bytes {start}-")
