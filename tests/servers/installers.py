"""The installers pip and uv, isolated from the settings of this machine."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.servers.process import script

_FOREIGN = ("PIP_", "UV_", "PYTHONPATH", "VIRTUAL_ENV", "REQUESTS_", "SSL_", "HTTP", "http", "no_proxy")


def pip_install(target: Path, *arguments: str) -> list[str]:
    """Install into ``target`` with pip, without builds, and return the names of the dist-info folders."""
    _run(
        [sys.executable, "-m", "pip", "install", "--isolated", "--no-input", "--disable-pip-version-check"],
        ["--only-binary=:all:", "--no-cache-dir", "--target", str(target), *arguments],
    )
    return installed(target)


def pip_download(target: Path, *arguments: str) -> list[str]:
    """Download wheels into ``target`` with pip, and return their names."""
    _run(
        [sys.executable, "-m", "pip", "download", "--isolated", "--no-input", "--disable-pip-version-check"],
        ["--only-binary=:all:", "--no-cache-dir", "--dest", str(target), *arguments],
    )
    return sorted(path.name for path in target.iterdir())


def pip_resolve(*arguments: str) -> str:
    """Return what pip would install; this needs only metadata."""
    return _run(
        [sys.executable, "-m", "pip", "install", "--isolated", "--no-input", "--disable-pip-version-check"],
        ["--only-binary=:all:", "--no-cache-dir", "--dry-run", "--ignore-installed", "--quiet"],
        ["--report", "-", *arguments],
    )


def uv_install(target: Path, *arguments: str) -> list[str]:
    """Install into ``target`` with uv, and return the names of the dist-info folders."""
    _run(
        [script("uv"), "pip", "install", "--no-config", "--no-cache", "--no-progress"],
        ["--python", sys.executable, "--only-binary", ":all:", "--target", str(target), *arguments],
    )
    return installed(target)


def installed(target: Path) -> list[str]:
    """Return the sorted distributions in a folder as ``name-version``."""
    return sorted(path.name.removesuffix(".dist-info") for path in target.glob("*.dist-info"))


def _run(*parts: Sequence[str]) -> str:
    command = [argument for part in parts for argument in part]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**clean, "PIP_CONFIG_FILE": os.devnull, "UV_HTTP_RETRIES": "0"},
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout}\n{done.stderr}")
    return done.stdout
