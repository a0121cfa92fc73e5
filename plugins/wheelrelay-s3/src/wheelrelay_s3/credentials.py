"""Distinguish absent credentials from broken ones: a push may be skipped only if they are absent.

Credentials that a provider renews are read before each request that is signed without botocore.
"""

import os
import urllib.error
import urllib.request
from typing import Any

from wheelrelay.config import register_secret
from wheelrelay.errors import AuthenticationFailed, Unavailable
from wheelrelay_s3.sigv4 import Keys

_CREDENTIAL_VARIABLES = (
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)
"""Variables that announce credentials. Empty ones count as unset: CI sets them empty for forks."""

_METADATA = "http://169.254.169.254/"
_TOKEN_PATH = "latest/api/token"  # noqa: S105  (a path)
_ROLE_PATH = "latest/meta-data/iam/security-credentials/"


class RenewedKeys:
    """The keys of credentials of botocore, whose provider may renew them at any time.

    Args:
        credentials: The credentials.
    """

    def __init__(self, credentials: Any) -> None:
        self._credentials = credentials
        self._last: Keys | None = None

    def __call__(self) -> Keys:
        """Return the keys that are valid now.

        Raises:
            Exception: As the provider raises.
        """
        frozen = self._credentials.get_frozen_credentials()
        keys = Keys(frozen.access_key, frozen.secret_key, frozen.token)
        if keys != self._last:
            register_secret(keys.secret_key, keys.token)
            self._last = keys
        return keys


def require_absence(profile: str | None, session: Any, address: str) -> None:
    """Raise unless there are truly no credentials where AWS's own tools look for them.

    Args:
        profile: The configured profile.
        session: A session of botocore that found no credentials.
        address: The bucket, for messages.

    Raises:
        AuthenticationFailed: A setting announces credentials.
        Unavailable: This machine has a role, but its metadata service does not return the credentials now.
    """
    settings = [f"the environment variable {name}" for name in _CREDENTIAL_VARIABLES if os.environ.get(name)]
    if profile:
        settings.insert(0, f"the profile {profile!r}")
    if settings:
        raise AuthenticationFailed(
            f"{address}: {settings[0]} is set, but does not provide complete credentials.",
            hint="Set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or complete the profile or the role.",
        )
    endpoint = session.get_config_variable("ec2_metadata_service_endpoint") or _METADATA
    is_disabled = os.environ.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true"
    if not is_disabled and _metadata_service_fails(endpoint):
        raise Unavailable(
            f"{address}: the metadata service of this machine does not return the credentials of its role."
        )


def _metadata_service_fails(endpoint: str) -> bool:
    """Whether there is a metadata service that has a role, or that fails before it is known.

    Machines without a role do not answer, or answer 404.
    """
    base = endpoint.rstrip("/") + "/"
    status, token = _request(base + _TOKEN_PATH, "PUT", {"X-aws-ec2-metadata-token-ttl-seconds": "60"})
    if _is_failure(status):
        return True
    headers = {"X-aws-ec2-metadata-token": token} if status == 200 else {}
    status, role = _request(base + _ROLE_PATH, "GET", headers)
    return _is_failure(status) or (status == 200 and bool(role.strip()))


def _is_failure(status: int) -> bool:
    return status == 429 or status >= 500


def _request(url: str, method: str, headers: dict[str, str]) -> tuple[int, str]:
    """Return status and text of an answer, without a proxy; status 0 if none arrives within a second."""
    request = urllib.request.Request(url, method=method, headers=headers)  # noqa: S310  (AWS's own setting)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=1) as answer:
            return answer.status, answer.read(4096).decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, ""
    except (OSError, ValueError):
        return 0, ""
