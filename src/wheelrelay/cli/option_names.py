"""Replace the names of Python parameters in messages by the options of the command line.

The library is also called from Python, so its messages name parameters, in backticks: `` `jobs` ``,
`` `allow_unexpected=True` `` or, for a parameter of another callable, `` `push(replace=True)` ``.
"""

import re

OPTIONS = {
    "allow_unexpected": "--allow-unexpected",
    "confirm_timeout": "--confirm-timeout",
    "download": "--download",
    "identity": "--identity",
    "jobs": "--jobs",
    "mode": "--mode",
    "profile": "--profile",
    "program": "--sign-with",
    "replace": "--replace",
    "shard": "--shard",
    "sign": "--sign",
    "wait": "--wait",
    "wheels": "--wheels",
}
"""The options by the names of parameters."""

_ASSIGNED = re.compile(r"`(?:(?P<callable>\w+)\()?(?P<name>[a-z_]+)=(?P<value>[^`\s()]+)\)?`")
_ALONE = re.compile(r"`(?P<name>jobs|confirm_timeout|allow_unexpected)`")


def with_option_names(text: str) -> str:
    """Return a message with options in place of Python parameters.

    >>> with_option_names("Pass `allow_unexpected=True`, or use `push(replace=True)`.")
    'Pass `--allow-unexpected`, or use `wheelrelay push --replace`.'
    >>> with_option_names("Choose a key with `Signer(identity=...)`.")
    'Choose a key with `--identity`.'
    >>> with_option_names("`jobs` is 0, but must be at least 1.")
    '`--jobs` is 0, but must be at least 1.'
    """
    return _ALONE.sub(lambda match: f"`{OPTIONS[match['name']]}`", _ASSIGNED.sub(_assignment, text))


def _assignment(match: re.Match[str]) -> str:
    option = OPTIONS.get(match["name"])
    if option is None:
        return match[0]
    is_function = match["callable"] and match["callable"].islower()  # a command has the same name
    command = f"wheelrelay {match['callable']} " if is_function else ""
    value = "" if match["value"] in ("True", "...") else f" {match['value'].strip(chr(34))}"
    return f"`{command}{option}{value}`"
