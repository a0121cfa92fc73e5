"""Find Python interpreters on this machine."""

import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from wheelrelay.environments import Interpreter
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.tools.environment import clean_environment
from wheelrelay.tools.processes import run_limited
from wheelrelay.tools.uv import find_uv

TIMEOUT = 60.0
"""Seconds for an interpreter to tell its version."""

_VERSION = re.compile(r"3\.\d+t?")
_DESCRIBE = (
    "import sys, sysconfig; print('%s %d %d %d' % (sys.implementation.name, *sys.version_info[:2], "
    "bool(sysconfig.get_config_var('Py_GIL_DISABLED'))))"
)
_DESCRIPTION = re.compile(r"cpython (\d) (\d+) ([01])")


@dataclass(frozen=True, slots=True)
class FoundInterpreter:
    """An interpreter on this machine.

    Attributes:
        path: Its path.
        interpreter: What it is.
    """

    path: str
    interpreter: Interpreter


def is_version(text: str) -> bool:
    """Return whether a text is a version of Python, such as ``3.13`` or ``3.13t``, and not a path."""
    return _VERSION.fullmatch(text) is not None


def find_interpreter(text: str, folder: Path) -> FoundInterpreter | None:
    """Return a CPython on this machine; ``None`` if there is none.

    A version is looked for on ``PATH`` as ``python3.13``, among those of uv and pyenv, and it may be the
    interpreter of wheelrelay. Nothing is downloaded.

    Args:
        text: A version, such as ``3.13``, or the path of an interpreter.
        folder: A working directory.
    """
    candidates = _candidates(text, folder) if is_version(text) else iter([os.path.expanduser(text)])
    for path in dict.fromkeys(candidates):
        interpreter = _described(path, folder)
        if interpreter and (not is_version(text) or interpreter.label == f"CPython {text}"):
            return FoundInterpreter(path, interpreter)
    return None


def _candidates(version: str, folder: Path) -> Iterator[str]:
    yield sys.executable
    if path := shutil.which(f"python{version}"):
        yield path
    uv = find_uv()
    if uv is not None:
        command = [
            uv,
            "python",
            "find",
            "--quiet",
            "--no-config",
            "--no-python-downloads",
            "--system",
            version,
        ]
        ended = run_limited(command, environment=clean_environment(), folder=folder, timeout=TIMEOUT)
        if ended.code == 0:
            yield ended.last_line
    root = Path(os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv"))
    for found in sorted((root / "versions").glob(f"{version.rstrip('t')}*/bin/python"), reverse=True):
        yield str(found)


def _described(path: str, folder: Path) -> Interpreter | None:
    """Return what an interpreter is; ``None`` if it is not a CPython or cannot be run."""
    command = [path, "-I", "-c", _DESCRIBE]
    try:
        ended = run_limited(command, environment=clean_environment(), folder=folder, timeout=TIMEOUT)
    except OSError:
        return None
    match = _DESCRIPTION.fullmatch(ended.last_line)
    if ended.code != 0 or match is None:
        return None
    tag = f"cp{match[1]}{match[2]}"
    return Interpreter(tag, f"{tag}t" if match[3] == "1" else tag)
