"""The places where people keep credentials, one function each; see the package for their order."""

import os
import re
import sys
from getpass import getpass
from pathlib import Path
from urllib.parse import urlsplit

from wheelrelay.backends.index.credentials.request import TOKEN_USER, CredentialRequest, Login, NoCredentials
from wheelrelay.config.pypirc import PYPIRC, Section, kind_of, same_place, sections, sections_for
from wheelrelay.config.remotes import PRESETS
from wheelrelay.http import display_url, netrc_login, netrc_path, warn_if_readable_by_others


def configuration(wanted: CredentialRequest, _: str | None) -> Login | NoCredentials:
    """The remote's own references.

    Raises:
        MissingSecret: one leads nowhere.
    """
    username = wanted.account.username.get() if wanted.account.username else None
    if wanted.account.password:
        return Login(username or TOKEN_USER, wanted.account.password.get(), "the configuration")
    return NoCredentials("the configuration refers to no password or token", username)


def of_the_other_host(_: CredentialRequest, __: str | None) -> NoCredentials:
    """What a remote that is read at one host and written at another has for the latter."""
    return NoCredentials("what is configured, or stands in variables, is for the host that files are sent to")


def own_variables(wanted: CredentialRequest, username: str | None) -> Login | NoCredentials:
    """``WHEELRELAY_<REMOTE>_TOKEN``, ``_USERNAME`` and ``_PASSWORD``."""
    if not wanted.account.has_name:
        return NoCredentials("no environment variable can be meant for a remote without a name")
    prefix = own_prefix(wanted)
    if token := os.environ.get(f"{prefix}_TOKEN"):
        return Login(TOKEN_USER, token, f"the variable {prefix}_TOKEN")
    return _from_variables(prefix, username, f"{prefix}_TOKEN and {prefix}_PASSWORD are not set", wanted)


def own_prefix(wanted: CredentialRequest) -> str:
    """What the names of a remote's own variables begin with."""
    return f"WHEELRELAY_{re.sub('[^A-Z0-9]', '_', wanted.account.remote.upper())}"


def twine_variables(wanted: CredentialRequest, username: str | None) -> Login | NoCredentials:
    """``TWINE_USERNAME`` and ``TWINE_PASSWORD``, if they are meant for this remote."""
    if not is_twines(wanted):
        return NoCredentials("TWINE_PASSWORD, if set, is for the remote of TWINE_REPOSITORY(_URL)")
    return _from_variables("TWINE", username, "TWINE_PASSWORD is not set", wanted)


def is_twines(wanted: CredentialRequest) -> bool:
    """Whether the variables of twine are meant for this remote's address.

    That is the address in ``TWINE_REPOSITORY_URL``; else that of the section of ``~/.pypirc`` which
    ``TWINE_REPOSITORY`` names, or the remote of that name where there is no such section; else PyPI's.
    """
    if address := os.environ.get("TWINE_REPOSITORY_URL"):
        return same_place(address, wanted.address)
    name = os.environ.get("TWINE_REPOSITORY") or "pypi"
    section = sections().get(name)
    if section and section.repository:
        return same_place(section.repository, wanted.address)
    return kind_of(wanted.address) == name if name in PRESETS else name == wanted.account.remote


def pypirc(wanted: CredentialRequest, username: str | None) -> Login | NoCredentials:
    """The section of ``~/.pypirc`` for the address; of several, that of the remote's own name alone.

    The others may be for other people, or tokens for other projects.

    Raises:
        ConfigError: the file cannot be read.
    """
    if not Path(os.path.expanduser(PYPIRC)).exists():
        return NoCredentials(f"there is no {PYPIRC}")
    sections = sections_for(wanted.address, name=wanted.account.remote)
    if not sections:
        return NoCredentials(f"no section of {PYPIRC} has the repository {display_url(wanted.address)}")
    section = _own_section(wanted)
    if section is None:
        names = ", ".join(f"[{each.name}]" for each in sections)
        return NoCredentials(
            f"{names} of {PYPIRC} are for {display_url(wanted.address)}, and none has this remote's name"
        )
    return _from_section(section, username)


def keyring(wanted: CredentialRequest, username: str | None) -> Login | NoCredentials:
    """What the system's keyring holds for the address and the user; ``__token__`` if no user is known."""
    try:
        from keyring import get_credential
    except ImportError:
        return NoCredentials("the keyring cannot be asked, for the package keyring is not installed")
    service = wanted.address
    try:
        asked = (get_credential(service, user) for user in _users_for_keyring(username))
        found = next(((one.username, one.password) for one in asked if one), None)
    except Exception as error:  # noqa: BLE001  (what the keyrings of this world raise has no common class)
        return NoCredentials(f"the keyring cannot be read: {type(error).__name__}")
    if found is None or None in found:
        return NoCredentials(f"the keyring has nothing for {display_url(service)}")
    return Login(*found, f"the keyring, for {display_url(service)}")


def netrc(wanted: CredentialRequest, username: str | None) -> Login | NoCredentials:
    """What ``~/.netrc``, or the file that ``NETRC`` names, has for the host."""
    host = urlsplit(wanted.address).hostname
    path = netrc_path()
    if path is None:
        return NoCredentials(f"there is no {os.environ.get('NETRC') or '~/.netrc'}")
    try:
        found = netrc_login(wanted.address)
    except (ValueError, OSError):  # not told: it quotes what it cannot parse
        return NoCredentials(f"{path} cannot be read")
    if not found or not found[1]:
        return NoCredentials(f"{path} has nothing for {host}")
    warn_if_readable_by_others(path)
    if username and found[0] != username:
        return NoCredentials(f"{path} is for another user of {host}")
    return Login(found[0], found[1], f"{path}, for {host}")


def prompt(wanted: CredentialRequest, username: str | None) -> Login | NoCredentials:
    """Whoever sits at the terminal."""
    if not (wanted.is_guarded or username):
        return NoCredentials("nobody was asked, for it is not known whether there is a password at all")
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return NoCredentials("nobody can be asked, for this is no terminal")
    user = username or TOKEN_USER
    typed = getpass(f"{'API token' if user == TOKEN_USER else f'Password of {user}'} for {wanted}: ")
    return Login(user, typed, "the prompt") if typed else NoCredentials("nothing was typed")


def _from_variables(
    prefix: str, username: str | None, otherwise: str, wanted: CredentialRequest
) -> Login | NoCredentials:
    given, password = os.environ.get(f"{prefix}_USERNAME"), os.environ.get(f"{prefix}_PASSWORD")
    if not password:
        return NoCredentials(otherwise, given)
    if username and given and given != username:
        return NoCredentials(f"{prefix}_PASSWORD is for another user")
    user = given or username or _user_in_pypirc(wanted) or TOKEN_USER
    return Login(user, password, f"the variable {prefix}_PASSWORD")


def _user_in_pypirc(wanted: CredentialRequest) -> str | None:
    section = _own_section(wanted)
    return section.username if section else None


def _own_section(wanted: CredentialRequest) -> Section | None:
    """The only section for the address, or that of the remote's name."""
    sections = sections_for(wanted.address, name=wanted.account.remote)
    named = [section for section in sections if section.name == wanted.account.remote]
    return next(iter(named or sections), None) if named or len(sections) == 1 else None


def _from_section(section: Section, username: str | None) -> Login | NoCredentials:
    where = f"section [{section.name}] of {PYPIRC}"
    if not section.password:
        return NoCredentials(f"the {where} has no password", section.username)
    if username and section.username and section.username != username:
        return NoCredentials(f"the {where} is for another user")
    return Login(section.username or username or TOKEN_USER, section.password, f"the {where}")


def _users_for_keyring(username: str | None) -> tuple[str | None, ...]:
    return (username,) if username else (TOKEN_USER, None)
