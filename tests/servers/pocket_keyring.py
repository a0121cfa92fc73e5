"""A keyring in a file: what ``POCKET_KEYRING`` names holds services with user names and passwords, as JSON.

Switched on by ``PYTHON_KEYRING_BACKEND=tests.servers.pocket_keyring.Keyring``.
"""

import json
import os
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.credentials import SimpleCredential
from keyring.errors import KeyringLocked

LOCKED = "locked"


class Keyring(KeyringBackend):
    """The keyring; where its file only says that it is locked, it is."""

    priority = 1

    def get_password(self, service: str, username: str) -> str | None:
        """The password of a user of a service."""
        content = json.loads(Path(os.environ["POCKET_KEYRING"]).read_text(encoding="utf-8"))
        if content == LOCKED:
            raise KeyringLocked
        password: str | None = content.get(service, {}).get(username)
        return password

    def set_password(self, service: str, username: str, password: str) -> None:
        """Nobody stores anything here but the test itself."""
        raise NotImplementedError

    def get_credential(self, service: str, username: str | None) -> SimpleCredential | None:
        """The user's, or anybody's if none is named."""
        if username is None:
            content = json.loads(Path(os.environ["POCKET_KEYRING"]).read_text(encoding="utf-8"))
            username = next(iter(content.get(service, {})), "")
        password = self.get_password(service, username)
        return SimpleCredential(username, password) if password else None
