"""The environment variables of other programs."""

import os
from collections.abc import Iterator
from pathlib import Path

_SYSTEM = (
    *("PATH", "LANG", "LANGUAGE", "TZ", "TERM"),
    *("SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "NUMBER_OF_PROCESSORS"),
    *("PROCESSOR_ARCHITECTURE", "PROGRAMDATA", "PROGRAMFILES"),
)
"""Variables that every program needs."""

_TOOLS = (
    *("HOME", "USER", "LOGNAME", "TMPDIR", "TEMP", "TMP", "APPDATA", "LOCALAPPDATA", "USERPROFILE"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"),
    *("XDG_CACHE_HOME", "XDG_DATA_HOME", "UV_CACHE_DIR", "UV_SYSTEM_CERTS", "UV_NATIVE_TLS"),
    *("UV_PYTHON_INSTALL_DIR", "PIP_CACHE_DIR", "PIP_CERT"),
)
"""Variables that installers need: their caches, and how they reach an index."""


def clean_environment(**added: str) -> dict[str, str]:
    """Return the environment for an installer: without secrets, and without settings that change its result.

    Args:
        added: Further variables.
    """
    return {**dict(_kept(*_SYSTEM, *_TOOLS)), **added}


def foreign_environment(folder: Path, **added: str) -> dict[str, str]:
    """Return the environment for a program that is not trusted, with an empty home folder.

    The program still has the rights of the user: nothing keeps it from reading the user's files.

    Args:
        folder: The folder that it takes for its home, and for temporary files.
        added: Further variables.
    """
    names = ("HOME", "USERPROFILE", "TMPDIR", "TEMP", "TMP")
    return {**dict(_kept(*_SYSTEM)), **dict.fromkeys(names, str(folder)), **added}


def _kept(*names: str) -> Iterator[tuple[str, str]]:
    for name, value in os.environ.items():
        if name.upper() in names or name.upper().startswith("LC_"):
            yield name, value
