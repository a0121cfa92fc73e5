"""A real gpg with a keyring of its own, which ends with the test."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Keyring:
    """A gpg home folder.

    Attributes:
        home: the folder; its path is short, for sockets lie in it.
    """

    home: Path

    def run(self, *arguments: str | Path, given: bytes = b"") -> bytes:
        """What gpg prints with these arguments."""
        command = ["gpg", "--homedir", str(self.home), "--batch", "--quiet", *map(str, arguments)]
        return subprocess.run(command, input=given, check=True, capture_output=True).stdout

    def new_key(self, who: str, *, passphrase: str = "", expires: str = "never") -> str:
        """Make a key for signing, and give its fingerprint."""
        secret = ("--pinentry-mode", "loopback", "--passphrase", passphrase)
        self.run(*secret, "--quick-generate-key", who, "ed25519", "sign", expires)
        lines = self.run("--with-colons", "--list-keys", who).decode().splitlines()
        return next(line.split(":")[9] for line in lines if line.startswith("fpr:"))

    def sign(self, path: Path, *, key: str) -> Path:
        """Put a signature beside a file, as people do by hand."""
        self.run("--yes", "--armor", "--local-user", key, "--detach-sign", path)
        return path.with_name(f"{path.name}.asc")

    def forget_passphrases(self) -> None:
        """Let the agent ask again, with the settings that are in its folder now."""
        subprocess.run(["gpgconf", "--homedir", str(self.home), "--kill", "gpg-agent"], check=True)

    def wait_until_expired(self, key: str) -> None:
        """Wait, a second or two, until a key is no longer valid."""
        while b"\npub:e:" not in b"\n" + self.run("--with-colons", "--list-keys", key):
            time.sleep(0.2)

    def is_good(self, path: Path, signature: bytes) -> bool:
        """Whether a signature is one of a file, by a key of this keyring."""
        command = ["gpg", "--homedir", str(self.home), "--batch", "--verify", "-", str(path)]
        return subprocess.run(command, input=signature, check=False, capture_output=True).returncode == 0


@contextmanager
def run_gpg() -> Iterator[Keyring]:
    """An empty keyring; its agent is ended with the context.

    Raises:
        RuntimeError: there is no gpg on this machine.
    """
    if shutil.which("gpg") is None or shutil.which("gpgconf") is None:
        raise RuntimeError("These tests need GnuPG. On Debian and Ubuntu: apt install gnupg")
    folder = tempfile.mkdtemp(prefix="wr-gpg-", dir="/tmp" if os.name == "posix" else None)
    try:
        yield Keyring(Path(folder))
    finally:
        subprocess.run(["gpgconf", "--homedir", folder, "--kill", "all"], check=False)
        shutil.rmtree(folder, ignore_errors=True)
