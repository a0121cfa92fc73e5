"""Replace the names of Python parameters in messages by the options of the command line.

The library is also called from Python, so its messages name parameters, in backticks: `` `jobs` ``,
`` `allow_unexpected=True` `` or, for the parameter of another function, `` `push(replace=True)` ``.
"""

import re

PARAMETERS = frozenset(
    {
        "allow_unexpected",
        "confirm_timeout",
        "download",
        "identity",
        "jobs",
        "mode",
        "profile",
        "replace",
        "sign",
        "sign_with",
        "wait",
        "wheels",
    }
)
"""The parameters of the Python API that are options of the same name, with dashes."""

_ASSIGNED = re.compile(r"`(?:(?P<command>[a-z]+)\()?(?P<name>[a-z_]+)=(?P<value>[^`\s()]+)\)?`")
_ALONE = re.compile(r"`(?P<name>jobs|identity|sign_with|confirm_timeout|allow_unexpected)`")


def with_option_names(text: str) -> str:
    """Return a message with options in place of Python parameters.

    >>> with_option_names("Pass `allow_unexpected=True`, or use `push(replace=True)`.")
    'Pass `--allow-unexpected`, or use `wheelrelay push --replace`.'
    >>> with_option_names("`jobs` must be 1 or more.")
    '`--jobs` must be 1 or more.'
    """
    return _ALONE.sub(lambda match: f"`{_option(match['name'])}`", _ASSIGNED.sub(_assignment, text))


def _assignment(match: re.Match[str]) -> str:
    if match["name"] not in PARAMETERS:
        return match[0]
    command = f"wheelrelay {match['command']} " if match["command"] else ""
    value = "" if match["value"] == "True" else f" {match['value'].strip(chr(34))}"
    return f"`{command}{_option(match['name'])}{value}`"


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"
