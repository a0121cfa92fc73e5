"""The providers of credentials, one function each.

See the package for their order. A provider returns a login or certificates, or the reason why it has none.
"""

import os
import re
import sys
from getpass import getpass
from pathlib import Path
from urllib.parse import urlsplit

from wheelrelay.backends.credentials.requests import (
    TOKEN_USER,
    CredentialRequest,
    Login,
    NoCredentials,
)
from wheelrelay.config.pypirc import PYPIRC, Section, kind_of, same_place, sections, sections_for
from wheelrelay.config.remotes import PRESETS
from wheelrelay.http import (
    display_url,
    netrc_login,
    netrc_path,
    warn_if_readable_by_others,
    warn_of_netrc,
)

GITLAB_JOB_USER = "gitlab-ci-token"
"""The user name that goes with the token of a GitLab job."""


def configuration(request: CredentialRequest, _: str | None) -> Login | NoCredentials:
    """Return the credentials that the remote's configuration refers to.

    Raises:
        MissingSecret: a reference cannot be resolved.
    """
    username = request.account.username.get() if request.account.username else None
    if request.account.password:
        return Login(username or TOKEN_USER, request.account.password.get(), "the configuration")
    return NoCredentials("the configuration has no password or token", username)


def for_upload_host_only(_: CredentialRequest, __: str | None) -> NoCredentials:
    """Return the reason why configured credentials are not used to read from another host."""
    return NoCredentials("the configured credentials are for the upload host only")


def own_variables(request: CredentialRequest, username: str | None) -> Login | NoCredentials:
    """Return ``WHEELRELAY_<REMOTE>_TOKEN``, or ``_USERNAME`` and ``_PASSWORD``."""
    if not request.account.has_name:
        return NoCredentials("a remote without a name has no environment variables")
    prefix = own_prefix(request)
    if token := os.environ.get(f"{prefix}_TOKEN"):
        return Login(TOKEN_USER, token, f"the variable {prefix}_TOKEN")
    reason = f"{prefix}_TOKEN and {prefix}_PASSWORD are not set"
    return _from_variables(prefix, username, reason, request)


def own_prefix(request: CredentialRequest) -> str:
    """Return the prefix of the remote's own environment variables."""
    return f"WHEELRELAY_{re.sub('[^A-Z0-9]', '_', request.account.remote.upper())}"


def twine_variables(request: CredentialRequest, username: str | None) -> Login | NoCredentials:
    """Return ``TWINE_USERNAME`` and ``TWINE_PASSWORD``, if they are for this remote."""
    if not twine_variables_apply(request):
        return NoCredentials("TWINE_PASSWORD, if set, is for the remote of TWINE_REPOSITORY(_URL)")
    return _from_variables("TWINE", username, "TWINE_PASSWORD is not set", request)


def twine_variables_apply(request: CredentialRequest) -> bool:
    """Return whether twine's environment variables are for this remote.

    They are for the URL in ``TWINE_REPOSITORY_URL``; else for the section of ``~/.pypirc`` that
    ``TWINE_REPOSITORY`` names, or the remote of that name if there is no such section; else for PyPI.
    """
    if address := os.environ.get("TWINE_REPOSITORY_URL"):
        return same_place(address, request.address)
    name = os.environ.get("TWINE_REPOSITORY") or "pypi"
    section = sections().get(name)
    if section and section.repository:
        return same_place(section.repository, request.address)
    return kind_of(request.address) == name if name in PRESETS else name == request.account.remote


def pypirc(request: CredentialRequest, username: str | None) -> Login | NoCredentials:
    """Return the login in the section of ``~/.pypirc`` for the URL.

    If several sections have the URL, only the one with the remote's name is used: the others may be for other
    users, or hold tokens for other projects.

    Raises:
        ConfigError: the file cannot be read.
    """
    if not Path(os.path.expanduser(PYPIRC)).exists():
        return NoCredentials(f"{PYPIRC} does not exist")
    candidates = sections_for(request.address, name=request.account.remote)
    if not candidates:
        return NoCredentials(f"no section of {PYPIRC} has the repository {display_url(request.address)}")
    section = _section_for(request)
    if section is None:
        names = ", ".join(f"[{candidate.name}]" for candidate in candidates)
        return NoCredentials(
            f"{names} of {PYPIRC} are for {display_url(request.address)}, and none has this remote's name"
        )
    return _from_section(section, username)


def keyring(request: CredentialRequest, username: str | None) -> Login | NoCredentials:
    """Return the entry of the system's keyring for the URL and user; ``__token__`` if no user is known."""
    try:
        from keyring import get_credential
    except ImportError:
        return NoCredentials("the package keyring is not installed")
    service = request.address
    usernames = (username,) if username else (TOKEN_USER, None)
    try:
        entries = (get_credential(service, candidate) for candidate in usernames)
        login = next(((entry.username, entry.password) for entry in entries if entry), None)
    except Exception as error:  # noqa: BLE001  (the errors of keyring backends have no common class)
        return NoCredentials(f"the keyring cannot be read: {type(error).__name__}")
    if login is None or None in login:
        return NoCredentials(f"the keyring has no entry for {display_url(service)}")
    return Login(*login, f"the keyring, for {display_url(service)}")


def netrc(request: CredentialRequest, username: str | None) -> Login | NoCredentials:
    """Return the entry for the host in ``~/.netrc``, or in the file that ``NETRC`` names."""
    host = urlsplit(request.address).hostname
    path = netrc_path()
    if path is None:
        return NoCredentials(f"{os.environ.get('NETRC') or '~/.netrc'} does not exist")
    try:
        login = netrc_login(request.address)
    except (ValueError, OSError) as error:
        warn_of_netrc(error)
        return NoCredentials(f"{path} cannot be read")
    if not login or not login[1]:
        return NoCredentials(f"{path} has no password for {host}")
    warn_if_readable_by_others(path)
    if username and login[0] != username:
        return NoCredentials(f"{path} has an entry for another user of {host}")
    return Login(login[0], login[1], f"{path}, for {host}")


def gitlab_job(request: CredentialRequest, username: str | None) -> Login | NoCredentials:
    """Return the token of the GitLab job that this process is part of, for URLs of its server's API."""
    token, api = os.environ.get("CI_JOB_TOKEN"), os.environ.get("CI_API_V4_URL")
    if not token or not api or not request.address.startswith(f"{api.rstrip('/')}/"):
        return NoCredentials("")
    if username not in (None, GITLAB_JOB_USER):
        return NoCredentials("CI_JOB_TOKEN is for another user")
    return Login(GITLAB_JOB_USER, token, "the variable CI_JOB_TOKEN")


def prompt(request: CredentialRequest, username: str | None) -> Login | NoCredentials:
    """Prompt for a password or token on the terminal."""
    if not (request.requires_credentials or username):
        return NoCredentials("no prompt, because the index may not need a password")
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return NoCredentials("no prompt, because this is not a terminal")
    user = username or TOKEN_USER
    label = "API token" if user == TOKEN_USER else f"Password of {user}"
    password = getpass(f"{label} for {request}: ")
    return Login(user, password, "the prompt") if password else NoCredentials("nothing was entered")


def certificates(
    request: CredentialRequest | None, ca_cert: Path | None, client_cert: Path | None
) -> tuple[str | None, str | None]:
    """Return the paths of the CA bundle and the client certificate for an index.

    Each is the configured one; else ``TWINE_CERT`` or ``TWINE_CLIENT_CERT``, if they are for this remote;
    else the one in the section of ``~/.pypirc``.

    Args:
        request: the remote with its upload URL; if it has none, only the configured paths are used.
        ca_cert: the configured CA bundle.
        client_cert: the configured client certificate.

    Raises:
        ConfigError: ``~/.pypirc`` cannot be read.
    """
    bundle, client = (str(path) if path else None for path in (ca_cert, client_cert))
    if request is None:
        return bundle, client
    section = next(iter(sections_for(request.address, name=request.account.remote)), Section(""))
    return (
        bundle or _twine_path("TWINE_CERT", request) or _expanded(section.ca_cert),
        client or _twine_path("TWINE_CLIENT_CERT", request) or _expanded(section.client_cert),
    )


def _twine_path(variable: str, request: CredentialRequest) -> str | None:
    path = os.environ.get(variable)
    return path if path and twine_variables_apply(request) else None


def _expanded(path: str | None) -> str | None:
    return path and os.path.expanduser(path)


def _from_variables(
    prefix: str, username: str | None, reason: str, request: CredentialRequest
) -> Login | NoCredentials:
    user, password = os.environ.get(f"{prefix}_USERNAME"), os.environ.get(f"{prefix}_PASSWORD")
    if not password:
        return NoCredentials(reason, user)
    if username and user and user != username:
        return NoCredentials(f"{prefix}_PASSWORD is for another user")
    user = user or username or _pypirc_username(request) or TOKEN_USER
    return Login(user, password, f"the variable {prefix}_PASSWORD")


def _pypirc_username(request: CredentialRequest) -> str | None:
    section = _section_for(request)
    return section.username if section else None


def _section_for(request: CredentialRequest) -> Section | None:
    """Return the only section for the URL, or the one with the remote's name."""
    candidates = sections_for(request.address, name=request.account.remote)
    with_name = [section for section in candidates if section.name == request.account.remote]
    return next(iter(with_name or candidates), None) if with_name or len(candidates) == 1 else None


def _from_section(section: Section, username: str | None) -> Login | NoCredentials:
    source = f"section [{section.name}] of {PYPIRC}"
    if not section.password:
        return NoCredentials(f"{source} has no password", section.username)
    if username and section.username and section.username != username:
        return NoCredentials(f"{source} is for another user")
    return Login(section.username or username or TOKEN_USER, section.password, source)
