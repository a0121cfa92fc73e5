"""The exceptions of wheelrelay.

::

    WheelrelayError
    ├── ConfigError                 the configuration or the call is invalid
    │   ├── UnknownBackend          no installed plugin provides this type
    │   ├── UnknownEngine           no installed plugin provides this type of engine
    │   ├── DuplicateBackend        two distributions provide the same type
    │   ├── PluginLoadError         a plugin is installed but cannot be imported
    │   ├── MissingSecret           a referenced secret does not exist
    │   └── SeveralVersions         a release needs exactly one version of each project
    ├── InvalidFilename             not the filename of a wheel or an sdist
    ├── NothingMatched              no file matches the selection
    ├── BackendError                a remote refused a request or failed
    │   ├── NotFound
    │   ├── AlreadyExists           the filename is taken by other or unknown bytes
    │   ├── AuthenticationFailed
    │   ├── PermissionDenied
    │   ├── Rejected                the remote refuses this file or request
    │   └── Unavailable             a temporary failure; retrying may help
    │       └── TimedOut            no response in time, or too slow a transfer
    ├── IntegrityError              the bytes are not the declared ones
    │   ├── SizeMismatch
    │   ├── DigestMismatch
    │   └── ChangedWhileReading
    ├── EngineFailed                an engine cannot run the parts of a relay
    │   └── WorkerLost              a worker ended; another one can repeat its task
    ├── ReleaseRefused              refused before publishing: nothing was published
    │   ├── Conflict
    │   ├── Incomplete
    │   └── CheckFailed
    └── RelayFailed                 publishing began and failed; has the receipt

The class attribute ``retryable`` states whether retrying can help. Messages are sentences; ``hint`` is
advice. Registered secrets are masked in both. Errors pickle with all attributes, so that other processes can
report them; ``__cause__`` and the traceback are lost, as with all exceptions.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Self, TypeVar

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
    "EngineFailed",
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
    "UnknownEngine",
    "WheelrelayError",
    "WorkerLost",
]


AnyError = TypeVar("AnyError", bound="WheelrelayError")


class WheelrelayError(Exception):
    """The base class of all errors that wheelrelay raises on purpose.

    Args:
        message: What happened and where, as a sentence.
        hint: What to do about it, as a sentence.
    """

    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        message = redact(message)
        super().__init__(message)
        self.message = message
        self.hint = hint and redact(hint)
        self.where: str | None = None

    def at(self, where: str) -> Self:
        """Set where the error happened, such as ``source 'staging'``, unless that is set already."""
        self.where = self.where or redact(where)
        return self

    def extended(self, text: str) -> Self:
        """Return a copy of this error whose message continues with ``text``."""
        message = f"{self.message} {redact(text)}"
        copy = _recreated(type(self), (message,))
        copy.__dict__.update(self.__dict__)
        copy.message = message
        return copy

    def __reduce__(self) -> "tuple[object, ...]":
        """Pickle and copy all attributes; subclasses need not define this."""
        return _recreated, (type(self), self.args), self.__dict__

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text} {self.hint}" if self.hint else text


def _recreated(error_class: type[AnyError], args: tuple[object, ...]) -> AnyError:
    """Return an error without calling ``__init__``: subclasses differ in what that requires."""
    return error_class.__new__(error_class, *args)


class ConfigError(WheelrelayError):
    """The configuration, an argument or a URL is invalid, or a required package is not installed.

    Attributes:
        problems: If keys of a table are wrong, the path of each within the table, and a sentence about it.
    """

    problems: tuple[tuple[tuple[str, ...], str], ...] = ()


class UnknownBackend(ConfigError):
    """A remote has a type that no installed distribution provides."""


class UnknownEngine(ConfigError):
    """An engine has a type that no installed distribution provides."""


class DuplicateBackend(ConfigError):
    """Two installed distributions provide the same type of remote."""


class PluginLoadError(ConfigError):
    """A plugin is installed, but importing it or one of its dependencies fails."""


class MissingSecret(ConfigError):
    """A referenced secret does not exist, such as an environment variable or a signing key."""


class SeveralVersions(ConfigError):
    """The selection of a release has several versions of a project; a release has exactly one."""


class InvalidFilename(WheelrelayError):
    """A name is not the filename of a wheel or an sdist, or contains a path; the file is not touched."""


class NothingMatched(WheelrelayError):
    """No file matches the requirements, tag patterns and kinds of a selection."""


class BackendError(WheelrelayError):
    """A remote refused a request or failed."""


class NotFound(BackendError):
    """The remote confirmed that a file or page does not exist; never raised when that is unknown."""


class AlreadyExists(BackendError):
    """The sink has a file of this name with other or unknown bytes; nothing was changed."""


class AuthenticationFailed(BackendError):
    """The remote refused the credentials, or requires some (HTTP 401)."""


class PermissionDenied(BackendError):
    """The remote accepted the credentials but does not permit the request (HTTP 403)."""


class Rejected(BackendError):
    """The remote refused this file or request, and would refuse it again.

    Args:
        message: What happened, with the message of the remote if it sent one.
        status: The HTTP status, if there is one.
        hint: What to do about it.
    """

    def __init__(self, message: str, *, status: int | None = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.status = status


class Unavailable(BackendError):
    """The remote failed temporarily: no connection, a timeout, HTTP 408, 429 or 5xx.

    Args:
        message: What happened.
        retry_after: Seconds to wait, if the remote sent ``Retry-After``.
        hint: What to do about it.
    """

    retryable = True

    def __init__(self, message: str, *, retry_after: float | None = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class TimedOut(Unavailable):
    """The remote did not respond in time, or sent its response too slowly.

    Args:
        message: What happened.
        waited: Seconds until the request was given up.
        requests: How many requests were given up, each after ``waited`` seconds: some libraries repeat them.
        hint: What to do about it.
    """

    def __init__(self, message: str, *, waited: float, requests: int = 1, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.waited = waited
        self.requests = requests

    @property
    def silence(self) -> float:
        """Seconds without an answer, over all requests."""
        return self.waited * self.requests


class IntegrityError(WheelrelayError):
    """The bytes of a file are not the declared ones."""


class SizeMismatch(IntegrityError):
    """A file has fewer or more bytes than declared, for example after a broken connection."""

    retryable = True


class DigestMismatch(IntegrityError):
    """A file has another digest than declared."""


class ChangedWhileReading(IntegrityError):
    """A local file changed after it was hashed."""


class EngineFailed(WheelrelayError):
    """An engine cannot run the parts of a relay: it cannot be reached, or it has no usable workers."""


class WorkerLost(EngineFailed):
    """A worker ended, or the connection to it broke, before its task was complete."""

    retryable = True


class ReleaseRefused(WheelrelayError):
    """A release was refused before publishing began; nothing was published.

    Args:
        message: The number of findings, as a sentence.
        findings: All reasons.
        hint: What to do about it.

    Attributes:
        receipt: The receipt of the relay, if it had begun.
    """

    def __init__(self, message: str, *, findings: "Sequence[Finding]" = (), hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.findings = tuple(findings)
        self.receipt: Receipt | None = None


class Conflict(ReleaseRefused):
    """A sink has a file of the same name with other bytes."""


class Incomplete(ReleaseRefused):
    """Expected files are missing, or there are unexpected files."""


class CheckFailed(ReleaseRefused):
    """A file or the release violates a check."""


class RelayFailed(WheelrelayError):
    """A relay failed after publishing had begun.

    Args:
        message: What happened.
        receipt: The receipt, which has the outcome of each file at each sink.
        hint: What to do about it.
    """

    def __init__(self, message: str, *, receipt: "Receipt", hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.receipt = receipt


def describe_unexpected(error: BaseException) -> str:
    """Return a message for an exception that is not a `WheelrelayError`, without a full stop.

    >>> describe_unexpected(KeyError("key"))
    "Unexpected KeyError: 'key'"
    """
    text = str(error).strip().rstrip(".")
    return f"Unexpected {type(error).__name__}{f': {text}' if text else ''}"
