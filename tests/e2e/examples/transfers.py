"""The configurations in ``examples/transfers``, and a folder in which their commands are run."""

import os
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

from tests.servers.pypi import PyPI

from wheelrelay.cli.config_template import toml_value
from wheelrelay.testing.samples import make_sdist, make_wheel

TRANSFERS = Path(__file__).parents[3] / "examples" / "transfers"
FILES = sorted(TRANSFERS.glob("*.toml"))

PLATFORMS = ("manylinux_2_17_x86_64", "macosx_11_0_arm64", "win_amd64")
TAGS = [f"{python}-{python}-{platform}" for python in ("cp312", "cp313") for platform in PLATFORMS]


def commands(name: str) -> list[list[str]]:
    """The commands at the top of a configuration."""
    lines = (TRANSFERS / name).read_text().splitlines()
    return [shlex.split(line.lstrip("# ")) for line in lines if line.startswith("#   wheelrelay ")]


class Work:
    """A folder in which the commands of an example are run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.dist = folder / "dist"

    def build(self, *tags: str, project: str = "sample", version: str = "1.0") -> list[str]:
        """Make a release of these wheels and an sdist in ``dist``; gives the names of its files."""
        paths = [*(make_wheel(self.dist, project, version, tag) for tag in tags)]
        paths.append(make_sdist(self.dist, project, version))
        return sorted(path.name for path in paths)

    def follow(self, name: str, changes: dict[str, dict[str, Any]], **env: str) -> list[str]:
        """Do what the top of an example says.

        Args:
            name: of the example.
            changes: keys that take the place of the example's, by table: the addresses of servers.
            env: the secrets.

        Returns:
            What each command said on standard output.
        """
        self.configure(name, changes)
        return [self.run(*command[1:], **env) for command in commands(name)]

    def configure(self, name: str, changes: dict[str, dict[str, Any]]) -> None:
        """Write the configuration of an example with these changes; see `follow`."""
        text = (TRANSFERS / name).read_text()
        for preset in [table.removeprefix("remotes.local-") for table in changes if "local-" in table]:
            # Presets keep their addresses: an index that takes the place of one has a name of its own.
            text = text.replace(f"[remotes.{preset}", f"[remotes.local-{preset}").replace(
                f'"{preset}"', f'"local-{preset}"'
            )
        document = tomllib.loads(text)
        for table, keys in changes.items():
            inner = document
            for part in table.split("."):
                inner = inner.setdefault(part, {})
            inner.update(keys)
        text = "\n".join(f"{key} = {toml_value(value)}" for key, value in document.items())
        (self.folder / "wheelrelay.toml").write_text(text)

    def run(self, *words: str, **env: str) -> str:
        """Run a command; gives what it says on standard output."""
        done = subprocess.run(
            [sys.executable, "-m", "wheelrelay", *words],
            cwd=self.folder,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **env},
        )
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout


def stand_in(index: PyPI) -> dict[str, Any]:
    """Keys of a remote that takes the place of PyPI."""
    return {"type": "index", **addresses(index), "checks": {"profile": "pypi"}}


def addresses(index: Any) -> dict[str, str]:
    return {"url": index.simple_url, "upload_url": index.upload_url}


def s3_keys(server: Any) -> dict[str, str]:
    return {"AWS_ACCESS_KEY_ID": server.access_key_id, "AWS_SECRET_ACCESS_KEY": server.secret_access_key}
