"""Everything that wheelrelay raises on purpose.

::

    WheelrelayError
    ├── ConfigError                 the configuration or the call is wrong
    │   ├── UnknownBackend          no installed backend has this type
    │   ├── DuplicateBackend        two distributions claim one type
    │   ├── PluginLoadError         a backend is installed but cannot be imported
    │   ├── MissingSecret           a secret reference leads nowhere
    │   └── SeveralVersions         a release needs exactly one version of each project
    ├── InvalidFilename             not the plain name of a wheel or an sdist
    ├── NothingMatched              the selection leaves no file
    ├── BackendError                a remote refused or failed
    │   ├── NotFound
    │   ├── AlreadyExists           the name is there with other (or unknown) bytes
    │   ├── AuthenticationFailed
    │   ├── PermissionDenied
    │   ├── Rejected                the remote refuses this very file or request
    │   └── Unavailable             may pass: try again
    │       └── TimedOut            no answer in time, or too slow a one
    ├── IntegrityError              the bytes are not what they were said to be
    │   ├── SizeMismatch
    │   ├── DigestMismatch
    │   └── ChangedWhileReading
    ├── ReleaseRefused              the gate stayed shut: nothing was published
    │   ├── Conflict
    │   ├── Incomplete
    │   └── CheckFailed
    └── RelayFailed                 something was, or may have been, published; carries the receipt

Whether trying again can help is a property of the class (``retryable``), so that one loop decides for
all backends. Messages are whole sentences; ``hint`` says what to do. Secrets in use are masked in both.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Self

from wheelrelay.redaction import redact

if TYPE_CHECKING:
    from wheelrelay.records import Finding, Receipt


__all__ = [
    "AlreadyExists",
    "AuthenticationFailed",
    "BackendError",
    "ChangedWhileReading",
    "CheckFailed",
    "ConfigError",
    "Conflict",
    "DigestMismatch",
    "DuplicateBackend",
    "Incomplete",
    "IntegrityError",
    "InvalidFilename",
    "MissingSecret",
    "NotFound",
    "NothingMatched",
    "PermissionDenied",
    "PluginLoadError",
    "Rejected",
    "RelayFailed",
    "ReleaseRefused",
    "SeveralVersions",
    "SizeMismatch",
    "TimedOut",
    "Unavailable",
    "UnknownBackend",
    "WheelrelayError",
]


class WheelrelayError(Exception):
    """The base of all errors of wheelrelay.

    Args:
        message: what happened and where, as a sentence.
        hint: what to do about it, as a sentence.
    """

    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        message = redact(message)
        super().__init__(message)
        self.message = message
        self.hint = hint and redact(hint)
        self.where: str | None = None

    def at(self, where: str) -> Self:
        """Say once on which side it happened, for example ``source 'staging'``; the first word stays."""
        self.where = self.where or redact(where)
        return self

    def extended(self, text: str) -> Self:
        """Return a copy of this error whose message continues with ``text``."""
        message = f"{self.message} {redact(text)}"
        copy = type(self).__new__(type(self), message)  # subclasses differ in what __init__ requires
        copy.__dict__.update(self.__dict__)
        copy.message = message
        return copy

    def __str__(self) -> str:
        said = f"{self.where}: {self.message}" if self.where else self.message
        return f"{said} {self.hint}" if self.hint else said


class ConfigError(WheelrelayError):
    """The configuration, an address or an option is wrong."""


class UnknownBackend(ConfigError):
    """No installed distribution provides this type of remote."""


class DuplicateBackend(ConfigError):
    """Two installed distributions provide the same type of remote."""


class PluginLoadError(ConfigError):
    """A plugin, or something that it needs, is installed but cannot be imported."""


class MissingSecret(ConfigError):
    """A secret is referred to that is not there."""


class SeveralVersions(ConfigError):
    """A release takes exactly one version of each project, and the selection leaves several."""


class InvalidFilename(WheelrelayError):
    """A name that is not the plain filename of a wheel or an sdist; nothing was done with it."""


class NothingMatched(WheelrelayError):
    """No file matched what was asked for."""


class BackendError(WheelrelayError):
    """A remote refused or failed."""


class NotFound(BackendError):
    """The remote says, truly, that the thing is not there."""


class AlreadyExists(BackendError):
    """The filename is taken at the sink, with bytes that are other or not known; nothing was changed."""


class AuthenticationFailed(BackendError):
    """The remote does not accept the credentials, or wants some (HTTP 401)."""


class PermissionDenied(BackendError):
    """The remote knows the credentials and refuses what they ask for (HTTP 403)."""


class Rejected(BackendError):
    """The remote refuses this file or request, and would refuse it again.

    Args:
        message: what happened, with the remote's own words where it has some.
        status: the HTTP status, where there is one.
        hint: what to do about it.
    """

    def __init__(self, message: str, *, status: int | None = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.status = status


class Unavailable(BackendError):
    """The remote failed in a way that may pass: no connection, a timeout, HTTP 408, 429 or 5xx.

    Args:
        message: what happened.
        retry_after: seconds that the remote asks to wait, where it does.
        hint: what to do about it.
    """

    retryable = True

    def __init__(self, message: str, *, retry_after: float | None = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class TimedOut(Unavailable):
    """The remote did not answer in time, or too slowly.

    Args:
        message: what happened.
        waited: seconds that the remote was waited for.
        hint: what to do about it.
    """

    def __init__(self, message: str, *, waited: float, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.waited = waited


class IntegrityError(WheelrelayError):
    """The bytes are not what they were said to be."""


class SizeMismatch(IntegrityError):
    """Fewer or more bytes came than were promised, as when a connection is cut."""

    retryable = True


class DigestMismatch(IntegrityError):
    """The bytes have another digest than was promised."""


class ChangedWhileReading(IntegrityError):
    """A local file is no longer the one that was hashed."""


class ReleaseRefused(WheelrelayError):
    """The gate stayed shut, and nothing was published.

    Args:
        message: how many findings there are, as a sentence.
        findings: every reason for the refusal.
        hint: what to do about it.

    Attributes:
        receipt: the record of the relay, if it had begun.
    """

    def __init__(self, message: str, *, findings: "Sequence[Finding]" = (), hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.findings = tuple(findings)
        self.receipt: Receipt | None = None


class Conflict(ReleaseRefused):
    """A sink holds a file of the same name with other bytes."""


class Incomplete(ReleaseRefused):
    """Expected files are missing, or files are there that were not expected."""


class CheckFailed(ReleaseRefused):
    """A file, or the release as a whole, breaks a rule."""


class RelayFailed(WheelrelayError):
    """A relay failed after publishing had begun; the receipt says what is in and what is not."""

    def __init__(self, message: str, *, receipt: "Receipt", hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.receipt = receipt


def describe_unexpected(error: BaseException) -> str:
    """Return what to report of an exception that is not a `WheelrelayError`, without a full stop.

    >>> describe_unexpected(KeyError("key"))
    "Unexpected KeyError: 'key'"
    """
    text = str(error).strip().rstrip(".")
    return f"Unexpected {type(error).__name__}{f': {text}' if text else ''}"
