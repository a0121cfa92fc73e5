"""Words that lines for people are made of."""


def counted(number: int, what: str = "file") -> str:
    """``1 file``, ``2 files``."""
    return f"{number} {what}{'s' if number != 1 else ''}"
