"""The folder that ``demo --keep`` makes: an incomplete release, the missing builds, a configuration."""

from pathlib import Path

from wheelrelay.disk.writing import create_file, write_errors
from wheelrelay.errors import ConfigError
from wheelrelay.testing.samples import make_sdist, make_wheel

REQUIREMENT = "sample==1.0"
LINUX = ("manylinux_2_17_x86_64", "manylinux_2_17_aarch64")
MACOS, WINDOWS = "macosx_11_0_universal2", "win_amd64"
OUTDATED = "cp39-cp39-win32"
"""The tag of a wheel that nothing expects any more."""

LICENSE = {"sample-1.0.dist-info/licenses/LICENSE": b"Do what you want.\n"}
METADATA = {"Metadata-Version": "2.4", "License-Expression": "0BSD", "License-File": "LICENSE"}

CONFIG = b"""\
[remotes.staging]              # where CI jobs push their builds
type = "directory"
path = "staging"
pages = true

[remotes.index]                # what people install from
type = "directory"
path = "index"
pages = true
checks.profile = "pypi"        # as strict as PyPI

[routes.release]
source = "staging"
sinks = ["index"]

[routes.release.expect]        # a release without one of these is refused
wheels = ["py3-none-{manylinux*_x86_64,manylinux*_aarch64,macosx_*,win_amd64}"]
sdist = true
"""


def make_demo_folder(folder: Path) -> None:
    """Make a folder with a release that must not be published yet, and with the builds that complete it.

    A wheel is missing, another one lacks its license, and a third one is not expected.

    Args:
        folder: The folder; it must not exist or must be empty.

    Raises:
        ConfigError: The folder is not empty.
        WheelrelayError: The folder cannot be written.
    """
    with write_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise ConfigError(f"{folder} is not empty.", hint="Name a folder that does not exist yet.")
    create_file(folder / "wheelrelay.toml", CONFIG)
    staging, rebuilt = folder / "staging", folder / "rebuilt"
    for platform in LINUX:
        _wheel(staging, f"py3-none-{platform}")
    make_wheel(staging, tag=f"py3-none-{MACOS}", metadata=METADATA)
    _wheel(staging, OUTDATED)
    make_sdist(staging)
    for platform in (MACOS, WINDOWS):
        _wheel(rebuilt, f"py3-none-{platform}")


def _wheel(folder: Path, tag: str) -> None:
    make_wheel(folder, tag=tag, metadata=METADATA, files=LICENSE)
