"""The tree of errors, with the exit code of each."""

from generators.markdown import table
from wheelrelay import errors
from wheelrelay.cli.exits import exit_code_of


def tree() -> str:
    """Return a table of all error classes in the order of the tree."""
    return table(["error", "exit code", "retried", "meaning"], _rows(errors.WheelrelayError, 0))


def _rows(error: type[errors.WheelrelayError], depth: int) -> list[tuple[str, str, str, str]]:
    indent = "&emsp;" * depth
    link = f"{indent}[`{error.__name__}`](api/errors.md)"
    summary = (error.__doc__ or "").partition("\n")[0]
    row = (link, _exit_code(error), "yes" if error.retryable else "", summary)
    children = [child for child in error.__subclasses__() if child.__name__ in errors.__all__]
    return [row, *(line for child in children for line in _rows(child, depth + 1))]


def _exit_code(error: type[errors.WheelrelayError]) -> str:
    if error is errors.RelayFailed:
        return "4, or 1 if nothing was published"
    return str(int(exit_code_of(error.__new__(error))))
