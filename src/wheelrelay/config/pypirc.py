"""The sections of ``~/.pypirc``: repositories and credentials that users have configured for twine.

Twine's own parser reads the file, so it means the same here. Twine is heavy and imported on use.
"""

import os
from contextlib import suppress
from dataclasses import field
from pathlib import Path
from urllib.parse import urlsplit

from wheelrelay.config.pypi_urls import FORMER_PYPI, FORMER_TESTPYPI, PYPI_UPLOAD, TESTPYPI_UPLOAD
from wheelrelay.errors import ConfigError
from wheelrelay.http import origin_of, warn_if_readable_by_others
from wheelrelay.lazy_dataclass import dataclass

PYPIRC = "~/.pypirc"


@dataclass(frozen=True, slots=True)
class Section:
    """One section; keys that it does not set are ``None``.

    Attributes:
        name: The name in brackets.
        repository: The upload URL.
        username: The user name.
        password: The password or token.
        ca_cert: Path of a CA bundle.
        client_cert: Path of a client certificate.
    """

    name: str
    repository: str | None = None
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    ca_cert: str | None = None
    client_cert: str | None = None


def sections() -> dict[str, Section]:
    """Return the sections by name; empty if there is no such file.

    Raises:
        ConfigError: The file cannot be read. The message never repeats its lines.
    """
    path = Path(os.path.expanduser(PYPIRC))
    if not path.exists():
        return {}
    by_name = {name: Section(name, **keys) for name, keys in _parse().items()}
    if any(section.password for section in by_name.values()):
        warn_if_readable_by_others(path)
    return by_name


def refuse_unlisted(name: str) -> None:
    """Report a section that exists but is ignored, because ``index-servers`` does not list it.

    Raises:
        ConfigError: There is such a section.
    """
    from configparser import Error, RawConfigParser

    parser = RawConfigParser()
    with suppress(Error, UnicodeDecodeError):
        parser.read(os.path.expanduser(PYPIRC), encoding="utf-8")
    if parser.has_section(name) and name not in sections():
        raise ConfigError(
            f"{PYPIRC}: the section [{name}] is ignored, because index-servers does not list it.",
            hint="Add the name to index-servers under [distutils].",
        )


def sections_for(address: str, *, name: str) -> list[Section]:
    """Return the sections whose repository is ``address``, the section called ``name`` first.

    Raises:
        ConfigError: The file cannot be read.
    """
    matching = [
        section
        for section in sections().values()
        if section.repository and same_place(section.repository, address)
    ]
    return sorted(matching, key=lambda section: section.name != name)


def kind_of(upload_url: str) -> str:
    """Return the type of remote for an upload URL: ``pypi``, ``testpypi`` or ``index``.

    Former URLs of PyPI and TestPyPI, which old files still have, are recognized too.
    """
    host = _place(upload_url)[1]
    if host in (_place(url)[1] for url in (PYPI_UPLOAD, *FORMER_PYPI)):
        return "pypi"
    return "testpypi" if host in (_place(url)[1] for url in (TESTPYPI_UPLOAD, *FORMER_TESTPYPI)) else "index"


def same_place(address: str, other: str) -> bool:
    """Whether two URLs are equal, apart from a final slash and credentials.

    >>> same_place("https://ci@Example.org/legacy", "https://example.org/legacy/")
    True
    """
    return _place(address) == _place(other)


def _parse() -> dict[str, dict[str, str | None]]:
    import configparser

    from twine.exceptions import TwineException
    from twine.utils import get_config, normalize_repository_url

    try:
        tables: dict[str, dict[str, str | None]] = {
            name: {**keys} for name, keys in get_config(PYPIRC).items()
        }
    except OSError as error:
        raise ConfigError(f"{PYPIRC} cannot be read: {error.strerror}.") from None
    except (configparser.Error, TwineException, UnicodeDecodeError):
        # Not chained: the parser's message may contain a line with a password.
        raise ConfigError(
            f"{PYPIRC} cannot be read: it is malformed.", hint="Write [NAME], then lines of KEY = VALUE."
        ) from None
    for keys in tables.values():
        with suppress(ValueError):  # a malformed URL is reported where it is used
            keys["repository"] = normalize_repository_url(keys.get("repository") or "") or None
    return tables


def _place(address: str) -> tuple[str, str, int | None, str]:
    """Return scheme, host, port and path; for a malformed URL, the text itself as the path."""
    try:
        return *origin_of(address), urlsplit(address).path.rstrip("/")
    except ValueError:
        return "", "", None, address
