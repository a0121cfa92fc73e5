"""What S3's error codes and botocore's exceptions mean: the one place where they become our errors."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from aiohttp import ClientPayloadError
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConfigNotFound,
    ConfigParseError,
    ConnectionError,  # noqa: A004  (botocore's, which is not Python's)
    ConnectTimeoutError,
    CredentialRetrievalError,
    HTTPClientError,
    IncompleteReadError,
    InvalidRegionError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    ReadTimeoutError,
    SSLError,
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
from wheelrelay.http import seconds_to_wait

_CREDENTIALS = {
    "ExpiredToken",
    "InvalidAccessKeyId",
    "InvalidSecurity",
    "InvalidToken",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "TokenRefreshRequired",
}
"""Codes, most of them with status 403 or 400, that mean: these credentials are not accepted."""

_CORRUPTED = {"BadDigest", "XAmzContentChecksumMismatch", "XAmzContentSHA256Mismatch"}

_PASSING = {"ConditionalRequestConflict", "OperationAborted", "RequestTimeout"}
"""Beyond 5xx: another writer is at work (whether it will win is not known yet), or the server waited."""

_ALLOWED = (
    "Check what is allowed there: s3:ListBucket and s3:GetObject to read, s3:PutObject to write as well."
)


@contextmanager
def mapped(address: str) -> Iterator[None]:
    """Turn what botocore and aiohttp raise about an address into our errors."""
    try:
        yield
    except ClientError as error:
        raise _refusal(error, address) from error
    except (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError) as error:
        raise no_credentials(address) from error
    except (IncompleteReadError, ClientPayloadError) as error:
        raise SizeMismatch(f"{address} ended before all of the promised bytes had come.") from error
    except SSLError as error:
        raise BackendError(
            f"{address}: the server could not prove who it is.",
            hint="If it has a private certificate authority, name its bundle in AWS_CA_BUNDLE.",
        ) from error
    except (ConnectTimeoutError, ReadTimeoutError, TimeoutError) as error:
        raise Unavailable(f"{address}: the server did not answer in time.") from error
    except (ConnectionError, HTTPClientError, OSError) as error:
        raise Unavailable(f"{address} cannot be reached: {_reason(error)}.") from error
    except ResponseParserError as error:
        raise not_s3(address) from error
    except (ConfigNotFound, ConfigParseError, InvalidRegionError, ProfileNotFound) as error:
        raise ConfigError(f"{address}: {str(error).rstrip('.')}.") from error
    except BotoCoreError as error:
        raise BackendError(f"{address} cannot be asked for: {str(error).rstrip('.')}.") from error


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


def _refusal(error: ClientError, address: str) -> WheelrelayError:
    """The error that an answer of the server stands for."""
    said: Mapping[str, Any] = error.response.get("Error", {})
    answer: Mapping[str, Any] = error.response.get("ResponseMetadata", {})
    code, status = str(said.get("Code", "")), int(answer.get("HTTPStatusCode", 0))
    words = str(said.get("Message") or code).rstrip(".")
    told = f"{address}: the server answered {status}: {words}."
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
    return seconds_to_wait(value) if value else None
