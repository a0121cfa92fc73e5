"""The identity of a CI job: a signed JWT that the CI system issues for one audience.

Every service that accepts an audience accepts all identities for it. So an index never chooses the audience:
those of PyPI and TestPyPI are bound to their upload hosts, and all other indexes need a configured one.
"""

import json
import os
import re
from base64 import urlsafe_b64decode
from pathlib import Path
from typing import Any

from urllib3.exceptions import HTTPError

from wheelrelay.ci import current_system
from wheelrelay.errors import AuthenticationFailed
from wheelrelay.http import origin_of, sanitized
from wheelrelay.redaction import register_secret

GOOGLE_VARIABLE = "GOOGLE_SERVICE_ACCOUNT_NAME"
"""A variable that Google's build service sets."""

GOOGLE_PRODUCT_FILE = Path("/sys/class/dmi/id/product_name")
"""A file that identifies Google's machines, which set none of the variables."""

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
"""The claims that indexes compare with their configured publishers, of all CI systems."""

_PYPI_AUDIENCES: dict[tuple[str, str, int | None], str] = {
    ("https", "upload.pypi.org", 443): "pypi",
    ("https", "test.pypi.org", 443): "testpypi",
}

_FOREIGN_AUDIENCES = frozenset(
    {"PYPI", "TESTPYPI", "SIGSTORE", "SIGSTORE_STAGING", "CRATES_IO", "RUBYGEMS_ORG", "JSR"}
)
"""Audiences of other services, in the spelling of GitLab's variable names."""

_FOREIGN_PATTERN = re.compile(
    r"azuread|windows\.net|microsoft|amazonaws|googleapis|google\.com|aliyun|github|gitlab|sigstore|npmjs|nuget",
    re.IGNORECASE,
)
"""Parts of the audiences of clouds, CI systems and package registries (``api://AzureADTokenExchange``)."""


def audience_for(upload_url: str, *, trusted_publishing: bool | None, configured: str | None) -> str | None:
    """Return the audience of identities for an index; ``None`` if it must not receive any.

    Args:
        upload_url: the URL of the index's upload API.
        trusted_publishing: the configured value; ``None`` if it is not configured.
        configured: the audience in the configuration.

    Raises:
        ValueError: the audience is missing, is not used, or belongs to another service.
    """
    pypi_audience = _PYPI_AUDIENCES.get(origin_of(upload_url))
    if configured is not None and not trusted_publishing:
        raise ValueError("audience requires trusted_publishing = true")
    if pypi_audience or not trusted_publishing:
        if configured not in (None, pypi_audience):
            raise ValueError(f"the audience of this index is {pypi_audience!r}: remove audience")
        return None if trusted_publishing is False else pypi_audience
    if configured is None:
        raise ValueError(
            "trusted publishing needs an audience, except for PyPI and TestPyPI: set audience to the one "
            "that the index documents"
        )
    if not configured.isprintable() or configured != configured.strip() or not configured:
        raise ValueError("the audience is empty, or has surrounding blanks or control characters")
    if _variable_name(configured) in _FOREIGN_AUDIENCES or _FOREIGN_PATTERN.search(configured):
        raise ValueError(
            f"the audience {configured!r} belongs to another service: an index that receives an identity for "
            "it could act as this job there"
        )
    return configured


def _variable_name(audience: str) -> str:
    return re.sub("[^A-Z0-9]", "_", audience.strip().upper())


def is_ci_job(product_file: Path = GOOGLE_PRODUCT_FILE) -> bool:
    """Return whether this may be a CI job with an identity; sends no request.

    Args:
        product_file: The file that contains the name of the machine's product.
    """
    system = current_system()
    if (system and system.provides_identity) or os.environ.get(GOOGLE_VARIABLE):
        return True
    try:
        return product_file.read_text(encoding="utf-8").startswith("Google")
    except OSError:
        return False


def identity_for(audience: str) -> str:
    """Request the identity of this job from the CI system.

    Raises:
        AuthenticationFailed: it issues none, or one for another audience; `id` compares the audience.
    """
    register_secret(os.environ.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN"))
    from id import AmbientCredentialError, GitHubOidcPermissionCredentialError, detect_credential

    try:
        identity = detect_credential(audience)
    except GitHubOidcPermissionCredentialError:
        raise AuthenticationFailed(
            "GitHub issues no identity to this job.",
            hint="In the workflow, set permissions: id-token: write for the job.",
        ) from None
    except (AmbientCredentialError, HTTPError) as error:
        # Neither chained nor quoted whole, because the message contains the server's response.
        reason = sanitized(str(error).partition("body=")[0]).rstrip("(, ")
        raise AuthenticationFailed(f"The CI system issues no identity to this job: {reason}.") from None
    if identity is None:
        raise AuthenticationFailed("This is not a CI job with an identity.")
    register_secret(identity)
    return identity


def claims_of(identity: str) -> dict[str, Any]:
    """Return the claims of an identity that matter to an index."""
    payload = _payload(identity)
    return {name: payload[name] for name in CLAIMS if name in payload}


def build_of(identity: str) -> str | None:
    """Return the URL of the workflow or pipeline of an identity, without its ref, if it has one."""
    payload = _payload(identity)
    if workflow := payload.get("workflow_ref"):  # GitHub
        return f"https://github.com/{workflow}".partition("@")[0]
    if pipeline := payload.get("ci_config_ref_uri"):  # GitLab
        return f"https://{pipeline}".partition("@")[0]
    return None


def _payload(identity: str) -> dict[str, Any]:
    """Return all claims; `id` has parsed the identity already, so it is well-formed."""
    payload: dict[str, Any] = json.loads(urlsafe_b64decode(identity.split(".")[1] + "=="))
    return payload
