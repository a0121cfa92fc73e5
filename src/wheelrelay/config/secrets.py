"""References to secrets, which the configuration holds instead of the secrets themselves.

A reference is data: it can be shown, pickled and compared. Only a `SecretValue` holds the value. It resolves
the reference on first use and never shows the value.
"""

import os
import subprocess
import sys
import threading
from typing import Annotated, Any
from unicodedata import category

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag

from wheelrelay.config.values import LocalPath
from wheelrelay.errors import ConfigError, MissingSecret
from wheelrelay.redaction import register_secret

HOW_TO_REFER = 'Write a reference: { env = "NAME" }, { file = "PATH" }, { keyring = "SERVICE", username = "NAME" } or { command = ["..."] }.'  # noqa: E501


_BYTE_ORDER_MARK = "\ufeff"


class _Reference(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=True)

    @property
    def place(self) -> str:
        """The reference as users write it; of a command, only its name, because arguments can be secret."""
        kind, value = next(iter(self.model_dump(mode="json").items()))
        return f"{kind} = {(value[0] if isinstance(value, list) else value)!r}"

    def resolve(self) -> str:
        """Return the value of the secret, without caching it.

        Raises:
            MissingSecret: There is no secret under this reference.
            ConfigError: The provider of the secret failed, so it is unknown whether there is one.
        """
        raise NotImplementedError


class EnvSecret(_Reference):
    """A secret in an environment variable."""

    env: str = Field(description="Name of an environment variable with the value.")

    def resolve(self) -> str:
        """Return the variable's value. An empty one counts as missing: CI systems set it for forks."""
        if value := os.environ.get(self.env):
            return value
        raise MissingSecret(
            f"The environment variable {self.env} is not set.", hint="Set it, or use another reference."
        )


class FileSecret(_Reference):
    """A secret in a file, such as container platforms mount."""

    file: LocalPath = Field(description="Path of a file with the value; white space around it is removed.")

    def resolve(self) -> str:
        """Return the content of the file without surrounding white space."""
        try:
            value = self.file.read_text(encoding="utf-8-sig").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            kind = MissingSecret if isinstance(error, FileNotFoundError) else ConfigError
            raise kind(f"The secret file {self.file} cannot be read: {reason}.") from error
        if not value:
            raise MissingSecret(f"The secret file {self.file} is empty.")
        return value


class KeyringSecret(_Reference):
    """A secret in the system keyring."""

    keyring: str = Field(description="Service name of the keyring entry.")
    username: str = Field(description="User name of the keyring entry.")

    def resolve(self) -> str:
        """Return the password that the keyring stores for the service and user."""
        try:
            import keyring
            import keyring.errors
        except ImportError as error:
            raise ConfigError(
                "A secret is in the keyring, but the package keyring is not installed.",
                hint="Install it: pip install 'wheelrelay[keyring]'.",
            ) from error
        try:
            value: str | None = keyring.get_password(self.keyring, self.username)
        except Exception as error:  # noqa: BLE001  (keyring backends raise anything)
            # Not chained: its message may contain the secret.
            kind = MissingSecret if isinstance(error, keyring.errors.NoKeyringError) else ConfigError
            raise kind(f"The keyring cannot be read: {type(error).__name__}.") from None
        if not value:
            raise MissingSecret(
                f"The keyring has no secret for {self.username!r} at {self.keyring!r}.",
                hint=f"Store it: keyring set {self.keyring} {self.username}.",
            )
        return value


class CommandSecret(_Reference):
    """A secret that a command prints, such as a password manager's."""

    command: tuple[str, ...] = Field(
        min_length=1, description="Command and arguments; its standard output is the value."
    )

    def resolve(self) -> str:
        """Return the standard output of the command.

        Its standard error is shown on a terminal only, where a password manager may prompt. Elsewhere it
        would end up in a log, and it may contain the secret.
        """
        name = self.command[0]
        try:
            done = subprocess.run(  # noqa: S603  (configured by the user)
                self.command,
                stdout=subprocess.PIPE,
                stdin=subprocess.DEVNULL,
                stderr=None if sys.stderr and sys.stderr.isatty() else subprocess.DEVNULL,
                encoding="utf-8",
                timeout=60,
                check=False,
            )
        except OSError as error:
            raise ConfigError(f"The secret command {name!r} cannot be run: {error.strerror}.") from error
        except subprocess.TimeoutExpired:
            raise ConfigError(f"The secret command {name!r} did not end within 60 seconds.") from None
        except UnicodeDecodeError:
            raise ConfigError(f"The output of the secret command {name!r} is not UTF-8 text.") from None
        if done.returncode or not done.stdout.strip():
            # A command that succeeds without output has no secret. One that fails may have one.
            kind = ConfigError if done.returncode else MissingSecret
            raise kind(
                f"The secret command {name!r} printed no value (exit code {done.returncode}).",
                hint="Run it in a terminal to see its error.",
            )
        return done.stdout.strip()


def is_one_line(text: str) -> bool:
    """Whether a secret contains no line end and no other control character."""
    return not any(category(character) in ("Cc", "Zl", "Zp") for character in text)


_KINDS = {"env": EnvSecret, "file": FileSecret, "keyring": KeyringSecret, "command": CommandSecret}


def _kind_of(value: Any) -> str | None:
    """Return which kind of reference this is, so that errors are about that kind only."""
    keys = (
        value
        if isinstance(value, dict)
        else type(value).model_fields
        if isinstance(value, _Reference)
        else ()
    )
    return next((kind for kind in _KINDS if kind in keys), None)


def _refuse_literal(value: Any) -> Any:
    if isinstance(value, str):
        raise ValueError(f"this is a secret in plain text. {HOW_TO_REFER}")  # noqa: TRY004
    if _kind_of(value) is None:
        raise ValueError(f"this is not a reference to a secret. {HOW_TO_REFER}")
    return value


_AnyReference = Annotated[
    Annotated[EnvSecret, Tag("env")]
    | Annotated[FileSecret, Tag("file")]
    | Annotated[KeyringSecret, Tag("keyring")]
    | Annotated[CommandSecret, Tag("command")],
    Discriminator(_kind_of),
]

SecretReference = Annotated[_AnyReference, BeforeValidator(_refuse_literal)]
"""A field that takes a reference to a secret, and refuses the secret itself."""


def _text_or_reference(value: Any) -> str | None:
    return "text" if isinstance(value, str) else _kind_of(value)


TextOrReference = Annotated[
    Annotated[str, Tag("text")]
    | Annotated[EnvSecret, Tag("env")]
    | Annotated[FileSecret, Tag("file")]
    | Annotated[KeyringSecret, Tag("keyring")]
    | Annotated[CommandSecret, Tag("command")],
    Discriminator(
        _text_or_reference,
        custom_error_type="reference",
        custom_error_message='neither text nor a reference such as { env = "NAME" }',
    ),
]
"""A field for a value that may be public, such as a user name: text or a reference."""


def is_reference(value: object) -> bool:
    """Whether a value is a reference to a secret."""
    return isinstance(value, _Reference)


class SecretValue:
    """The value of a reference: resolved on first use, once for all threads, and never shown.

    Args:
        reference: The reference, or the text itself if the field allows text.
    """

    def __init__(self, reference: EnvSecret | FileSecret | KeyringSecret | CommandSecret | str) -> None:
        self._reference = reference
        self._lock = threading.Lock()
        self._value: str | None = None

    def get(self) -> str:
        """Return the value.

        Raises:
            MissingSecret: There is no secret under the reference.
        """
        with self._lock:
            if self._value is None:
                self._value = self._fetch()
            return self._value

    def renew(self) -> None:
        """Forget the value, so that the next use resolves it again. Call this if a server rejects it."""
        with self._lock:
            self._value = None

    def _fetch(self) -> str:
        if isinstance(self._reference, str):
            return self._reference
        value = self._reference.resolve().removeprefix(_BYTE_ORDER_MARK).rstrip("\r\n")
        register_secret(value)
        if not is_one_line(value):
            raise ConfigError(
                f"The secret in {self._reference.place} contains a line end or another control character.",
                hint="Store it as one line.",
            )
        return value

    def __repr__(self) -> str:
        return "SecretValue(***)"

    def __reduce__(self) -> tuple[type["SecretValue"], tuple[object]]:
        """Pickle only the reference: the value is resolved on the machine that uses it."""
        return SecretValue, (self._reference,)
