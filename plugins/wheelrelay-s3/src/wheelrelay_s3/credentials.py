"""Tell absent credentials from credentials that should be there: only absence is a reason to skip a push."""

import os
import urllib.error
import urllib.request
from typing import Any

from wheelrelay.errors import AuthenticationFailed, Unavailable
from wheelrelay_s3.config import S3Config

_ASKING = (
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)
"""Variables that say that there are credentials. An empty one counts as missing: forks get it in CI."""

_METADATA = "http://169.254.169.254/"
_TOKEN = "latest/api/token"  # noqa: S105  (a path)
_ROLE = "latest/meta-data/iam/security-credentials/"


def require_absence(config: S3Config, session: Any, address: str) -> None:
    """Raise unless there are truly no credentials where AWS's own tools look for them.

    Args:
        config: of the bucket.
        session: of aiobotocore, which found none.
        address: of the bucket, for people.

    Raises:
        AuthenticationFailed: something says that there are some.
        Unavailable: this machine has a role, but its metadata service does not give its credentials now.
    """
    asking = [f"the environment variable {name}" for name in _ASKING if os.environ.get(name)]
    if config.profile:
        asking.insert(0, f"the profile {config.profile!r}")
    if asking:
        raise AuthenticationFailed(
            f"{address}: {asking[0]} is set, but gives no complete credentials.",
            hint="Set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or complete the profile or the role.",
        )
    endpoint = session.get_config_variable("ec2_metadata_service_endpoint") or _METADATA
    if os.environ.get("AWS_EC2_METADATA_DISABLED", "").lower() != "true" and _metadata_fails(endpoint):
        raise Unavailable(
            f"{address}: the metadata service of this machine does not give the credentials of its role."
        )


def _metadata_fails(endpoint: str) -> bool:
    """Whether there is a metadata service that has a role, or that fails so that this stays unknown.

    No answer, or that there is no role (404), is what machines without a role show.
    """
    base = endpoint.rstrip("/") + "/"
    status, token = _ask(base + _TOKEN, "PUT", {"X-aws-ec2-metadata-token-ttl-seconds": "60"})
    if _fails(status):
        return True
    headers = {"X-aws-ec2-metadata-token": token} if status == 200 else {}
    status, role = _ask(base + _ROLE, "GET", headers)
    return _fails(status) or (status == 200 and bool(role.strip()))


def _fails(status: int) -> bool:
    return status == 429 or status >= 500


def _ask(url: str, method: str, headers: dict[str, str]) -> tuple[int, str]:
    """Status and text of an answer; 0 if none came within a second. No proxy takes part."""
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
