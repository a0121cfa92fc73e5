"""Check whether an index accepts the credentials for uploads, without uploading anything.

An API token of PyPI states the index, the projects and the time that it is for. Whether an index accepts
credentials is probed with an upload form that has no file and no project, so that it cannot be accepted.
"""

import time
from collections.abc import Collection

from urllib3.filepost import encode_multipart_formdata

from wheelrelay.backends.credentials import CredentialRequest, IndexAuth
from wheelrelay.backends.credentials.api_tokens import TokenScope, read_scope
from wheelrelay.backends.credentials.auth import NotFoundAnywhere
from wheelrelay.backends.credentials.requests import TOKEN_USER, Login
from wheelrelay.backends.credentials.trusted_publishing import TrustedPublishing
from wheelrelay.errors import AuthenticationFailed, NotFound, PermissionDenied, Rejected
from wheelrelay.http import HttpClient, Response, display_url, raise_for_status, redirect_target
from wheelrelay.model import CredentialCheck
from wheelrelay.printable import join_names

HOSTS = {"pypi": "pypi.org", "testpypi": "test.pypi.org"}
"""The host that tokens name, by the kind of index."""

_REFUSALS = (401, 403)

_INCOMPLETE = (400, 411, 415, 422)
"""The statuses with which indexes reject an incomplete form."""


def check_credentials(
    http: HttpClient,
    request: CredentialRequest,
    auth: IndexAuth,
    projects: Collection[str],
    new_projects: Collection[str],
) -> CredentialCheck:
    """Return what is known about the credentials for uploads; see `SupportsCredentialCheck`.

    Args:
        http: a client without credentials.
        request: the remote with the URL of its upload API.
        auth: the credentials for uploads.
        projects: the projects to publish files of.
        new_projects: those of them that the index does not have.
    """
    if new_projects and auth.would_issue_token():
        names = join_names(sorted(new_projects))
        return CredentialCheck(
            None,
            f"This job has an identity. No token was requested, because that could create {names} from a "
            "pending publisher.",
        )
    auth.make_ready()
    credentials = auth.credentials()
    if isinstance(credentials, TrustedPublishing):
        return CredentialCheck(
            True,
            f"{display_url(request.address)} has a trusted publisher for this job: it issued a token, "
            "which is revoked again.",
        )
    scope = None
    if isinstance(credentials, Login):
        scope = _checked_login(credentials, request, projects, new_projects)
    probed = _probe(http, request, auth, None if len(projects) != 1 else next(iter(projects)))
    if isinstance(credentials, NotFoundAnywhere):
        return CredentialCheck(
            None,
            f"{display_url(request.address)} did not request credentials, and none were found. {credentials}",
        )
    return CredentialCheck(probed, _reason(probed, credentials.found_in, scope, request))


def _checked_login(
    login: Login, request: CredentialRequest, projects: Collection[str], new_projects: Collection[str]
) -> TokenScope | None:
    """Return what a token for PyPI permits, after a check that it is for these projects.

    Raises:
        AuthenticationFailed: it is for another index, is not valid now, or is a password.
        PermissionDenied: it is for other projects.
    """
    host = HOSTS.get(request.kind)
    if host is None:
        return None  # other indexes have other tokens
    origin = f"The credentials come from {login.found_in}."
    if login.username != TOKEN_USER:
        raise AuthenticationFailed(
            f"{host} accepts API tokens only, with the user name {TOKEN_USER}.", hint=origin
        )
    scope = read_scope(login.password)
    if scope is None:
        raise AuthenticationFailed(
            f"The password is not an API token of {host}.", hint=f"Tokens begin with 'pypi-'. {origin}"
        )
    now = time.time()
    if scope.host != host:
        raise AuthenticationFailed(f"The token is for {scope.host}, not for {host}.", hint=origin)
    if scope.expires is not None and now >= scope.expires:
        expired = time.strftime("%Y-%m-%d", time.gmtime(scope.expires))
        raise AuthenticationFailed(f"The token expired on {expired}.", hint=f"Create a new one. {origin}")
    if scope.not_before is not None and now < scope.not_before:
        raise AuthenticationFailed("The token is not valid yet.", hint=f"Is the clock right? {origin}")
    if scope.projects is None:
        return scope
    others = [project for project in projects if project not in scope.projects]
    if others:
        allowed = join_names(sorted(scope.projects)) or "no project"
        raise PermissionDenied(f"The token is for {allowed}, not for {join_names(others)}.", hint=origin)
    if new_projects:
        raise PermissionDenied(
            f"A token for single projects cannot create {join_names(sorted(new_projects))}.",
            hint=f"Use trusted publishing with a pending publisher, or a token for all projects. {origin}",
        )
    return scope


def _probe(http: HttpClient, request: CredentialRequest, auth: IndexAuth, project: str | None) -> bool | None:
    """Return whether the index accepts the credentials; ``None`` if its response does not show that.

    An index may reject the incomplete form before it looks at the credentials. So its response is compared
    with the one without credentials; PyPI is known to refuse those.

    Raises:
        AuthenticationFailed: it refuses the credentials, or requires some.
        PermissionDenied: likewise.
        NotFound: there is no upload API at this URL.
        Rejected: it redirects uploads.
        Unavailable: it is unavailable.
    """
    url = request.address
    client = http.with_auth(auth.for_project(project), url)
    response = _send_incomplete(client, url)
    if response.status_code in _REFUSALS and client.renew_credentials(response):
        response = _send_incomplete(client, url)
    if response.status_code in (404, 405):
        raise NotFound(
            f"{display_url(url)} returned {response.status_code} for an upload.", hint="Check `upload_url`."
        )
    if response.is_redirect:
        target = display_url(redirect_target(response))
        raise Rejected(
            f"{display_url(url)} redirects uploads to {target}.",
            status=response.status_code,
            hint="Set upload_url to that URL if you trust it.",
        )
    if response.status_code in _REFUSALS or response.status_code >= 429:
        raise_for_status(response)
    if response.status_code not in _INCOMPLETE:
        return None
    if request.requires_credentials:
        return True
    return True if _send_incomplete(http, url).status_code in _REFUSALS else None


def _send_incomplete(http: HttpClient, url: str) -> Response:
    body, content_type = encode_multipart_formdata([(":action", "file_upload"), ("protocol_version", "1")])
    return http.post(url, body=body, headers={"Content-Type": content_type})


def _reason(
    is_accepted: bool | None, found_in: str, scope: TokenScope | None, request: CredentialRequest
) -> str:
    host = display_url(request.address)
    if is_accepted is None:
        return (
            f"The credentials come from {found_in}. {host} answers the same without credentials, so only an "
            "upload shows whether it accepts them."
        )
    accepted = f"{host} accepts the credentials from {found_in}."
    if scope is None:
        return accepted
    if scope.projects is None:
        return f"{accepted} The token is for all projects of its user."
    return f"{accepted} The token is for {join_names(sorted(scope.projects))}."
