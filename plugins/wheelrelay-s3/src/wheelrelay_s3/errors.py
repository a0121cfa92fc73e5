"""Map S3's error codes and the exceptions of botocore to wheelrelay's errors."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from json import JSONDecodeError
from time import monotonic
from typing import Any

import botocore.exceptions
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
    TimedOut,
    Unavailable,
    WheelrelayError,
)
from wheelrelay.http import parse_retry_after, sanitized

_CREDENTIAL_CODES = {
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
"""Codes of S3 and STS, mostly with status 403 or 400: the server does not accept the credentials."""

_CHECKSUM_CODES = {"BadDigest", "XAmzContentChecksumMismatch", "XAmzContentSHA256Mismatch"}

_RETRYABLE_CODES = {
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
"""Codes of temporary failures, with any status.

Another writer is active (which one will win is not known yet), there were too many requests, or the body or
the answer did not arrive in time.
"""

_LOGIN_OPERATIONS = {"AssumeRole", "AssumeRoleWithWebIdentity", "CreateToken", "GetRoleCredentials"}
"""Operations of login services, not of S3."""

_NETWORK_PROVIDERS = {"container-role", "iam-role"}
"""Credential providers that are network services: their failures may be temporary."""

_PROVIDER_ERRORS = (
    CredentialRetrievalError,
    JSONDecodeError,  # from the output of credential_process: S3 itself sends XML
    MetadataRetrievalError,
    PartialCredentialsError,
    RefreshWithMFAUnsupportedError,
    SSOError,
    TokenRetrievalError,
    getattr(botocore.exceptions, "LoginError", SSOError),  # only recent versions have it
)

_CONFIG_ERRORS = (
    ConfigNotFound,
    ConfigParseError,
    InvalidConfigError,
    InvalidIMDSEndpointError,
    InvalidRegionError,
    NoRegionError,
    ProfileNotFound,
    UnknownCredentialError,
)

_PERMISSIONS_HINT = (
    "Check the permissions: reading requires s3:ListBucket and s3:GetObject, writing also s3:PutObject."
)


@contextmanager
def s3_errors(address: str) -> Iterator[None]:
    """Map exceptions of botocore about an address, from one request, to wheelrelay's errors."""
    began = monotonic()
    try:
        yield
    except WheelrelayError:
        raise
    except (ConnectTimeoutError, ReadTimeoutError, TimeoutError) as error:
        message = f"{address}: the server did not answer in time."
        raise TimedOut(message, waited=monotonic() - began) from error
    except Exception as error:
        for classes, make_error in _MAPPINGS:
            if isinstance(error, classes):
                raise make_error(error, address) from error
        if isinstance(error, RuntimeError) and "refreshed credentials" in str(error):
            raise _provider_failed(error, address) from error  # refreshed, and still expired
        raise


@contextmanager
def credential_errors(address: str) -> Iterator[None]:
    """Map every failure while credentials are fetched: providers raise exceptions of any class."""
    try:
        with s3_errors(address):
            yield
    except WheelrelayError:
        raise
    except Exception as error:
        raise _provider_failed(error, address) from error


def _provider_failed(error: Exception, address: str) -> WheelrelayError:
    """Return the error for a provider that fails: its credentials are not absent."""
    reason = sanitized(str(error)) or type(error).__name__
    message = f"{address}: the credentials cannot be fetched: {reason}."
    if (
        isinstance(error, MetadataRetrievalError)
        or getattr(error, "kwargs", {}).get("provider") in _NETWORK_PROVIDERS
    ):
        return Unavailable(message)
    return AuthenticationFailed(
        message, hint="Check the credential provider, for example with `aws sts get-caller-identity`."
    )


def missing_credentials(address: str) -> MissingSecret:
    """Return the error for a bucket without any credentials."""
    return MissingSecret(
        f"There are no credentials for {address}.",
        hint="Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or configure access_key_id and "
        "secret_access_key, or profile. For a public bucket, configure anonymous = true.",
    )


def not_s3(address: str) -> BackendError:
    """Return the error for an answer that does not come from an S3 server."""
    return BackendError(f"{address}: this is not the answer of an S3 server.", hint="Check endpoint_url.")


def _truncated(_: Exception, address: str) -> WheelrelayError:
    return SizeMismatch(f"{address}: the server sent fewer bytes than it announced.")


def _untrusted(_: Exception, address: str) -> WheelrelayError:
    return BackendError(
        f"{address}: the server's TLS certificate is not trusted.",
        hint="If a private certificate authority issued it, set AWS_CA_BUNDLE to its bundle.",
    )


def _unreachable(error: Exception, address: str) -> WheelrelayError:
    return Unavailable(f"{address} cannot be reached: {_reason(error)}.")


def _corrupted(_: Exception, address: str) -> WheelrelayError:
    return DigestMismatch(f"{address}: the bytes that arrived do not match the server's checksum.")


def _misconfigured(error: Exception, address: str) -> WheelrelayError:
    return ConfigError(f"{address}: {str(error).rstrip('.')}.")


def _unexpected(error: Exception, address: str) -> WheelrelayError:
    return BackendError(f"{address}: the request failed: {str(error).rstrip('.')}.")


def _refused(error: ClientError, address: str) -> WheelrelayError:
    """Return the error for an answer with an error code."""
    details: Mapping[str, Any] = error.response.get("Error", {})
    answer: Mapping[str, Any] = error.response.get("ResponseMetadata", {})
    code, status = str(details.get("Code", "")), int(answer.get("HTTPStatusCode", 0))
    reason = sanitized(str(details.get("Message") or code)).rstrip(".")
    server = "the server" if error.operation_name not in _LOGIN_OPERATIONS else error.operation_name
    message = f"{address}: {server} answered {status}: {reason}."
    if code in _RETRYABLE_CODES or status in (408, 425, 429) or (status >= 500 and status != 501):
        return Unavailable(message, retry_after=_seconds(answer.get("HTTPHeaders", {}).get("retry-after")))
    if code in _CREDENTIAL_CODES or status == 401:
        return AuthenticationFailed(message, hint="Check the credentials and the clock of this machine.")
    if code in _CHECKSUM_CODES:
        return DigestMismatch(
            f"{address}: the bytes that arrived do not match the checksum; nothing was written."
        )
    return _by_status(status, code, message)


def _by_status(status: int, code: str, message: str) -> WheelrelayError:
    if code == "NoSuchBucket":
        return NotFound(message, hint="Check bucket, region and endpoint_url, or create the bucket.")
    if status == 404:
        return NotFound(message)
    if status == 403:
        return PermissionDenied(message, hint=_PERMISSIONS_HINT)
    if status == 412:
        return AlreadyExists(message)
    if 300 <= status < 400:
        return Rejected(message, status=status, hint="Check the region and endpoint_url.")
    return Rejected(message, status=status)


def _reason(error: BaseException) -> str:
    """Return the operating system's message, which botocore wraps."""
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, OSError) and inner.strerror:
            return str(inner.strerror)
        inner = inner.__cause__ or inner.__context__
    return "the connection broke"


def _seconds(value: str | None) -> float | None:
    return parse_retry_after(value) if value else None


_MAPPINGS: tuple[tuple[tuple[type[Exception], ...], Callable[[Any, str], WheelrelayError]], ...] = (
    ((ClientError,), _refused),
    ((NoCredentialsError,), lambda _, address: missing_credentials(address)),
    (_PROVIDER_ERRORS, _provider_failed),
    ((IncompleteReadError,), _truncated),
    ((SSLError,), _untrusted),
    ((ConnectionError, HTTPClientError, OSError), _unreachable),
    ((ResponseParserError,), lambda _, address: not_s3(address)),
    ((FlexibleChecksumError,), _corrupted),
    (_CONFIG_ERRORS, _misconfigured),
    ((BotoCoreError,), _unexpected),
    ((ValueError,), _misconfigured),  # such as an endpoint that is not an address
)
"""Makers of our errors by class of exception; the first match is used."""
