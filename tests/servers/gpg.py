"""A real gpg with a temporary keyring."""

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
        home: the folder; its path is short because it contains sockets.
    """

    home: Path

    def run(self, *arguments: str | Path, given: bytes = b"") -> bytes:
        """Run gpg with these arguments and return its output."""
        command = ["gpg", "--homedir", str(self.home), "--batch", "--quiet", *map(str, arguments)]
        return subprocess.run(command, input=given, check=True, capture_output=True).stdout

    def new_key(self, who: str, *, passphrase: str = "", expires: str = "never") -> str:
        """Create a signing key and return its fingerprint."""
        secret = ("--pinentry-mode", "loopback", "--passphrase", passphrase)
        self.run(*secret, "--quick-generate-key", who, "ed25519", "sign", expires)
        lines = self.run("--with-colons", "--list-keys", who).decode().splitlines()
        return next(line.split(":")[9] for line in lines if line.startswith("fpr:"))

    def sign(self, path: Path, *, key: str) -> Path:
        """Write a detached signature next to a file."""
        self.run("--yes", "--armor", "--local-user", key, "--detach-sign", path)
        return path.with_name(f"{path.name}.asc")

    def forget_passphrases(self) -> None:
        """Let the agent reload its settings and forget passphrases."""
        subprocess.run(["gpgconf", "--homedir", str(self.home), "--kill", "gpg-agent"], check=True)

    def wait_until_expired(self, key: str) -> None:
        """Wait, for a second or two, until a key has expired."""
        while b"\npub:e:" not in b"\n" + self.run("--with-colons", "--list-keys", key):
            time.sleep(0.2)

    def is_good(self, path: Path, signature: bytes) -> bool:
        """Return whether a signature is valid for a file, by a key of this keyring."""
        command = ["gpg", "--homedir", str(self.home), "--batch", "--verify", "-", str(path)]
        return subprocess.run(command, input=signature, check=False, capture_output=True).returncode == 0


@contextmanager
def run_gpg() -> Iterator[Keyring]:
    """Yield an empty keyring; its agent ends with the context.

    Raises:
        RuntimeError: gpg is not installed.
    """
    if shutil.which("gpg") is None or shutil.which("gpgconf") is None:
        raise RuntimeError("These tests need GnuPG. On Debian and Ubuntu: apt install gnupg")
    folder = tempfile.mkdtemp(prefix="wr-gpg-", dir="/tmp" if os.name == "posix" else None)
    try:
        yield Keyring(Path(folder))
    finally:
        subprocess.run(["gpgconf", "--homedir", folder, "--kill", "all"], check=False)
        shutil.rmtree(folder, ignore_errors=True)
