"""What S3's error codes and botocore's exceptions mean: the one place where they become our errors."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from json import JSONDecodeError
from typing import Any

import botocore.exceptions
from aiohttp import ClientPayloadError
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConfigNotFound,
    ConfigParseError,
    ConnectionError,  # noqa: A004  (botocore's, which is not Python's)
    ConnectTimeoutError,
    CredentialRetrievalError,
    FlexibleChecksumError,
    HTTPClientError,
    IncompleteReadError,
    InvalidConfigError,
    InvalidIMDSEndpointError,
    InvalidRegionError,
    MetadataRetrievalError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    ReadTimeoutError,
    RefreshWithMFAUnsupportedError,
    SSLError,
    SSOError,
    TokenRetrievalError,
    UnknownCredentialError,
)
from botocore.parsers import ResponseParserError

from wheelrelay.errors import (
    AlreadyExists,
    AuthenticationFailed,
    BackendError,
    ConfigError,
    DigestMismatch,
    MissingSecret,
    NotFound,
    PermissionDenied,
    Rejected,
    SizeMismatch,
    Unavailable,
    WheelrelayError,
)
from wheelrelay.http import parse_retry_after, sanitized

_CREDENTIALS = {
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "IDPRejectedClaim",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidIdentityToken",
    "InvalidSecurity",
    "InvalidToken",
    "RequestExpired",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "TokenRefreshRequired",
    "UnauthorizedException",
    "UnrecognizedClientException",
}
"""Codes of S3 and STS, most of them with status 403 or 400: these credentials are not accepted."""

_CORRUPTED = {"BadDigest", "XAmzContentChecksumMismatch", "XAmzContentSHA256Mismatch"}

_PASSING = {
    "BandwidthLimitExceeded",
    "ConditionalRequestConflict",
    "EC2ThrottledException",
    "IDPCommunicationError",
    "IncompleteBody",
    "InternalError",
    "InternalFailure",
    "LimitExceededException",
    "OperationAborted",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServiceUnavailable",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "TooManyRequestsException",
    "TransactionInProgressException",
}
"""Codes that mean "later", whatever the status: another writer is at work (whether it will win is not known
yet), there were too many requests, or the body or the answer did not come in time."""

_LOGGING_IN = {"AssumeRole", "AssumeRoleWithWebIdentity", "CreateToken", "GetRoleCredentials"}
"""Operations that are not S3's own."""

_NETWORK = {"container-role", "iam-role"}
"""Providers that are services: what fails there may pass."""

_PROVIDERS = (
    CredentialRetrievalError,
    JSONDecodeError,  # of what a process printed: S3 itself speaks XML
    MetadataRetrievalError,
    PartialCredentialsError,
    RefreshWithMFAUnsupportedError,
    SSOError,
    TokenRetrievalError,
    getattr(botocore.exceptions, "LoginError", SSOError),  # of recent versions
)

_CONFIGURATION = (
    ConfigNotFound,
    ConfigParseError,
    InvalidConfigError,
    InvalidIMDSEndpointError,
    InvalidRegionError,
    NoRegionError,
    ProfileNotFound,
    UnknownCredentialError,
)

_ALLOWED = (
    "Check what is allowed there: s3:ListBucket and s3:GetObject to read, s3:PutObject to write as well."
)


@contextmanager
def mapped(address: str) -> Iterator[None]:
    """Turn what botocore and aiohttp raise about an address into our errors."""
    try:
        yield
    except WheelrelayError:
        raise
    except Exception as error:
        for kinds, ours in _MEANINGS:
            if isinstance(error, kinds):
                raise ours(error, address) from error
        if isinstance(error, RuntimeError) and "refreshed credentials" in str(error):
            raise _not_provided(error, address) from error  # new, and expired all the same
        raise


@contextmanager
def providing(address: str) -> Iterator[None]:
    """Turn whatever fails while credentials are fetched into our errors; providers raise what they like."""
    try:
        with mapped(address):
            yield
    except WheelrelayError:
        raise
    except Exception as error:
        raise _not_provided(error, address) from error


def _not_provided(error: Exception, address: str) -> WheelrelayError:
    """The error for credentials that should be there: that their provider fails is no absence."""
    said = sanitized(str(error)) or type(error).__name__
    told = f"{address}: the credentials cannot be had: {said}."
    if isinstance(error, MetadataRetrievalError) or getattr(error, "kwargs", {}).get("provider") in _NETWORK:
        return Unavailable(told)
    return AuthenticationFailed(
        told, hint="Look at what provides them; `aws sts get-caller-identity` uses it too."
    )


def no_credentials(address: str) -> MissingSecret:
    """The error for a bucket that is to be reached without any credentials at hand."""
    return MissingSecret(
        f"There are no credentials for {address}.",
        hint="Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a profile, or configure access_key_id "
        "and secret_access_key; a public bucket is read with anonymous = true.",
    )


def not_s3(address: str) -> BackendError:
    """The error for an answer that no S3 server gives."""
    return BackendError(f"{address}: the answer is not one of an S3 server.", hint="Check endpoint_url.")


def _cut(_: Exception, address: str) -> WheelrelayError:
    return SizeMismatch(f"{address} ended before all of the promised bytes had come.")


def _not_proved(_: Exception, address: str) -> WheelrelayError:
    return BackendError(
        f"{address}: the server could not prove who it is.",
        hint="If it has a private certificate authority, name its bundle in AWS_CA_BUNDLE.",
    )


def _late(_: Exception, address: str) -> WheelrelayError:
    return Unavailable(f"{address}: the server did not answer in time.")


def _unreachable(error: Exception, address: str) -> WheelrelayError:
    return Unavailable(f"{address} cannot be reached: {_reason(error)}.")


def _spoiled(_: Exception, address: str) -> WheelrelayError:
    return DigestMismatch(f"{address} arrived with other bytes than the server has.")


def _misconfigured(error: Exception, address: str) -> WheelrelayError:
    return ConfigError(f"{address}: {str(error).rstrip('.')}.")


def _unforeseen(error: Exception, address: str) -> WheelrelayError:
    return BackendError(f"{address} cannot be asked for: {str(error).rstrip('.')}.")


def _refusal(error: ClientError, address: str) -> WheelrelayError:
    """The error that an answer of the server stands for."""
    said: Mapping[str, Any] = error.response.get("Error", {})
    answer: Mapping[str, Any] = error.response.get("ResponseMetadata", {})
    code, status = str(said.get("Code", "")), int(answer.get("HTTPStatusCode", 0))
    words = str(said.get("Message") or code).rstrip(".")
    server = "the server" if error.operation_name not in _LOGGING_IN else error.operation_name
    told = f"{address}: {server} answered {status}: {words}."
    if code in _PASSING or status in (408, 425, 429) or (status >= 500 and status != 501):
        return Unavailable(told, retry_after=_seconds(answer.get("HTTPHeaders", {}).get("retry-after")))
    if code in _CREDENTIALS or status == 401:
        return AuthenticationFailed(told, hint="Check the credentials, and this machine's clock.")
    if code in _CORRUPTED:
        return DigestMismatch(f"{address}: other bytes arrived than were sent; nothing was written.")
    return _by_status(status, code, told)


def _by_status(status: int, code: str, told: str) -> WheelrelayError:
    if code == "NoSuchBucket":
        return NotFound(
            told, hint="Check the bucket's name, the region and endpoint_url, or make the bucket."
        )
    if status == 404:
        return NotFound(told)
    if status == 403:
        return PermissionDenied(told, hint=_ALLOWED)
    if status == 412:
        return AlreadyExists(told)
    if 300 <= status < 400:
        return Rejected(told, status=status, hint="Check the region and endpoint_url.")
    return Rejected(told, status=status)


def _reason(error: BaseException) -> str:
    """What the operating system said, which aiohttp and botocore have wrapped."""
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, OSError) and inner.strerror:
            return str(inner.strerror)
        inner = inner.__cause__ or inner.__context__
    return "the connection broke"


def _seconds(value: str | None) -> float | None:
    return parse_retry_after(value) if value else None


_MEANINGS: tuple[tuple[tuple[type[Exception], ...], Callable[[Any, str], WheelrelayError]], ...] = (
    ((ClientError,), _refusal),
    ((NoCredentialsError,), lambda _, address: no_credentials(address)),
    (_PROVIDERS, _not_provided),
    ((IncompleteReadError, ClientPayloadError), _cut),
    ((SSLError,), _not_proved),
    ((ConnectTimeoutError, ReadTimeoutError, TimeoutError), _late),
    ((ConnectionError, HTTPClientError, OSError), _unreachable),
    ((ResponseParserError,), lambda _, address: not_s3(address)),
    ((FlexibleChecksumError,), _spoiled),
    (_CONFIGURATION, _misconfigured),
    ((BotoCoreError,), _unforeseen),
    ((ValueError,), _misconfigured),  # an endpoint that is no address, for instance
)
"""What exceptions mean; the first that fits counts."""
