"""A keyring in the JSON file that ``FILE_KEYRING`` names: passwords by service and user name.

Enabled by ``PYTHON_KEYRING_BACKEND=tests.servers.file_keyring.Keyring``.
"""

import json
import os
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.credentials import SimpleCredential
from keyring.errors import KeyringLocked

LOCKED = "locked"


class Keyring(KeyringBackend):
    """The keyring; it is locked if its file contains only `LOCKED`."""

    priority = 1

    def get_password(self, service: str, username: str) -> str | None:
        """Return the password of a user of a service."""
        content = json.loads(Path(os.environ["FILE_KEYRING"]).read_text(encoding="utf-8"))
        if content == LOCKED:
            raise KeyringLocked
        password: str | None = content.get(service, {}).get(username)
        return password

    def set_password(self, service: str, username: str, password: str) -> None:
        """Do nothing: tests write the file themselves."""
        raise NotImplementedError

    def get_credential(self, service: str, username: str | None) -> SimpleCredential | None:
        """Return the credential of a user, or the first one of the service."""
        if username is None:
            content = json.loads(Path(os.environ["FILE_KEYRING"]).read_text(encoding="utf-8"))
            username = next(iter(content.get(service, {})), "")
        password = self.get_password(service, username)
        return SimpleCredential(username, password) if password else None
