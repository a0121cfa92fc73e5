"""Secrets are referred to, never written down: where a secret comes from, and its value when it is needed.

A reference is data and may be shown, pickled and compared. Its value lives in a `SecretValue` alone,
which resolves it when it is used, once, and shows nothing.
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

HOW_TO_REFER = 'Refer to it: { env = "NAME" }, { file = "PATH" }, { keyring = "SERVICE", username = "NAME" } or { command = ["..."] }.'  # noqa: E501


_BYTE_ORDER_MARK = "\ufeff"


class _Reference(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=True)

    @property
    def place(self) -> str:
        """Where it leads, as people wrote it; of a command, its name alone."""
        kind, value = next(iter(self.model_dump(mode="json").items()))
        return f"{kind} = {(value[0] if isinstance(value, list) else value)!r}"

    def resolve(self) -> str:
        """The secret's value, fetched now.

        Raises:
            MissingSecret: the reference leads nowhere: there is no secret.
            ConfigError: it is unknown whether there is one, because what provides it fails.
        """
        raise NotImplementedError


class EnvSecret(_Reference):
    """A secret in an environment variable."""

    env: str = Field(description="Name of the environment variable that holds the value.")

    def resolve(self) -> str:
        """The variable's value; an empty one counts as missing, as CI systems give it to forks."""
        if value := os.environ.get(self.env):
            return value
        raise MissingSecret(
            f"The environment variable {self.env} is not set.", hint="Set it, or refer elsewhere."
        )


class FileSecret(_Reference):
    """A secret in a file, as container platforms mount them."""

    file: LocalPath = Field(description="Path of a file whose content, without the line end, is the value.")

    def resolve(self) -> str:
        """The file's content without surrounding white space."""
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
    """A secret in the system's keyring."""

    keyring: str = Field(description="Service name under which the keyring holds the value.")
    username: str = Field(description="User name under which the keyring holds the value.")

    def resolve(self) -> str:
        """What the keyring holds for the service and user."""
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
        except Exception as error:  # noqa: BLE001  (keyrings raise what they like)
            # Not chained: what it says may be anything.
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
        min_length=1, description="Command and arguments; its output, without the line end, is the value."
    )

    def resolve(self) -> str:
        """The command's standard output.

        What it says on standard error is for a terminal only, as when a password manager asks for something:
        it may be the secret, and elsewhere it would be kept in a log.
        """
        name = self.command[0]
        try:
            done = subprocess.run(  # noqa: S603  (the user's own configuration names it)
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
            raise ConfigError(f"The secret command {name!r} took over 60 seconds.") from None
        except UnicodeDecodeError:
            raise ConfigError(f"What the secret command {name!r} printed is not UTF-8 text.") from None
        if done.returncode or not done.stdout.strip():
            # One that succeeds and prints nothing has none; one that fails may have one.
            kind = ConfigError if done.returncode else MissingSecret
            raise kind(
                f"The secret command {name!r} gave no value (exit code {done.returncode}).",
                hint="Run it by hand to see what it says.",
            )
        return done.stdout.strip()


def is_one_line(text: str) -> bool:
    """Whether a secret has no line end and no other control character in it; all else may be in one."""
    return not any(category(character) in ("Cc", "Zl", "Zp") for character in text)


_KINDS = {"env": EnvSecret, "file": FileSecret, "keyring": KeyringSecret, "command": CommandSecret}


def _kind_of(value: Any) -> str | None:
    """Which kind of reference this is meant to be, so that errors speak of that kind only."""
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
        raise ValueError(f"a secret stands here in plain text. {HOW_TO_REFER}")  # noqa: TRY004
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
"""A field that takes a reference to a secret and refuses the secret itself."""


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
"""A field for what may be public, such as a user name: text, or a reference."""


def is_reference(value: object) -> bool:
    """Whether this refers to a secret, and is none itself."""
    return isinstance(value, _Reference)


class SecretValue:
    """The value behind a reference: resolved at the first use, once for all threads, and never shown.

    Args:
        reference: where the value comes from, or the text itself where text is allowed.
    """

    def __init__(self, reference: EnvSecret | FileSecret | KeyringSecret | CommandSecret | str) -> None:
        self._reference = reference
        self._lock = threading.Lock()
        self._value: str | None = None

    def get(self) -> str:
        """The value.

        Raises:
            MissingSecret: the reference leads nowhere.
        """
        with self._lock:
            if self._value is None:
                self._value = self._fetch()
            return self._value

    def renew(self) -> None:
        """Forget the value, so that the next use resolves it again; for when it was not accepted."""
        with self._lock:
            self._value = None

    def _fetch(self) -> str:
        if isinstance(self._reference, str):
            return self._reference
        value = self._reference.resolve().removeprefix(_BYTE_ORDER_MARK).rstrip("\r\n")
        register_secret(value)
        if not is_one_line(value):
            raise ConfigError(
                f"The secret of {self._reference.place} holds a line end or another control character.",
                hint="Store it as one line.",
            )
        return value

    def __repr__(self) -> str:
        return "SecretValue(***)"

    def __reduce__(self) -> tuple[type["SecretValue"], tuple[object]]:
        """Pickled as the reference alone: the value is resolved on the machine that uses it."""
        return SecretValue, (self._reference,)
