"""The identity that a CI system gives to a job: a signed JWT, from whichever system `id` knows."""

import json
import os
from base64 import urlsafe_b64decode
from pathlib import Path
from typing import Any

from urllib3.exceptions import HTTPError

from wheelrelay.ci import current_system
from wheelrelay.errors import AuthenticationFailed
from wheelrelay.http import sanitized
from wheelrelay.redaction import register_secret

SIGN_OF_GOOGLE = "GOOGLE_SERVICE_ACCOUNT_NAME"
"""A variable that tells of Google's build service."""

GOOGLE_MACHINE = Path("/sys/class/dmi/id/product_name")
"""A file that tells of Google's machines, which set none of the variables."""

CLAIMS = (
    "iss",
    "repository",
    "repository_owner",
    "repository_owner_id",
    "workflow_ref",
    "job_workflow_ref",
    "project_path",
    "namespace_id",
    "ci_config_ref_uri",
    "email",
    "organization",
    "project",
    "environment",
    "sub",
)
"""What indexes compare with the publishers that are configured there, by whichever system has it."""


def is_ci_job() -> bool:
    """Whether anything tells of a CI system that may give an identity; nothing is asked over the network."""
    system = current_system()
    if (system and system.provides_identity) or os.environ.get(SIGN_OF_GOOGLE):
        return True
    try:
        return GOOGLE_MACHINE.read_text(encoding="utf-8").startswith("Google")
    except OSError:
        return False


def identity_for(audience: str) -> str:
    """The identity that the CI system gives to this job.

    Raises:
        AuthenticationFailed: it gives none, or one that is not for this audience alone; `id` compares it.
    """
    register_secret(os.environ.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN"))
    from id import AmbientCredentialError, GitHubOidcPermissionCredentialError, detect_credential

    try:
        identity = detect_credential(audience)
    except GitHubOidcPermissionCredentialError:
        raise AuthenticationFailed(
            "GitHub gives this job no identity.",
            hint="In the workflow, give the job permissions: id-token: write.",
        ) from None
    except (AmbientCredentialError, HTTPError) as error:
        # Not chained, and cut short: it repeats what the other side said.
        reason = sanitized(str(error).partition("body=")[0]).rstrip("(, ")
        raise AuthenticationFailed(f"the CI system gives this job no identity: {reason}.") from None
    if identity is None:
        raise AuthenticationFailed("this is no CI job with an identity.")
    register_secret(identity)
    return identity


def claims_of(identity: str) -> dict[str, Any]:
    """What an identity says of the job, as far as it matters to an index."""
    payload = _payload(identity)
    return {name: payload[name] for name in CLAIMS if name in payload}


def build_of(identity: str) -> str | None:
    """The address of the workflow or pipeline that an identity is for, without its ref, if it has one."""
    payload = _payload(identity)
    if workflow := payload.get("workflow_ref"):  # GitHub
        return f"https://github.com/{workflow}".partition("@")[0]
    if pipeline := payload.get("ci_config_ref_uri"):  # GitLab
        return f"https://{pipeline}".partition("@")[0]
    return None


def _payload(identity: str) -> dict[str, Any]:
    """The claims of an identity; `id` has read this much of it already."""
    payload: dict[str, Any] = json.loads(urlsafe_b64decode(identity.split(".")[1] + "=="))
    return payload
