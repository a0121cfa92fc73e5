"""The sections of ``~/.pypirc``: the remotes and credentials that people have there for twine.

Read by twine's own parser, so that a file means here what it means there. Imported when it is needed,
for twine is heavy.
"""

import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from wheelrelay.errors import ConfigError
from wheelrelay.http import origin_of, warn_if_readable_by_others

FILE = "~/.pypirc"


@dataclass(frozen=True, slots=True)
class Section:
    """One section; what it leaves open is ``None``.

    Attributes:
        name: what stands in its brackets.
        repository: the address that it is for.
        username: who uploads there.
        password: theirs, or a token.
        ca_cert: path of a CA bundle.
        client_cert: path of a client certificate.
    """

    name: str
    repository: str | None = None
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    ca_cert: str | None = None
    client_cert: str | None = None


def sections() -> dict[str, Section]:
    """The sections by name; none if there is no such file.

    Raises:
        ConfigError: it cannot be read; its lines are not repeated.
    """
    path = Path(os.path.expanduser(FILE))
    if not path.exists():
        return {}
    found = {name: Section(name, **keys) for name, keys in _parsed().items()}
    if any(section.password for section in found.values()):
        warn_if_readable_by_others(path)
    return found


def refuse_unlisted(name: str) -> None:
    """Say so if a section is there that does not count, since it is not listed.

    Raises:
        ConfigError: that is so.
    """
    from configparser import Error, RawConfigParser

    parser = RawConfigParser()
    with suppress(Error, UnicodeDecodeError):
        parser.read(os.path.expanduser(FILE), encoding="utf-8")
    if parser.has_section(name) and name not in sections():
        raise ConfigError(
            f"{FILE} has a section [{name}] that it does not list.",
            hint="Add the name to index-servers under [distutils].",
        )


def sections_for(address: str, *, name: str) -> list[Section]:
    """The sections whose repository is ``address``; the one that is called ``name`` comes first.

    Raises:
        ConfigError: the file cannot be read.
    """
    fitting = [one for one in sections().values() if one.repository and same_place(one.repository, address)]
    return sorted(fitting, key=lambda section: section.name != name)


def kind_of(upload_url: str) -> str:
    """The type of remote that files are sent to at an address: ``pypi``, ``testpypi`` or ``index``.

    Also by the addresses that PyPI and TestPyPI once had, as old files have them.
    """
    from twine.repository import LEGACY_PYPI, LEGACY_TEST_PYPI, OLD_WAREHOUSE
    from twine.utils import DEFAULT_REPOSITORY, TEST_REPOSITORY

    host = _place(upload_url)[1]
    if host in (_place(address)[1] for address in (DEFAULT_REPOSITORY, LEGACY_PYPI, OLD_WAREHOUSE)):
        return "pypi"
    return "testpypi" if host in (_place(TEST_REPOSITORY)[1], _place(LEGACY_TEST_PYPI)[1]) else "index"


def same_place(address: str, other: str) -> bool:
    """Whether two addresses are the same but for a slash at the end and credentials within them.

    >>> same_place("https://ci@Example.org/legacy", "https://example.org/legacy/")
    True
    """
    return _place(address) == _place(other)


def _parsed() -> dict[str, dict[str, str | None]]:
    import configparser

    from twine.exceptions import TwineException
    from twine.utils import get_config, normalize_repository_url

    try:
        parsed: dict[str, dict[str, str | None]] = {name: {**keys} for name, keys in get_config(FILE).items()}
    except OSError as error:
        raise ConfigError(f"{FILE} cannot be read: {error.strerror}.") from None
    except (configparser.Error, TwineException, UnicodeDecodeError):
        # Not chained: what a parser complains of may be a line with a password.
        raise ConfigError(
            f"{FILE} cannot be read.", hint="Its format: [NAME], then KEY = VALUE lines."
        ) from None
    for keys in parsed.values():
        with suppress(ValueError):  # what is no address is told of where it is used
            keys["repository"] = normalize_repository_url(keys.get("repository") or "") or None
    return parsed


def _place(address: str) -> tuple[str, str, int | None, str]:
    """Scheme, host, port and path; of what is no address, the text itself as the path."""
    try:
        return *origin_of(address), urlsplit(address).path.rstrip("/")
    except ValueError:
        return "", "", None, address
